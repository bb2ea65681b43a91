"""List: the objects of a source, from a listing of its folder or from an inventory file, and Parquet manifest shards of them.

Nothing is held but one batch (and, for a sample, the sample): 10^6 objects cost no more memory than 10^4. No object is opened.
"""

import hashlib
import heapq
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import AccessDenied, ObjectMissing
from pipeline.globs import matcher
from pipeline.inventory import read_inventory
from pipeline.storage import Store, StoredObject, canonical, join, open_store
from pipeline.storage.uris import local_path
from schemas.job import Source
from schemas.source import SourceObject, identity

MANIFEST = pa.schema(
    [
        ("source_id", pa.string()),
        ("uri", pa.string()),
        ("version", pa.string()),
        ("size_bytes", pa.int64()),
        ("modified_at", pa.timestamp("us", tz="UTC")),
    ]
)
_STORED = pa.schema([*MANIFEST][1:])
_DATASETS = ("documents", "pages", "fields")
_HEADS_AT_ONCE = 16
_ROWS_AT_ONCE = 10_000

T = TypeVar("T")


def list_source(
    source: Source,
    *,
    shard: tuple[int, int] = (0, 1),
    limit: int | None = None,
    sample: int | None = None,
    seed: int = 0,
    sink_uri: str | None = None,
) -> Iterator[SourceObject]:
    """Yield a source's objects, each once, sorted by uri.

    `shard` (k, n) takes those whose uri's hash is k modulo n, so that an object stays in its shard whatever else comes or goes. `sample`
    takes that many at random, the same ones for the same seed; then `limit` takes the first ones. What a sink in or at the source holds
    of our own is left out. With an inventory, only what it lists below `source.uri` counts ("s3://" and "/" are above everything); where it
    has no version, the store is asked for it, one request an object; what is no longer there keeps version "", and is refused when opened.
    """
    store = open_store(source.uri)
    found = _from_inventory(source) if source.inventory else store.list(source.uri)
    chosen: Iterator[StoredObject] = filter(_wanted(source, sink_uri), found)
    if shard[1] > 1:
        chosen = filter(lambda item: in_shard(item.uri, shard), chosen)
    if sample is not None:
        chosen = iter(_sample(chosen, sample, seed))
    chosen = islice(chosen, limit)
    if source.inventory:
        chosen = _with_versions(chosen)
    for item in chosen:
        yield SourceObject(uri=item.uri, version=item.version, size_bytes=item.size_bytes, modified_at=item.modified_at)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was listed: shards (columns of MANIFEST) in order, how many objects they hold, and a digest that is the same for the same objects."""

    shards: tuple[str, ...]
    objects: int
    digest: str


def write_manifest(objects: Iterable[SourceObject], store: Store, folder_uri: str, rows_per_shard: int = 50_000) -> Manifest:
    """Write objects as manifest shards; no objects make no shard."""
    shards: list[str] = []
    count, digest = 0, hashlib.sha256()
    for batch in _batches(objects, rows_per_shard):
        rows = ((identity(o.uri, o.version), o.uri, o.version, o.size_bytes, o.modified_at) for o in batch)
        table = _table(rows, MANIFEST)
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        shards.append(join(folder_uri, f"manifest-{len(shards):06d}.parquet"))
        store.write(shards[-1], buffer.getvalue())
        count += len(batch)
        digest.update(buffer.getbuffer())
    return Manifest(tuple(shards), count, digest.hexdigest())


def in_shard(uri: str, shard: tuple[int, int]) -> bool:
    """Return whether an object belongs to the shard (k from 0, n)."""
    return _hash(uri) % shard[1] == shard[0]


def _wanted(source: Source, sink_uri: str | None) -> Callable[[StoredObject], bool]:
    """Return whether an object is one of the source's documents: below it, included, not excluded, and not our own."""
    base = _path(canonical(source.uri))
    prefix = base if base.endswith("/") else f"{base}/"
    own = _own(prefix, sink_uri) if sink_uri else lambda _: False
    included = matcher(source.include) if source.include else lambda _: True
    excluded = matcher(source.exclude)

    def wanted(item: StoredObject) -> bool:
        path = _path(item.uri)
        if path == base:
            name = path.rpartition("/")[2]
        elif path.startswith(prefix):
            name = path[len(prefix) :]
        else:
            return False
        return included(name) and not excluded(name) and not own(path)

    return wanted


