"""Units that were in flight when a worker died: which of them killed it is found by trying them alone, then by halves.

A unit is guilty once it was the only one in flight anywhere at a death.

Every group of units leaves a marker while it is being worked on (see staging). A marker that is still there when nobody works any
more names what was in flight. Markers of earlier runs of the same job count too, so that a page which takes the whole machine
down each time is found all the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from pipeline.errors import ObjectMissing
from pipeline.places import Places
from pipeline.storage import Store
from schemas.unit import Unit

Key = tuple[str, int, int]


def key(unit: Unit) -> Key:
    """Return what names a unit: document_id, first page and number of pages."""
    return unit.document_id, unit.first_page, unit.n_pages


class Suspects:
    """The suspects of one run, and how often each has died alone."""

    def __init__(self, store: Store, places: Places) -> None:
        self._store, self._places = store, places
        self._units: dict[Key, Unit] = {}
        self._deaths: Counter[Key] = Counter()
        self._guilty: set[Key] = set()

    def __iter__(self) -> Iterator[Unit]:
        return iter(tuple(self._units.values()))

    def __len__(self) -> int:
        return len(self._units)

    def deaths(self, unit: Unit) -> int:
        """Return how often a unit was in flight, in a group of its own, when its worker or the whole machine died."""
        return self._deaths[key(unit)]

    def is_guilty(self, unit: Unit) -> bool:
        """Return whether nothing else was in flight when a worker, or the whole machine, once died of it."""
        return key(unit) in self._guilty

    def remember(self, dead: Iterable[str]) -> None:
        """Take up what killed runs had in flight; their markers stay, to be counted again should this run be killed too."""
        for run_id in dead:
            self._note(run_id)

    def note(self, run_id: str) -> bool:
        """Take up what this run had in flight, now that its workers are gone; return whether that was anything."""
        found = self._note(run_id)
        self.acquit(run_id)
        return found

    def acquit(self, run_id: str) -> None:
        """Remove a run's markers."""
        self._store.delete([uri for uri in self._markers() if _run_of(uri) == run_id])

    def clear(self, unit: Unit) -> None:
        """Strike a unit off: it is done, rejected or out of reach."""
        self._units.pop(key(unit), None)

    def halve_guilty(self) -> None:
        """Put halves in the place of guilty units of several pages, down to what no death has proved guilty or is one page."""
        while halves := [unit for unit in self if unit.n_pages > 1 and self.is_guilty(unit)]:
            for unit in halves:
                self._halve(unit)

    def _halve(self, unit: Unit) -> None:
        """Put the two halves of a unit in its place; what is known of them from earlier runs still holds."""
        self.clear(unit)
        middle = unit.n_pages // 2
        for first, count in ((0, middle), (middle, unit.n_pages - middle)):
            half = unit.model_copy(update={"first_page": unit.first_page + first, "n_pages": count})
            self._units[key(half)] = half

    def _note(self, run_id: str) -> bool:
        groups = [self._store.read(uri).decode().splitlines() for uri in self._markers() if _run_of(uri) == run_id]
        for lines in groups:
            units = [Unit.model_validate_json(line) for line in lines]
            self._units.update((key(unit), unit) for unit in units)
            if len(units) == 1:
                self._deaths.update(map(key, units))
                self._guilty.update(map(key, units if len(groups) == 1 else ()))
        return bool(groups)

    def _markers(self) -> list[str]:
        try:
            return [item.uri for item in self._store.list(self._places.in_flight())]
        except ObjectMissing:
            return []


def _run_of(marker_uri: str) -> str:
    return marker_uri.split("/")[-2]
