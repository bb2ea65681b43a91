"""Rows of whole documents made anew from those that stand: each page in the light of all the others, however many units they were read in.

Nothing is opened and nobody asked: corrections come into rows this way, and documents longer than a unit are held against themselves.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby

from pipeline.conclude import Finished, Rules, in_document
from pipeline.errors import StorageError
from pipeline.places import Places
from pipeline.prior import prior_rows
from pipeline.settle import Rows
from pipeline.staging import Part
from pipeline.storage import Store
from schemas.page import Failure
from schemas.unit import StagedPart, Tally, Unit

_PAGES_PER_PART = 1024

Change = Callable[[Rows, datetime], Rows]
"""Returns a page's rows as they are to be; the time is now."""


def parts(
    units: Iterable[Unit], rules: Rules, store: Store, places: Places, run_id: str, change: Change = lambda rows, _: rows
) -> Iterator[StagedPart]:
    """Stage what becomes of units' rows, which are their priors; those of one source object come in their order.

    Rows that stay as they are are not staged again. An object whose rows cannot be had now is left.
    """
    for group in _groups(units):
        part, now = Part(store, places, run_id, group), datetime.now(UTC)
        for _, mine in groupby(group, key=_source):
            of_object = list(mine)
            try:
                _restage(of_object, part, rules, store, places, change, run_id, now)
            except StorageError as error:
                for unit in of_object:
                    part.leave(unit, Failure(stage="fetch", code=type(error).__name__, message=str(error)))
        yield part.stage(Tally(), None, now)


def made(rows: Rows, run_id: str, now: datetime) -> Rows:
    """Return rows as this run's."""
    when = {"run_id": run_id, "processed_at": now}
    return Rows(rows.page.model_copy(update=when), tuple(row.model_copy(update=when) for row in rows.fields))


def _restage(
    units: list[Unit], part: Part, rules: Rules, store: Store, places: Places, change: Change, run_id: str, now: datetime
) -> None:
    before = [(unit, prior) for unit in units for _, prior in sorted(prior_rows(store, places, unit).items())]
    pages = [_finished(unit, change(prior, now)) for unit, prior in before]
    for (unit, prior), page in zip(before, in_document(pages, rules) if pages else (), strict=True):
        if page.rows != prior or (unit.prior and page.tasks != unit.prior.tasks):
            part.add(unit, page.origin, made(page.rows, run_id, now), tasks=page.tasks, jobs=page.jobs)


def _groups(units: Iterable[Unit]) -> Iterator[list[Unit]]:
    """Yield units in groups of about as many pages as a part may hold, those of one object together."""
    group: list[Unit] = []
    for _, mine in groupby(units, key=_source):
        group += mine
        if sum(unit.n_pages for unit in group) >= _PAGES_PER_PART:
            yield group
            group = []
    if group:
        yield group


def _source(unit: Unit) -> str:
    return unit.origins[0].source_id


def _finished(unit: Unit, rows: Rows) -> Finished:
    tasks, jobs = (unit.prior.tasks, unit.prior.jobs) if unit.prior else ((), ())
    return Finished(unit, unit.origins[0], rows, frozenset(), tasks, jobs)
