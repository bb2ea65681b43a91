"""Files of a dataset made from parts and other files: rows that still hold, sorted, in one zstd Parquet file.

It knows which rows to keep from the ranges it is given, and nothing of runs or commits.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
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
_PAGES_PER_SOURCE = 2**32


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
    """Return the rows whose page lies in one of the ranges of its source, of which no two overlap."""
    if not len(rows) or not len(ranges):
        return rows.slice(0, 0)
    sources = ranges["source_id"].unique()
    starts = _places(ranges["source_id"], ranges["first_page"], sources)
    ends = starts + ranges["n_pages"].to_numpy()
    pages = _places(rows["source_id"], rows["page_index"], sources)
    order = np.argsort(starts)
    before = order[np.searchsorted(starts, pages, side="right", sorter=order) - 1]  # the last that starts there or earlier
    held = (starts[before] <= pages) & (pages < ends[before])
    return rows if held.all() else rows.filter(pa.array(held))


def _places(source_ids: pa.ChunkedArray, pages: pa.ChunkedArray, sources: pa.Array) -> npt.NDArray[np.int64]:
    """Return pages as numbers of one line on which sources lie one behind another; before all of them, where a source is not known."""
    numbers = np.asarray(pc.fill_null(pc.index_in(source_ids, sources), -1), np.int64)
    return numbers * _PAGES_PER_SOURCE + np.asarray(pages, np.int64)
