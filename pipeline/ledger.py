"""What is done: every source object that was inspected, every range of pages that was committed, and the files that hold the rows.

On storage, under `_pagemill/ledger/`:

    sources/<run_id>-<n>.parquet   what an inspection found; one file a batch, never changed
    units/<run_id>-<n>.parquet     commit records; writing one is the moment at which its parts count, never changed
    snapshots/<generation>/…       both folded into one by a publication, with the file in which each range of pages now lies
    current.json                   which generation holds, and which records are in it; replaced as a whole

Many runs may add records at once; only a publication, which holds the sink's claim, moves `current.json`. Where two records
speak of the same page, the later one (by committed_at, then part_id) holds, so that no page ever counts twice.

Its tables live in DuckDB, which keeps to MEMORY and puts on disk what is more. Nothing here reads a document or a row of a dataset.
"""

import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import duckdb
import pyarrow as pa

from pipeline.errors import ObjectMissing, StorageError
from pipeline.folding import COVER, STATE
from pipeline.parquet import parquet_bytes
from pipeline.places import Places
from pipeline.storage import Store, StoredObject
from pipeline.storage.local import is_full
from schemas.arrow import schema_of, to_table
from schemas.ledger import Committed, Current, LiveFile
from schemas.shape import Shape
from schemas.source import Inspected
from schemas.unit import StagedPart

RECORDS: dict[str, type[Shape]] = {"sources": Inspected, "units": Committed}
SNAPSHOT = {"sources": "sources", "units": "cover", "files": "files"}  # a snapshot's files, and the tables that they fill
ATTEMPTS_TO_READ = 5
PAUSES_S = (0.1, 0.3, 1.0, *[3.0] * 40)  # for a store that lists late
READS_AT_ONCE = 16  # half an hour without a publication leaves hundreds of small records, each a request away
MEMORY = "4GB"

Parameters = Sequence[object] | Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Records:
    """The records there are: a generation, and names beside it. What lies under one name never changes, so the same names say the same."""

    generation: str
    names: frozenset[str]