def _own(source_prefix: str, sink_uri: str) -> Callable[[str], bool]:
    """Return whether a path is an output of ours: anything in a sink below the source; beside documents only what is named as outputs are."""
    sink = _path(canonical(sink_uri)).rstrip("/") + "/"
    if sink.startswith(source_prefix) and sink != source_prefix:
        return lambda path: path.startswith(sink)
    folders = ("processed_date=", "data/processed_date=", "metadata/")
    outputs = (f"{sink}_", f"{sink}catalog.db", *(f"{sink}{name}/{folder}" for name in _DATASETS for folder in folders))
    return lambda path: path.startswith(outputs)


def _path(uri: str) -> str:
    """Return the text that globs and prefixes see: a local path even of a name that is not UTF-8."""
    return local_path(uri) if uri.startswith("file://") else uri


def _from_inventory(source: Source) -> Iterator[StoredObject]:
    """Yield the objects of an inventory, sorted, each once: DuckDB sorts on disk what memory should not hold."""
    uri = source.inventory or ""
    with (
        tempfile.TemporaryDirectory(prefix="pagemill-listing-") as folder,
        duckdb.connect(f"{folder}/inventory.duckdb", config={"memory_limit": "200MB", "threads": 1}) as connection,
    ):
        connection.execute(
            "SET TimeZone = 'UTC'; SET enable_progress_bar = false; "
            "CREATE TABLE listed (uri VARCHAR, version VARCHAR, size_bytes BIGINT, modified_at TIMESTAMPTZ)"
        )
        for batch in _batches(read_inventory(open_store(uri), uri), _ROWS_AT_ONCE):
            table = _table(((o.uri, o.version, o.size_bytes, o.modified_at) for o in batch), _STORED)
            connection.register("batch", table)
            connection.execute("INSERT INTO listed SELECT * FROM batch")
            connection.unregister("batch")
        previous = None
        rows = connection.sql("SELECT * FROM listed ORDER BY uri, modified_at DESC NULLS LAST, version")
        for some in rows.to_arrow_reader(_ROWS_AT_ONCE):
            for row in some.to_pylist():
                if row["uri"] != previous:
                    yield StoredObject(**row)
                previous = row["uri"]


def _table(rows: Iterable[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)], schema=schema
    )


def _with_versions(objects: Iterable[StoredObject]) -> Iterator[StoredObject]:
    """Ask the store for what an inventory does not say, several at a time."""
    with ThreadPoolExecutor(_HEADS_AT_ONCE) as pool:
        stores = {True: open_store("s3://"), False: open_store("/")}

        def asked(item: StoredObject) -> StoredObject:
            try:
                return stores[item.uri.startswith("s3://")].stat(item.uri)
            except (ObjectMissing, AccessDenied):
                return item

        for batch in _batches(objects, _ROWS_AT_ONCE):
            unknown = [item for item in batch if not item.version]
            learnt = dict(zip((item.uri for item in unknown), pool.map(asked, unknown), strict=True))
            yield from (learnt.get(item.uri, item) for item in batch)


def _sample(objects: Iterable[StoredObject], size: int, seed: int) -> list[StoredObject]:
    """Return the objects whose seeded hashes are the smallest, sorted by uri: at random, and yet the same ones tomorrow."""
    return sorted(heapq.nsmallest(size, objects, key=lambda item: _hash(f"{seed}\0{item.uri}")), key=lambda item: item.uri)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := [*islice(remaining, size)]:
        yield batch
