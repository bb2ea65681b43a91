"""Rows on their way to the workers: Parquet files of a bounded number of rows, so that the driver holds only one at a time."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from pipeline.parquet import parquet_bytes
from pipeline.storage import Store, join


@dataclass(frozen=True, slots=True)
class Shards:
    """Files of rows, in order, and how many rows they hold together."""

    uris: tuple[str, ...]
    rows: int


def write_shards(store: Store, folder_uri: str, batches: Iterable[pa.RecordBatch]) -> Shards:
    """Write each batch of rows as one file below the folder; no rows make no file."""
    uris: list[str] = []
    rows = 0
    for batch in batches:
        if batch.num_rows:
            uris.append(join(folder_uri, f"{len(uris):06d}.parquet"))
            store.write(uris[-1], parquet_bytes(pa.Table.from_batches([batch])))
            rows += batch.num_rows
    return Shards(tuple(uris), rows)
