"""Parquet files as they lie in a store: whole tables in and out. It knows nothing of what is in them."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import StorageError
from pipeline.storage import Store


def read_parquet(store: Store, uri: str, filters: list[tuple[str, str, object]] | None = None) -> pa.Table:
    """Return a Parquet file's rows; raise StorageError where it is damaged."""
    data = store.read(uri)
    try:
        return pq.read_table(io.BytesIO(data), filters=filters)
    except (pa.ArrowException, OSError) as error:
        raise StorageError(f"{uri} is damaged and must be restored: {error}") from error


def parquet_bytes(table: pa.Table) -> bytes:
    """Return a table as one zstd Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
