"""What is done: every source object that was inspected, every range of pages that was committed, and the files that hold the rows.

On storage, under `_pagemill/ledger/`:

    sources/<run_id>-<n>.parquet   what an inspection found; one file a batch, never changed
    units/<run_id>-<n>.parquet     commit records; writing one is the moment at which its parts count, never changed
    snapshots/<generation>/…       both folded into one by a publication, with the file in which each range of pages now lies
    current.json                   which generation holds, and which records are in it; replaced as a whole

Many runs may add records at once; only a publication, which holds the sink's claim, moves `current.json`. Where two records
speak of the same page, the later one (by committed_at, then part_id) holds, so that no page ever counts twice.

The folding is SQL in DuckDB, which spills to disk what memory does not hold. Nothing here reads a document or a row of a dataset.
"""

import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import ObjectMissing, StorageError
from pipeline.places import Places, staged
from pipeline.storage import Store, StoredObject
from schemas.arrow import schema_of, to_table
from schemas.ledger import Committed, Current, LiveFile
from schemas.shape import Shape
from schemas.source import Inspected
from schemas.unit import StagedPart

RECORDS: dict[str, type[Shape]] = {"sources": Inspected, "units": Committed}
ATTEMPTS_TO_READ = 5
READS_AT_ONCE = 16  # half an hour without a publication leaves hundreds of small records, each a request away

Parameters = Sequence[object] | Mapping[str, object] | None

# One range a page: ranges that overlap are cut up into pages, the latest record of each page is kept, and neighbours of one
# record are joined again. Sources without overlaps, which are nearly all, take the short way; what is published never overlaps, so
# that sources with nothing new are not even looked at.
_COVER = """
CREATE OR REPLACE TEMP TABLE cover AS
WITH moved AS (
    SELECT DISTINCT source_id FROM units WHERE NOT is_published
), marked AS (
    SELECT *, first_page < coalesce(max(first_page + n_pages) OVER (
        PARTITION BY source_id ORDER BY first_page, n_pages ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS is_tangled
    FROM units SEMI JOIN moved USING (source_id)
), tangled AS (
    SELECT DISTINCT source_id FROM marked WHERE is_tangled
), page AS (
    SELECT *, unnest(range(first_page, first_page + n_pages)) AS page_index
    FROM units SEMI JOIN tangled USING (source_id)
), latest AS (
    SELECT * FROM page
    QUALIFY row_number() OVER (PARTITION BY source_id, page_index ORDER BY committed_at DESC, part_id DESC) = 1
), island AS (
    SELECT *, page_index - row_number() OVER (PARTITION BY source_id, part_id, first_page ORDER BY page_index) AS island FROM latest
)
SELECT * FROM units ANTI JOIN tangled USING (source_id)
UNION ALL BY NAME
SELECT
    source_id, any_value(document_id) AS document_id, min(page_index) AS first_page, count(*) AS n_pages,
    string_agg(statuses[page_index - first_page + 1], '' ORDER BY page_index) AS statuses,
    any_value(tasks) AS tasks, any_value(jobs) AS jobs, part_id,
    any_value(required) AS required, if(length(any_value(required)) > 0, list(found[page_index - first_page + 1] ORDER BY page_index), []) AS found,
    any_value(run_id) AS run_id, any_value(job_name) AS job_name, any_value(processed_at) AS processed_at, any_value(committed_at) AS committed_at,
    any_value(pages_file) AS pages_file, any_value(is_published) AS is_published
FROM island GROUP BY source_id, part_id, first_page, island
"""