class Ledger:
    """A sink's ledger, loaded into DuckDB, with the tables

    source  one row a known version of an object: Inspected, and covered, pages_ok/blank/partial/failed, is_whole, is_newest, is_live,
            missing: the required fields of which no page has a valid value, and row_state, row_at: what its row of documents/ says as published
    cover   one row a range of pages: Committed, and pages_file, which holds its rows, is_published; no two ranges of a source overlap
    files   the published files: LiveFile

    Made, it is empty: `reload` loads it, or entering it as a context manager, which closes it too.
    """

    def __init__(self, store: Store, places: Places, run_id: str) -> None:
        """Load nothing yet; `run_id` names the records that this process will write."""
        self._store, self._places, self._run_id = store, places, run_id
        self._scratch = tempfile.TemporaryDirectory(prefix="pagemill-ledger-", ignore_cleanup_errors=True)
        self._sql = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": self._scratch.name})
        self._sql.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        self._written = 0
        self._own = set[str]()  # names of records of this process that no listing has shown yet
        self._is_folded = False
        self._loaded: Records | None = None
        self.current = Current()
        self.unfolded: list[str] = []  # names of records that the snapshot lacks
        self.folded_and_there: list[str] = []  # names of records that it has, and that were not yet removed

    def __enter__(self) -> Self:
        try:
            self.reload()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._sql.close()
        self._scratch.cleanup()

    def reload(self) -> None:
        """Read again what storage holds, if other runs have written since; wait until it lists what this one has written."""
        self._read_again()
        for pause_s in PAUSES_S:
            if not self._unseen():
                break
            time.sleep(pause_s)
            self._read_again()
        else:  # without them, what they commit would pass for what nobody needs
            raise StorageError(
                f"{self._places.ledger()}: the store does not list what was written to it; run it again to go on"
            )
        self.fold()

    def _read_again(self) -> None:
        for attempt in range(ATTEMPTS_TO_READ):
            try:
                self._load()
                break
            except ObjectMissing as error:
                # A publication folded and removed records between our listing and our reading; the new snapshot has them.
                if attempt == ATTEMPTS_TO_READ - 1:
                    message = f"the ledger is damaged: {error}; restore it, as without it no row can be accounted for"
                    raise StorageError(message) from error

    def _unseen(self) -> set[str]:
        """Return the records of one's own that are there and are not listed yet."""
        self._own -= {*self.current.folded, *self.unfolded}
        self._own = {name for name in self._own if self._store.exists(self._places.ledger(*name.split("/")))}
        return self._own

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever recorded here: what runs found, if there were any, was nothing."""
        return not self.current.generation and not self.unfolded

    @property
    def loaded(self) -> Records | None:
        """Return which records are loaded."""
        return self._loaded

    def stored(self) -> Records:
        """Return which records storage has now."""
        return _records(self._read_current(), self._list_all())

    def fold(self) -> None:
        """Bring `cover` and `source` up to date with the records."""
        if not self._is_folded:
            self._sql.execute(COVER)
            self._sql.execute(STATE)
        self._is_folded = True

    def execute(self, query: str, parameters: Parameters = None) -> None:
        """Run a statement for its effect."""
        self._sql.execute(query, parameters)

    def rows(self, query: str, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        """Return a small result."""
        return self._sql.execute(query, parameters).fetchall()

    def table(self, query: str, parameters: Parameters = None) -> pa.Table:
        """Return a result in Arrow."""
        return cast("pa.Table", self._sql.sql(query, params=parameters).to_arrow_table())

    def batches(self, query: str, rows_per_batch: int, parameters: Parameters = None) -> Iterator[pa.RecordBatch]:
        """Yield a result in Arrow, batch by batch."""
        yield from cast("pa.RecordBatchReader", self._sql.sql(query, params=parameters).to_arrow_reader(rows_per_batch))

    def create(self, kind: str, schema: pa.Schema) -> None:
        """Start a table anew, empty."""
        self._sql.register("empty", schema.empty_table())
        self._sql.execute(f"CREATE OR REPLACE TABLE {kind} AS SELECT * FROM empty")  # noqa: S608 (kind is never input)
        self._sql.unregister("empty")

    def insert(self, kind: str, table: pa.Table) -> None:
        """Add rows to a table by its columns' names."""
        self._is_folded = self._is_folded and kind not in RECORDS
        self._sql.register("incoming", table)
        self._sql.execute(f"INSERT INTO {kind} BY NAME SELECT * FROM incoming")  # noqa: S608 (kind is never input)
        self._sql.unregister("incoming")

    def save(self, generation: str, queries: Mapping[str, str]) -> None:
        """Store a snapshot: the rows of a query for each of its files."""
        for kind, query in queries.items():
            path = Path(self._scratch.name, f"{kind}.parquet")
            self._sql.execute(f"COPY ({query}) TO {_quoted(path)} (FORMAT parquet, COMPRESSION zstd)")
            self._store.upload(path, self._places.ledger("snapshots", generation, path.name))
            path.unlink()

    def record_sources(self, rows: Sequence[Inspected]) -> None:
        """Keep what inspection found, durably."""
        if rows:
            self._record("sources", to_table(rows, Inspected))

    def commit(self, parts: Iterable[StagedPart], *, job_name: str, at: datetime) -> None:
        """Make staged parts count: one object is written, and with it all of their rows hold."""
        rows = [
            Committed(
                **dict(outcome),
                part_id=part.part_id,
                run_id=self._run_id,
                job_name=job_name,
                processed_at=part.processed_at,
                committed_at=at,
            )
            for part in parts
            for outcome in part.outcomes
        ]
        if rows:
            self._record("units", to_table(rows, Committed))

    def _record(self, kind: str, table: pa.Table) -> None:
        name = f"{self._run_id}-{self._written:06d}.parquet"
        self._written += 1
        loaded, self._loaded = self._loaded, None  # None: should Ctrl-C come half-way, all is read again, this record too
        self._store.write(self._places.ledger(kind, name), parquet_bytes(table))
        self._own.add(f"{kind}/{name}")
        self.unfolded.append(f"{kind}/{name}")
        self.insert(kind, table)
        self._loaded = loaded and replace(loaded, names=loaded.names | {f"{kind}/{name}"})

    def _load(self) -> None:
        current, found = self._read_current(), self._list_all()
        there = _records(current, found)
        if there == self._loaded:
            return
        self._loaded, self.current = None, current  # None: should reading fail half-way, the next attempt starts anew
        self._is_folded = False
        folded = set(current.folded)
        listed = {kind: [item for item in items if _name(kind, item) not in folded] for kind, items in found.items()}
        self.unfolded = [_name(kind, item) for kind, items in listed.items() for item in items]
        self.folded_and_there = [
            name for kind, items in found.items() for item in items if (name := _name(kind, item)) in folded
        ]
        self._start_tables()
        for kind, table in SNAPSHOT.items() if current.generation else ():
            self._take(table, [self._places.ledger("snapshots", current.generation, f"{kind}.parquet")])
        for kind, items in listed.items():
            self._take(kind, [item.uri for item in items])
        self._loaded = there

    def _start_tables(self) -> None:
        for table, shape in (*RECORDS.items(), ("cover", Committed), ("files", LiveFile)):
            self.create(table, schema_of(shape))
        for column in (
            "sources ADD row_state VARCHAR",
            "sources ADD row_at TIMESTAMPTZ",
            "cover ADD pages_file VARCHAR",
            "cover ADD is_published BOOLEAN",
        ):
            self._sql.execute(f"ALTER TABLE {column}")

    def _take(self, table: str, uris: Sequence[str]) -> None:
        """Add the rows of Parquet files to a table. They go by the disk, as DuckDB reads a file in pieces and Arrow all of it."""
        if not uris:
            return
        with tempfile.TemporaryDirectory(dir=self._scratch.name) as folder, ThreadPoolExecutor(READS_AT_ONCE) as pool:
            paths = [Path(folder, f"{number:06d}.parquet") for number in range(len(uris))]
            list(pool.map(lambda uri, path: self._store.fetch(uri, None, path), uris, paths))
            query = (
                f"INSERT INTO {table} BY NAME SELECT * FROM read_parquet($1, union_by_name => true, hive_partitioning => false)"  # noqa: S608
            )
            try:
                self._sql.execute(query, [list(map(str, paths))])
            except duckdb.Error as error:
                if isinstance(error, duckdb.OutOfMemoryException) or is_full(error):
                    room = "make room in TMPDIR, about 1 GB for each million units"
                    raise StorageError(
                        f"the ledger fits neither into {MEMORY} of memory nor on the disk; {room}: {error}"
                    ) from error
                uri = next((uri for uri, path in zip(uris, paths, strict=True) if path.name in str(error)), uris[0])
                raise StorageError(f"{uri} is damaged and must be restored: {error}") from error

    def _list_all(self) -> dict[str, list[StoredObject]]:
        return {kind: self._list(kind) for kind in RECORDS}

    def _list(self, kind: str) -> list[StoredObject]:
        try:
            return list(self._store.list(self._places.ledger(kind)))
        except ObjectMissing:
            return []

    def _read_current(self) -> Current:
        try:
            return Current.model_validate_json(self._store.read(self._places.ledger("current.json")))
        except ObjectMissing:
            return Current()


def _name(kind: str, item: StoredObject) -> str:
    return f"{kind}/{item.uri.rsplit('/', 1)[-1]}"


def _records(current: Current, found: Mapping[str, Sequence[StoredObject]]) -> Records:
    return Records(current.generation, frozenset(_name(kind, item) for kind, items in found.items() for item in items))


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
