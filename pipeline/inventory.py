"""Inventory files: lists of objects that stand in for a listing, as CSV (plain or gzip) or Parquet, local or on S3.

Two kinds of columns, in any order, upper or lower case, with or without underscores:

    bucket, key, size, last_modified[_date], etag, is_latest, is_delete_marker   as S3 Inventory writes them; in CSV, keys are url-encoded
    uri, size[_bytes], version (or etag), modified_at                            one's own; uris are verbatim

A CSV without a header is read as bucket, key, size, last modified, etag, of which the last three may be absent, or as one uri a line. S3
Inventory's own manifest.json names the columns and the files, and is the best one to give. An object without a version comes with version "".
"""

import csv
import gzip
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from pathlib import Path
from urllib.parse import unquote_plus

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, TypeAdapter, ValidationError

from pipeline.errors import JobError, StorageError
from pipeline.storage import Store, StoredObject, canonical
from schemas.shape import Shape

_NAMES = {
    "uri": "uri", "bucket": "bucket", "key": "key", "size": "size", "sizebytes": "size", "lastmodified": "modified_at",
    "lastmodifieddate": "modified_at", "modifiedat": "modified_at", "etag": "version", "version": "version", "islatest": "is_latest",
    "isdeletemarker": "is_deleted", "deletemarker": "is_deleted",
}  # fmt: skip
_WITHOUT_HEADER = ("bucket", "key", "size", "modified_at", "version")
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
_ROWS_AT_ONCE = 10_000

Row = dict[str, object]


def read_inventory(store: Store, uri: str) -> Iterator[StoredObject]:
    """Yield what an inventory lists, in its order, as often as it lists it; raise JobError where it cannot be understood."""
    if uri.endswith(".json"):
        yield from _manifest(store, uri)
    else:
        yield from _file(store, uri, None)


class _ManifestFile(Shape, extra="ignore"):
    key: str


class _Manifest(Shape, extra="ignore"):
    """The parts of S3 Inventory's manifest.json that are needed."""

    bucket: str = Field(alias="destinationBucket", pattern=r"^(arn:[a-z-]+:s3:::)?[^/:]+$")
    format: str = Field(alias="fileFormat")
    columns: str = Field(alias="fileSchema")
    files: tuple[_ManifestFile, ...]


def _manifest(store: Store, uri: str) -> Iterator[StoredObject]:
    try:
        manifest = TypeAdapter(_Manifest).validate_json(store.read(uri))
    except ValidationError as exc:
        raise JobError(f"{uri}: not a manifest.json of S3 Inventory: {exc.errors()[0]['msg']}") from exc
    if manifest.format.upper() not in {"CSV", "PARQUET"}:
        raise JobError(f"{uri}: an inventory in {manifest.format}; have S3 write it as CSV or Parquet")
    columns = [name.strip() for name in manifest.columns.split(",")] if manifest.format.upper() == "CSV" else None
    for file in manifest.files:
        yield from _file(store, f"s3://{manifest.bucket.rpartition(':')[2]}/{file.key}", columns)


def _file(store: Store, uri: str, columns: Sequence[str] | None) -> Iterator[StoredObject]:
    with tempfile.TemporaryDirectory(prefix="pagemill-inventory-") as folder:
        path = Path(folder) / "inventory"
        store.fetch(uri, None, path)
        with path.open("rb") as file:
            start = file.read(4)
        rows = (
            _parquet_rows(path, uri)
            if start == _PARQUET
            else _csv_rows(path, uri, zipped=start.startswith(_GZIP), columns=columns)
        )
        for number, row in enumerate(rows, start=1):
            try:
                found = _stored(row)
            except (ValueError, StorageError) as exc:
                raise JobError(f"{uri}: entry {number} cannot be understood: {exc}") from exc
            if found:
                yield found


def _csv_rows(path: Path, uri: str, *, zipped: bool, columns: Sequence[str] | None) -> Iterator[Row]:
    try:
        with (
            path.open("rb") as raw,
            io.TextIOWrapper(gzip.GzipFile(fileobj=raw) if zipped else raw, "utf-8-sig", newline="") as file,
        ):
            lines: Iterator[list[str]] = csv.reader(file)
            first = next(lines, [])
            if columns is None and _names(first) & {"uri", "key"}:
                columns = first
            else:
                lines = chain([first], lines)
            columns = columns or (["uri"] if len(first) == 1 else _WITHOUT_HEADER)
            for line in filter(None, lines):
                row = _named(zip(columns, line, strict=False))
                if "key" in row:
                    row["key"] = unquote_plus(str(row["key"]))
                yield row
    except (csv.Error, UnicodeDecodeError, EOFError, gzip.BadGzipFile) as exc:
        raise JobError(f"{uri}: neither CSV in UTF-8 nor Parquet: {exc}") from exc


def _parquet_rows(path: Path, uri: str) -> Iterator[Row]:
    try:
        with pq.ParquetFile(path) as file:
            columns = [name for name in file.schema_arrow.names if _names([name])]
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=columns):
                for row in batch.to_pylist():
                    yield _named(row.items())
    except pa.ArrowException as exc:
        raise JobError(f"{uri}: damaged Parquet: {exc}") from exc


def _names(columns: Iterable[str]) -> set[str]:
    return {_NAMES[plain] for column in columns if (plain := _plain(column)) in _NAMES}


def _named(cells: Iterable[tuple[str, object]]) -> Row:
    """Return what was said of one object, by our names; empty cells say nothing."""
    return {
        _NAMES[plain]: value
        for column, value in cells
        if value is not None and value != "" and (plain := _plain(column)) in _NAMES
    }


@cache
def _plain(column: str) -> str:
    return re.sub(r"[^a-z]", "", column.lower())


def _stored(row: Row) -> StoredObject | None:
    """Return the object of a row, or None of one that is no object any more, is not the newest version, or only marks a folder."""
    if _is(row, "is_deleted", default=False) or not _is(row, "is_latest", default=True):
        return None
    uri = _uri(row)
    size_bytes = int(str(row.get("size", 0)))
    if uri.endswith("/") and not size_bytes:
        return None
    return StoredObject(uri, str(row.get("version", "")).strip('"'), size_bytes, _time(row.get("modified_at")))


def _uri(row: Row) -> str:
    if "uri" in row:
        uri = str(row["uri"])
        if "://" not in uri and not uri.startswith("/"):
            raise ValueError(f"{uri!r} is neither a uri nor an absolute path")
        return canonical(uri)
    if "bucket" not in row or "key" not in row:
        raise ValueError("it has neither a uri nor a bucket and a key")
    return f"s3://{row['bucket']}/{row['key']}"


def _is(row: Row, name: str, *, default: bool) -> bool:
    return str(row.get(name, default)).lower() in {"true", "1"}


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