# A version of an object shows its rows once it is whole, and until a later version of the same object is whole; none does after the
# object was dropped.
_STATE = """
CREATE OR REPLACE TEMP TABLE source AS
WITH word AS (
    SELECT * EXCLUDE (row_state, row_at),
        max(row_state) OVER (PARTITION BY source_id) AS row_state, max(row_at) OVER (PARTITION BY source_id) AS row_at
    FROM sources QUALIFY row_number() OVER (PARTITION BY source_id ORDER BY recorded_at DESC, run_id DESC) = 1
), covered AS (
    SELECT source_id, sum(n_pages) AS covered, max(committed_at) AS committed_at,
        sum(length(statuses) - length(replace(statuses, 'o', ''))) AS pages_ok,
        sum(length(statuses) - length(replace(statuses, 'b', ''))) AS pages_blank,
        sum(length(statuses) - length(replace(statuses, 'p', ''))) AS pages_partial,
        sum(length(statuses) - length(replace(statuses, 'f', ''))) AS pages_failed,
        flatten(list(required) FILTER (length(required) > 0)) AS required,
        string_split(array_to_string(flatten(list(found) FILTER (length(required) > 0)), ' '), ' ') AS found
    FROM cover GROUP BY source_id
), whole AS (
    SELECT word.*, coalesce(covered.covered, 0) AS covered, covered.committed_at,
        coalesce(pages_ok, 0) AS pages_ok, coalesce(pages_blank, 0) AS pages_blank,
        coalesce(pages_partial, 0) AS pages_partial, coalesce(pages_failed, 0) AS pages_failed,
        page_count IS NULL OR coalesce(covered.covered, 0) >= page_count AS is_whole,
        coalesce(list_sort(list_filter(list_distinct(required), lambda name: NOT list_contains(found, name))), []) AS missing
    FROM word LEFT JOIN covered USING (source_id)
), newest AS (
    SELECT uri, arg_max(source_id, (recorded_at, run_id)) AS newest_id,
        arg_max(source_id, (recorded_at, run_id)) FILTER (is_whole) AS live_id,
        arg_max(coalesce(is_dropped, false), (recorded_at, run_id)) AS is_removed
    FROM whole GROUP BY uri
)
SELECT whole.*, source_id = newest_id AS is_newest, NOT is_removed AND coalesce(source_id = live_id, false) AS is_live, is_removed
FROM whole JOIN newest USING (uri)
"""


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
        self._sql = duckdb.connect()
        self._sql.execute("SET temp_directory = $1", [self._scratch.name])
        self._sql.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        self._written = 0
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
        """Read again what storage holds, if other runs have written since."""
        for attempt in range(ATTEMPTS_TO_READ):
            try:
                self._load()
                break
            except ObjectMissing as error:
                # A publication folded and removed records between our listing and our reading; the new snapshot has them.
                if attempt == ATTEMPTS_TO_READ - 1:
                    message = f"the ledger is damaged: {error}; restore it, as without it no row can be accounted for"
                    raise StorageError(message) from error
        self.fold()

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
            self._sql.execute(_COVER)
            self._sql.execute(_STATE)
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

    def record_sources(self, rows: Sequence[Inspected]) -> None:
        """Keep what inspection found, durably."""
        if rows:
            table = to_table(rows, Inspected)
            self._write("sources", table)
            self._insert("sources", table)

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
            table = to_table(rows, Committed)
            self._write("units", table)
            self._insert("units", table)

    def _load(self) -> None:
        current, found = self._read_current(), self._list_all()
        there = _records(current, found)
        if there == self._loaded:
            return
        self._loaded, self.current = None, current  # None: should reading fail half-way, the next attempt starts anew
        folded = set(current.folded)
        listed = {kind: [item for item in items if _name(kind, item) not in folded] for kind, items in found.items()}
        self.unfolded = [_name(kind, item) for kind, items in listed.items() for item in items]
        self.folded_and_there = [
            name for kind, items in found.items() for item in items if (name := _name(kind, item)) in folded
        ]
        self._start_tables()
        with ThreadPoolExecutor(READS_AT_ONCE) as pool:
            for kind, items in listed.items():
                tables = list(pool.map(self._read_table, [item.uri for item in items]))
                if tables:
                    self._insert(kind, pa.concat_tables(tables, promote_options="permissive"))
        self._loaded = there

    def _start_tables(self) -> None:
        generation = self.current.generation
        for kind, shape in (*RECORDS.items(), ("files", LiveFile)):
            self.create(kind, schema_of(shape))
        for column in (
            "sources ADD row_state VARCHAR",
            "sources ADD row_at TIMESTAMPTZ",
            "units ADD pages_file VARCHAR",
            "units ADD is_published BOOLEAN",
        ):
            self._sql.execute(f"ALTER TABLE {column}")
        if generation:
            for kind in (*RECORDS, "files"):
                self.insert(kind, self._read_table(self._places.ledger("snapshots", generation, f"{kind}.parquet")))

    def _insert(self, kind: str, records: pa.Table) -> None:
        if kind == "units":
            pages = [staged(part_id, "pages") for part_id in records["part_id"].to_pylist()]
            records = records.append_column("pages_file", pa.array(pages, pa.string()))
            records = records.append_column("is_published", pa.array([False] * len(records), pa.bool_()))
        self.insert(kind, records)

    def _write(self, kind: str, table: pa.Table) -> None:
        name = f"{self._run_id}-{self._written:06d}.parquet"
        self._written += 1
        self._store.write(self._places.ledger(kind, name), parquet_bytes(table))
        if self._loaded:
            self._loaded = replace(self._loaded, names=self._loaded.names | {f"{kind}/{name}"})
        self.unfolded.append(f"{kind}/{name}")

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

    def _read_table(self, uri: str) -> pa.Table:
        return read_parquet(self._store, uri)


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


def _name(kind: str, item: StoredObject) -> str:
    return f"{kind}/{item.uri.rsplit('/', 1)[-1]}"


def _records(current: Current, found: Mapping[str, Sequence[StoredObject]]) -> Records:
    return Records(current.generation, frozenset(_name(kind, item) for kind, items in found.items() for item in items))
