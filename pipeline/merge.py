"""Files of a dataset made from parts and other files: rows that still hold, sorted, in one zstd Parquet file.

It knows which rows to keep from the ranges it is given, and nothing of runs or commits.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.parquet import read_parquet
from pipeline.places import Places
from pipeline.storage import Store

ROWS_PER_GROUP = 8192  # readers skip groups by source_uri
SORTED_BY = {
    "documents": ("source_uri",),
    "pages": ("source_uri", "page_index"),
    "fields": ("source_uri", "page_index", "name"),
}


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written."""

    n_rows: int
    n_bytes: int


def kept(store: Store, places: Places, file: str, ranges: pa.Table) -> pa.Table:
    """Return the rows of a file of pages/ or fields/ that lie in the ranges (columns source_id, first_page, n_pages).

    Files are named relative to the sink.
    """
    return _kept(read(store, places, file), ranges)


def write(
    store: Store, places: Places, dataset: str, tables: Sequence[pa.Table], output: str, schema: pa.Schema | None = None
) -> Written:
    """Write tables of a dataset, of any schema version, as one sorted file; in exactly this schema, where one is given."""
    rows = pa.concat_tables(tables, promote_options="permissive")
    rows = rows.sort_by([(column, "ascending") for column in SORTED_BY[dataset]])
    rows = rows if schema is None else conform(rows, schema)
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd", row_group_size=ROWS_PER_GROUP)
    data = buffer.getvalue()
    store.write(places.file(output), data)
    return Written(len(rows), len(data))


def conform(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows of any schema version in exactly this schema, which knows all of their columns; what they lack is null."""
    return pa.concat_tables([schema.empty_table(), rows], promote_options="permissive").select(schema.names).cast(schema)


def read(store: Store, places: Places, file: str) -> pa.Table:
    """Return a file's rows."""
    return read_parquet(store, places.file(file))


def _kept(rows: pa.Table, ranges: pa.Table) -> pa.Table:
    """Return the rows whose page lies in one of the ranges of its source."""
    with duckdb.connect() as connection:
        keys = rows.select(["source_id", "page_index"]).append_column("position", pa.array(range(len(rows)), pa.int64()))
        connection.register("keys", keys)
        connection.register("ranges", ranges)
        found = connection.sql(
            "SELECT DISTINCT position FROM keys JOIN ranges ON keys.source_id = ranges.source_id "
            "AND page_index >= first_page AND page_index < first_page + n_pages ORDER BY position"
        ).to_arrow_table()
    held = cast("pa.Table", found)
    return rows if len(held) == len(rows) else rows.take(held["position"])
