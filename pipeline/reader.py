"""Read a sink's datasets as they are at one moment, also while runs are at work on it."""

from typing import TYPE_CHECKING, Literal, cast, overload

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.answers import answers
from pipeline.errors import JobError, ObjectMissing
from pipeline.frames import Frame, framed
from pipeline.ledger import ATTEMPTS_TO_READ, Ledger
from pipeline.merge import kept
from pipeline.places import Places, fields_beside
from pipeline.register import document_rows, judge
from pipeline.storage import Store, open_store
from schemas.arrow import DATASETS, schema_of
from schemas.field import FieldRow
from schemas.page import PageRow

Dataset = Literal["documents", "pages", "fields", "answers"]

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]  # its stubs are a package of their own
    import polars as pl

_RANGES = """
SELECT pages_file, source_id, first_page, n_pages FROM cover
SEMI JOIN (SELECT source_id FROM source WHERE is_live) USING (source_id) ORDER BY pages_file
"""


@overload
def read(sink_uri: str, dataset: Dataset = ..., *, frame: Literal["arrow"] = ...) -> pa.Table: ...
@overload
def read(sink_uri: str, dataset: Dataset = ..., *, frame: Literal["polars"]) -> "pl.DataFrame": ...
@overload
def read(sink_uri: str, dataset: Dataset = ..., *, frame: Literal["pandas"]) -> "pd.DataFrame": ...
def read(sink_uri: str, dataset: Dataset = "pages", *, frame: Frame = "arrow") -> object:
    """Return all rows that hold now: every page once, of the latest whole version of every source object.

    `frame` says as what: a pyarrow Table, or a DataFrame of Polars or pandas, where that is installed (else JobError says what to install).
    "answers" has a row for each document and field: the one page's answer that was chosen, and by which rule (pipeline.answers).
    Plain globs over the Parquet files give the same between runs; during one they may show a page twice or a moment late.
    """
    if dataset != "answers" and dataset not in DATASETS:
        raise JobError(f"no dataset is called {dataset}; there are {', '.join(DATASETS)} and answers")
    return framed(answers(_table(sink_uri, "fields")) if dataset == "answers" else _table(sink_uri, dataset), frame)


def pages_where(sink_uri: str, where: str) -> pa.Table:
    """Return source_id and page_index of the pages of which a DuckDB expression holds, over the columns of pages/ and fields/.

    Of a column that both have, the page's is meant. Raises JobError on an expression that DuckDB does not understand.
    """
    with duckdb.connect(config={"enable_external_access": False}) as connection:
        connection.register("pages", read(sink_uri, "pages"))
        connection.register("fields", read(sink_uri, "fields"))
        shared = ", ".join(sorted(set(FieldRow.model_fields) & set(PageRow.model_fields) - {"page_id"}))
        try:
            found = connection.sql(
                f"SELECT DISTINCT source_id, page_index FROM pages LEFT JOIN (SELECT * EXCLUDE ({shared}) FROM fields) "  # noqa: S608
                f"USING (page_id) WHERE ({where}) ORDER BY ALL"  # the expression is the caller's, over tables of the caller's own
            ).to_arrow_table()
        except duckdb.Error as error:
            raise JobError(f"where {where!r}: {str(error).splitlines()[0]}") from error
    return cast("pa.Table", found)


def _table(sink_uri: str, dataset: Dataset) -> pa.Table:
    store, places = open_store(sink_uri), Places(sink_uri)
    with Ledger(store, places, run_id="read") as ledger:
        for _ in range(ATTEMPTS_TO_READ - 1):
            try:
                return _rows(ledger, store, places, dataset)
            except ObjectMissing:
                # A publication moved the rows to another file between our look at the ledger and our reading.
                ledger.reload()
        return _rows(ledger, store, places, dataset)


def _rows(ledger: Ledger, store: Store, places: Places, dataset: Dataset) -> pa.Table:
    if dataset == "documents":
        judge(ledger)
        return document_rows(ledger)
    ranges = ledger.table(_RANGES)
    tables = [schema_of(DATASETS[dataset]).empty_table()]
    for file in ranges["pages_file"].unique().to_pylist():
        mine = ranges.filter(pc.field("pages_file") == file)
        tables.append(kept(store, places, file if dataset == "pages" else fields_beside(file), mine))
    return pa.concat_tables(tables, promote_options="permissive")
