"""Read a sink's datasets as they are at one moment, also while runs are at work on it."""

from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import JobError, ObjectMissing
from pipeline.ledger import ATTEMPTS_TO_READ, Ledger
from pipeline.merge import kept
from pipeline.places import Places, fields_beside
from pipeline.register import document_rows, judge
from pipeline.storage import Store, open_store
from schemas.arrow import DATASETS, schema_of

Dataset = Literal["documents", "pages", "fields"]

_RANGES = """
SELECT pages_file, source_id, first_page, n_pages FROM cover
SEMI JOIN (SELECT source_id FROM source WHERE is_live) USING (source_id) ORDER BY pages_file
"""


def read(sink_uri: str, dataset: Dataset = "pages") -> pa.Table:
    """Return all rows that hold now: every page once, of the latest whole version of every source object.

    Plain globs over the Parquet files give the same between runs; during one they may show a page twice or a moment late.
    """
    if dataset not in DATASETS:
        raise JobError(f"no dataset is called {dataset}; there are {', '.join(DATASETS)}")
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
