"""Read a sink's datasets as they are at one moment, also while runs are at work on it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, overload

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.answers import answers
from pipeline.errors import JobError, ObjectMissing
from pipeline.frames import Frame, framed
from pipeline.ledger import ATTEMPTS_TO_READ, Ledger
from pipeline.merge import kept
from pipeline.places import Places, fields_beside
from pipeline.register import document_rows, judge
from pipeline.runs import require_sink
from pipeline.storage import Store, open_store
from schemas.arrow import DATASETS, schema_of

Dataset = Literal["documents", "pages", "fields", "answers"]

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]  # its stubs are a package of their own
    import polars as pl

_RANGES = """
SELECT pages_file, source_id, first_page, n_pages FROM cover
SEMI JOIN (SELECT source_id FROM source WHERE is_live) USING (source_id) ORDER BY pages_file
"""


@overload
def read(
    sink_uri: str, dataset: Dataset = ..., *, columns: Sequence[str] | None = ..., frame: Literal["arrow"] = ...
) -> pa.Table: ...
@overload
def read(
    sink_uri: str, dataset: Dataset = ..., *, columns: Sequence[str] | None = ..., frame: Literal["polars"]
) -> "pl.DataFrame": ...
@overload
def read(
    sink_uri: str, dataset: Dataset = ..., *, columns: Sequence[str] | None = ..., frame: Literal["pandas"]
) -> "pd.DataFrame": ...
def read(sink_uri: str, dataset: Dataset = "pages", *, columns: Sequence[str] | None = None, frame: Frame = "arrow") -> object:
    """Return all rows that hold now: every page once, of the latest whole version of every source object.

    `columns` names those to return, in their order; the rest of a large sink takes no memory then. `frame` says as what: a pyarrow Table, or a
    DataFrame of Polars or pandas, where that is installed (else JobError says what to install). Raises JobError where no run has been.
    "answers" has a row for each document and field: the one page's answer that was chosen, and by which rule (pipeline.answers).
    Plain globs over the Parquet files give the same between runs; during one they may show a page twice or a moment late.
    """
    if dataset != "answers" and dataset not in DATASETS:
        raise JobError(f"no dataset is called {dataset}; there are {', '.join(DATASETS)} and answers")
    if dataset == "answers":
        return framed(_only(answers(_table(sink_uri, "fields", None)), columns), frame)
    return framed(_only(_table(sink_uri, dataset, columns), columns), frame)


def _only(table: pa.Table, columns: Sequence[str] | None) -> pa.Table:
    if unknown := sorted(set(columns or ()) - set(table.column_names)):
        raise JobError(f"no column is called {', '.join(unknown)}; there are {', '.join(table.column_names)}")
    return table if columns is None else table.select(list(columns))


def _table(sink_uri: str, dataset: Dataset, columns: Sequence[str] | None) -> pa.Table:
    store, places = open_store(sink_uri), Places(sink_uri)
    with Ledger(store, places, run_id="read") as ledger:
        require_sink(ledger, store, places)
        for _ in range(ATTEMPTS_TO_READ - 1):
            try:
                return _rows(ledger, store, places, dataset, columns)
            except ObjectMissing:
                # A publication moved the rows to another file between our look at the ledger and our reading.
                ledger.reload()
        return _rows(ledger, store, places, dataset, columns)


def _rows(ledger: Ledger, store: Store, places: Places, dataset: Dataset, columns: Sequence[str] | None) -> pa.Table:
    if dataset == "documents":
        judge(ledger)
        return document_rows(ledger)
    ranges = ledger.table(_RANGES)
    tables = [schema_of(DATASETS[dataset]).empty_table()]
    for file in ranges["pages_file"].unique().to_pylist():
        mine = ranges.filter(pc.field("pages_file") == file)
        rows = kept(store, places, file if dataset == "pages" else fields_beside(file), mine)
        tables.append(rows if columns is None else rows.select([name for name in rows.column_names if name in columns]))
    return pa.concat_tables(tables, promote_options="permissive")
