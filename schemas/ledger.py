"""The ledger's own records, as they are stored under `_pagemill/ledger/`."""

from datetime import datetime

from schemas.shape import Shape
from schemas.unit import UnitOutcome


class Committed(UnitOutcome):
    """One origin's pages of a unit, committed with the part that holds their rows."""

    part_id: str
    run_id: str
    job_name: str
    processed_at: datetime
    committed_at: datetime


class LiveFile(Shape):
    """A published file of a dataset; `file` is relative to the sink."""

    dataset: str
    file: str
    processed_date: str
    n_rows: int
    n_bytes: int


class Current(Shape):
    """Which snapshot holds, and the names of the records that it contains. `generation` is "" before the first publication."""

    generation: str = ""
    folded: tuple[str, ...] = ()
