"""Tables whose data files are the very Parquet files that the ledger names.

The ledger says which files hold the rows, and the tables follow it: what a table's snapshot lacks is added and what the ledger has
dropped is taken out, in one commit a table. So a publication that was cut off needs no undoing: the next one finds the difference and
commits it, and no snapshot ever shows a page twice or not at all. Every snapshot names the ledger's generation that it shows.

The SQLite catalog lies beside the tables as one object, on any store, and is replaced as a whole: with it, all three tables move at
once. In a REST or Glue catalog they move one after the other. Files that older snapshots still need stay until those expire, by
default after seven days (the table property `history.expire.max-snapshot-age-ms`). The tables are for others to read, not to write.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import pyarrow as pa
from pyiceberg import exceptions
from pyiceberg.catalog import Catalog as IcebergCatalog
from pyiceberg.catalog import load_catalog
from pyiceberg.io.pyarrow import parquet_file_to_data_file
from pyiceberg.manifest import DataFile, ManifestFile
from pyiceberg.table import Table
from pyiceberg.transforms import DayTransform

from pipeline.errors import ObjectMissing, StorageError
from pipeline.lake.arrow import arrow_schema
from pipeline.lake.files import STORE, StoreIO, location
from pipeline.lake.refusals import translated
from pipeline.places import Places
from pipeline.storage import Store, join
from schemas.arrow import DATASETS, schema_of
from schemas.job import Catalog

CATALOG_NAME = "pagemill"
GENERATION, RUN = "pagemill.generation", "pagemill.run-id"
_ORDER = ("pages", "fields", "documents")  # a document shows once its pages do
_AGE = "history.expire.max-snapshot-age-ms"
_PROPERTIES = {
    _AGE: str(7 * 24 * 3600 * 1000),
    "commit.manifest-merge.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "write.parquet.compression-codec": "zstd",
}


class Lake:
    """A sink's tables; a context manager, which opens its catalog. Whoever changes them holds the sink's claim on publications."""

    def __init__(self, store: Store, places: Places, catalog: Catalog) -> None:
        self._store, self._places, self._settings = store, places, catalog
        self._root = location(places.sink_uri)
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._catalog: IcebergCatalog | None = None
        self._tables: dict[str, Table | None] = {}
        self._catalog_before = b""

    def __enter__(self) -> Self:
        self._scratch = tempfile.TemporaryDirectory(prefix="pagemill-catalog-", ignore_cleanup_errors=True)
        try:
            with translated():
                self._catalog = load_catalog(CATALOG_NAME, **self._properties())
                self._tables = {dataset: self._load(dataset) for dataset in _ORDER}
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def prepare(self) -> None:
        """Make the tables that are missing, and give the others the columns that they lack."""
        with translated():
            self._opened.create_namespace_if_not_exists(self._settings.namespace)
            for dataset in _ORDER:
                if (table := self._tables[dataset]) is None:
                    self._tables[dataset] = self._create(dataset)
                else:
                    with table.update_schema() as update:
                        update.union_by_name(schema_of(DATASETS[dataset]))

    def schema(self, dataset: str) -> pa.Schema:
        """Return the Arrow schema of a table's files, each field with the id by which Iceberg knows it."""
        return arrow_schema(self._table(dataset).schema())

    def folder(self, dataset: str) -> str:
        """Return the folder of a table's files, relative to the sink. Plain globs do not reach it: older snapshots' files lie there too."""
        return f"{dataset}/data"

    def follow(self, files: Mapping[str, set[str]], generation: str, run_id: str, check: Callable[[], None]) -> None:
        """Let each table show exactly these files (relative to the sink, by dataset); `check` raises where the sink's claim is lost."""
        with translated():
            moved = [dataset for dataset in _ORDER if self._move(dataset, files.get(dataset, set()), generation, run_id)]
            self._expire(datetime.now(UTC))
            check()
            self._keep_catalog()
        for dataset in moved:
            hint = Path(self._table(dataset).metadata_location).name.removesuffix(".metadata.json")
            self._store.write(join(self._places.dataset(dataset), "metadata", "version-hint.text"), hint.encode())
        if moved:
            self._remove_stray_metadata()

    def forget_history(self, check: Callable[[], None]) -> None:
        """Expire all snapshots but the present ones, so that what was dropped can be removed from storage."""
        with translated():
            self._expire(None)
            check()
            self._keep_catalog()
        self._remove_stray_metadata()

    def shown(self) -> dict[str, set[str]]:
        """Return the files that each table shows now, relative to the sink."""
        with translated():
            return {dataset: {self._relative(path) for path in self._current(dataset)} for dataset in _ORDER}

    def kept(self) -> set[str]:
        """Return the files that any snapshot still needs, relative to the sink; the tables' own metadata is not among them."""
        with translated():
            return {self._relative(path) for table in self._there() for path in _files_of(table)}

    def _move(self, dataset: str, files: set[str], generation: str, run_id: str) -> bool:
        """Commit what a table's snapshot and the ledger do not have in common, as one snapshot; return whether there was anything."""
        table, there = self._table(dataset), self._current(dataset)
        wanted = {self._location(file) for file in files}
        added = [parquet_file_to_data_file(table.io, table.metadata, path) for path in sorted(wanted - there.keys())]
        gone = [there[path] for path in sorted(there.keys() - wanted)]
        if not added and not gone:
            return False
        with table.transaction() as transaction:
            change = transaction.update_snapshot(snapshot_properties={GENERATION: generation, RUN: run_id})
            with change.overwrite() if gone else change.merge_append() as snapshot:
                for file in gone:
                    snapshot.delete_data_file(file)
                for file in added:
                    snapshot.append_data_file(file)
        return True

    def _expire(self, now: datetime | None) -> None:
        for table in self._there():
            age = timedelta(milliseconds=int(table.properties.get(_AGE, _PROPERTIES[_AGE])))
            before = datetime.now(UTC) + timedelta(days=1) if now is None else now - age
            current = table.metadata.current_snapshot_id
            old = [each.snapshot_id for each in table.snapshots() if each.timestamp_ms < before.timestamp() * 1000]
            protected = {ref.snapshot_id for ref in table.metadata.refs.values()} | {current}
            if expired := [snapshot_id for snapshot_id in old if snapshot_id not in protected]:
                table.maintenance.expire_snapshots().by_ids(expired).commit()

    def _remove_stray_metadata(self) -> None:
        """Remove metadata that no table reaches any more, of expired snapshots and of commits that were cut off."""
        with translated():
            for dataset in _ORDER:
                if table := self._tables[dataset]:
                    needed = {self._relative(path) for path in _metadata_of(table)}
                    folder = join(self._places.dataset(dataset), "metadata")
                    found = [item.uri for item in self._store.list(folder) if not item.uri.endswith("/version-hint.text")]
                    self._store.delete([uri for uri in found if self._relative(location(uri)) not in needed])

    def _current(self, dataset: str) -> dict[str, DataFile]:
        table = self._tables[dataset]
        return {} if table is None else {task.file.file_path: task.file for task in table.scan().plan_files()}

    def _there(self) -> Iterator[Table]:
        yield from (table for table in self._tables.values() if table is not None)

    def _table(self, dataset: str) -> Table:
        if (table := self._tables[dataset]) is None:
            raise StorageError(f"the catalog ({self._settings.said}) has no table {dataset}; run the job again, and it is made")
        return table

    def _load(self, dataset: str) -> Table | None:
        name = (self._settings.namespace, dataset)
        try:
            table = self._opened.load_table(name)
        except (exceptions.NoSuchTableError, exceptions.NoSuchNamespaceError):
            return None
        if table.location().rstrip("/") != f"{self._root}/{dataset}":
            where = f"{'.'.join(name)} in the catalog ({self._settings.said})"
            raise StorageError(f"{where} lies in {table.location()}, not in this sink: set another `sink.catalog.namespace`")
        return table

    def _create(self, dataset: str) -> Table:
        name, schema = (self._settings.namespace, dataset), schema_of(DATASETS[dataset])
        where = f"{self._root}/{dataset}"
        with (
            self._opened.create_table_transaction(name, schema, where, properties=_PROPERTIES) as creation,
            creation.update_spec() as spec,
        ):
            spec.add_field("processed_at", DayTransform(), "processed_date")
        return self._opened.load_table(name)

    def _properties(self) -> dict[str, str]:
        settings = self._settings
        own = {"py-io-impl": f"{StoreIO.__module__}.StoreIO", STORE: cast("str", self._store)}
        given = {"uri": settings.uri, "warehouse": settings.warehouse, "type": settings.type}
        if settings.type == "sqlite":
            given = {"type": "sql", "uri": f"sqlite:///{self._fetch_catalog()}"}
        return {**own, **{key: value for key, value in given.items() if value}}

    @property
    def _opened(self) -> IcebergCatalog:
        assert self._catalog is not None, "a lake is used as a context manager"  # noqa: S101
        return self._catalog

    @property
    def _catalog_file(self) -> Path:
        assert self._scratch is not None, "a lake is used as a context manager"  # noqa: S101
        return Path(self._scratch.name) / "catalog.db"

    def _fetch_catalog(self) -> Path:
        try:
            self._store.fetch(self._places.file("catalog.db"), None, self._catalog_file)
            self._catalog_before = self._catalog_file.read_bytes()
        except ObjectMissing:
            self._catalog_before = b""
        return self._catalog_file

    def _keep_catalog(self) -> None:
        """Put the SQLite catalog in its place; the moment at which its tables move."""
        if self._settings.type == "sqlite":
            data = self._catalog_file.read_bytes()
            if data != self._catalog_before:
                self._store.write(self._places.file("catalog.db"), data)
                self._catalog_before = data

    def _close(self) -> None:
        if self._catalog is not None:
            self._catalog.close()
            self._catalog = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def _location(self, relative: str) -> str:
        return f"{self._root}/{relative}"

    def _relative(self, path: str) -> str:
        return path.removeprefix(f"{self._root}/")


def _files_of(table: Table) -> Iterator[str]:
    """Yield the data files that any snapshot of a table needs."""
    for manifest in _manifests_of(table).values():
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            yield entry.data_file.file_path


def _metadata_of(table: Table) -> Iterator[str]:
    """Yield the files of a table's own metadata that it can reach."""
    yield table.metadata_location
    yield from (entry.metadata_file for entry in table.metadata.metadata_log)
    yield from (snapshot.manifest_list for snapshot in table.snapshots())
    yield from _manifests_of(table)


def _manifests_of(table: Table) -> dict[str, ManifestFile]:
    return {each.manifest_path: each for snapshot in table.snapshots() for each in snapshot.manifests(table.io)}
