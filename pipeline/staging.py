"""A part in the making: the rows of a group of units, written as files of their own, and the report that travels back.

While a group is being worked on, a marker names its units: what is found marked after a crash is what was in flight.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.ladder import is_final
from pipeline.parquet import parquet_bytes
from pipeline.places import Places, staged
from pipeline.settle import Rows
from pipeline.storage import Store
from pipeline.witness import witnessed
from schemas.arrow import to_table
from schemas.field import FieldRow
from schemas.page import Failure, PageRow
from schemas.unit import Left, Origin, Reject, StagedPart, Tally, Unit, UnitOutcome


@dataclass(slots=True)
class _Range:
    """What is known so far of neighbouring pages of a unit and origin that answer the same."""

    unit: Unit
    origin: Origin
    first_page: int
    tasks: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    statuses: list[str] = field(default_factory=list)
    required: set[str] = field(default_factory=set)
    found: list[str] = field(default_factory=list)


class Part:
    """The rows of one group, held until they are staged."""

    def __init__(self, store: Store, places: Places, run_id: str, units: Sequence[Unit]) -> None:
        self._store, self._places = store, places
        name = secrets.token_hex(8)
        self.part_id = f"{run_id}/{name}"
        self._marker = places.in_flight(run_id, name)
        self._pages: list[PageRow] = []
        self._fields: list[FieldRow] = []
        self._final: list[PageRow] = []
        self._ranges: list[_Range] = []
        self._latest: dict[str, _Range] = {}
        self._left: list[Left] = []
        self._units = "\n".join(unit.model_dump_json() for unit in units).encode()
        store.write(self._marker, self._units)

    @contextmanager
    def set_down(self) -> Iterator[None]:
        """Have nothing in hand for a while: a worker that dies then does not die of these units."""
        self._store.delete([self._marker])
        yield
        self._store.write(self._marker, self._units)

    def add(self, unit: Unit, origin: Origin, rows: Rows, *, tasks: Sequence[str], jobs: Sequence[str]) -> None:
        """Take up one page's rows for one origin, unless its unit was given up meanwhile."""
        if self.has_left(unit):
            return
        self._pages.append(rows.page)
        self._fields.extend(rows.fields)
        if is_final(tasks):
            self._final.append(rows.page)
        known = self._range(unit, origin, rows.page.page_index, tuple(tasks), tuple(jobs))
        known.statuses.append(rows.page.status[0])
        needed = [row for row in rows.fields if row.is_required]
        known.required.update(row.name for row in needed)
        known.found.append(" ".join(row.name for row in needed if row.status == "ok"))

    def has_left(self, unit: Unit) -> bool:
        """Return whether a unit was given up."""
        return any(left.unit == unit for left in self._left)

    def leave(self, unit: Unit, failure: Failure) -> None:
        """Give a unit up for this pass, and forget what was taken up of it."""
        self._left.append(Left(unit=unit, failure=failure))
        mine = {origin.source_id for origin in unit.origins}
        pages = range(unit.first_page, unit.first_page + unit.n_pages)
        self._pages = [row for row in self._pages if row.source_id not in mine or row.page_index not in pages]
        self._fields = [row for row in self._fields if row.source_id not in mine or row.page_index not in pages]
        self._final = [row for row in self._final if row.source_id not in mine or row.page_index not in pages]
        self._ranges = [known for known in self._ranges if known.unit != unit]
        for source_id in mine:
            self._latest.pop(source_id, None)

    def stage(self, tally: Tally, engine: str | None, at: datetime) -> StagedPart:
        """Write the rows, and return the report that a commit needs; the marker goes, as nothing is in flight any more."""
        if self._pages:
            for dataset, table in (("pages", to_table(self._pages, PageRow)), ("fields", to_table(self._fields, FieldRow))):
                self._store.write(self._places.file(staged(self.part_id, dataset)), parquet_bytes(table))
        self._store.delete([self._marker])
        final = {row.page_id for row in self._final}
        return StagedPart(
            part_id=self.part_id,
            outcomes=tuple(map(_outcome, self._ranges)),
            left=tuple(self._left),
            n_fields=sum(row.page_id in final for row in self._fields),
            rejects=_rejects(self._final),
            engine=engine,
            tally=tally,
            witnessed=witnessed(row.agreement for row in self._final),
            processed_at=at,
        )

    def _range(self, unit: Unit, origin: Origin, page_index: int, tasks: tuple[str, ...], jobs: tuple[str, ...]) -> _Range:
        known = self._latest.get(origin.source_id)
        if (
            known is None
            or (known.unit, known.tasks, known.jobs) != (unit, tasks, jobs)
            or known.first_page + len(known.statuses) != page_index
        ):
            known = self._latest[origin.source_id] = _Range(unit, origin, page_index, tasks, jobs)
            self._ranges.append(known)
        return known


def _outcome(known: _Range) -> UnitOutcome:
    return UnitOutcome(
        source_id=known.origin.source_id,
        document_id=known.unit.document_id,
        first_page=known.first_page,
        n_pages=len(known.statuses),
        statuses="".join(known.statuses),
        tasks=known.tasks,
        jobs=known.jobs,
        required=tuple(sorted(known.required)),
        found=tuple(known.found) if known.required else (),
    )


def _rejects(pages: Sequence[PageRow]) -> tuple[Reject, ...]:
    found: dict[tuple[str, str], Reject] = {}
    for page in pages:
        for failure in page.failures:
            key = (failure.stage, failure.code)
            first = Reject(
                stage=failure.stage,
                code=failure.code,
                count=0,
                example_uri=page.source_uri,
                example_page=page.page_index,
                message=failure.message,
            )
            known = found.get(key, first)
            found[key] = known.model_copy(update={"count": known.count + 1})
    return tuple(found.values())
