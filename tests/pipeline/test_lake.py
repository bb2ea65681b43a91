"""Iceberg tables that follow the ledger: what any reader finds in them, at every moment, and after whatever was cut off."""

import importlib.util
import os
import random
import shutil
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.table import StaticTable
from pyiceberg.types import StringType

from pipeline import flow
from pipeline.errors import JobError, StorageError
from pipeline.format import settle_format
from pipeline.lake import Lake
from pipeline.questions import questions
from pipeline.reader import read
from schemas.job import Catalog, Sink

DATASETS = ("documents", "pages", "fields")
_S3 = {
    "s3.endpoint": "ENDPOINT_URL",
    "s3.access-key-id": "ACCESS_KEY_ID",
    "s3.secret-access-key": "SECRET_ACCESS_KEY",
}
OLD = {("again.pdf", n, f"old {n}") for n in range(4)} | {("changed.pdf", n, f"old {n}") for n in range(3)}
NEW = {("again.pdf", 0, "old 0"), ("again.pdf", 1, "again 1"), ("again.pdf", 2, "again 2"), ("again.pdf", 3, "old 3")}
NEW |= {("changed.pdf", 0, "new 0"), ("changed.pdf", 1, "new 1")}


@pytest.fixture
def lake(machine, tmp_path):
    """Return a sink of Iceberg tables whose documents are made up."""
    return machine.Book(str(tmp_path / "lake"), format="iceberg")


@contextmanager
def _tables(book):
    """Open the tables as any program does that knows the catalog, and nothing of Pagemill."""
    with load_catalog("pagemill", type="sql", uri=f"sqlite:///{book.sink_uri}/catalog.db") as catalog:
        yield {name: catalog.load_table(("pagemill", name)) for name in DATASETS}


def _first(book, run):
    asked = questions(book.job())
    known = [run.inspect("again.pdf", "1", 4), run.inspect("changed.pdf", "1", 3)]
    run.commit(*(run.stage(each, 0, each.page_count, word="old", asked=asked) for each in known))
    return known[0]


def _second(book, run, again):
    """Supersede one document, and read two pages of the other again."""
    asked = questions(book.job())
    new = run.inspect("changed.pdf", "2", 2)
    run.commit(run.stage(new, 0, 2, word="new", asked=asked), run.stage(again, 1, 2, word="again", asked=asked))


def _shown(machine, book):
    rows = machine.scanned(book.sink_uri, "pages").to_pylist()
    found = [(row["source_uri"].rsplit("/", 1)[1], row["page_index"], row["text"]) for row in rows]
    assert len(found) == len(set(found))
    return set(found)


def test_commits_become_snapshots_that_name_their_publication(lake, machine):
    """The first publication appends and one that supersedes overwrites, in one snapshot each; older snapshots stay readable."""
    with lake.run() as run:
        again = _first(lake, run)
        run.publish()
        _second(lake, run, again)
        run.publish()
        generation = run.ledger.current.generation
    with _tables(lake) as tables:
        for table in tables.values():
            first, second = table.snapshots()
            assert (first.summary.operation.value, second.summary.operation.value) == ("append", "overwrite")
            assert second.summary.additional_properties["pagemill.generation"] == generation
            assert second.summary.additional_properties["pagemill.run-id"] == "run-0001"
        before = tables["pages"].scan(snapshot_id=tables["pages"].snapshots()[0].snapshot_id).to_arrow()
        assert set(before["text"].to_pylist()) == {text for _, _, text in OLD}
    assert _shown(machine, lake) == NEW
    assert machine.verify(lake.sink_uri).findings == ()


def test_duckdb_and_arrow_find_what_the_reader_says(lake, machine):
    """All three tables hold the rows that `read` returns, with the very types of the Parquet datasets; also from the metadata file alone."""
    with lake.run() as run:
        _first(lake, run)
        run.publish()
    for name in DATASETS:
        wanted = machine._sorted(read(lake.sink_uri, name).to_pylist())
        assert machine.glob(lake.sink_uri, name) == wanted
        metadata = Path(lake.sink_uri, name, "metadata")
        hint = (metadata / "version-hint.text").read_text()
        static = StaticTable.from_metadata(f"file://{metadata}/{hint}.metadata.json")
        assert machine._sorted(static.scan().to_arrow().to_pylist()) == wanted
        assert [field.name for field in static.spec().fields] == ["processed_date"]
    (file,) = Path(lake.sink_uri).glob("pages/data/processed_date=2026-03-01/*.parquet")
    assert pq.read_schema(file).field("page_id").metadata[b"PARQUET:field_id"] == b"1"


def test_a_reader_never_sees_a_page_twice_or_not_at_all(lake, machine):
    """Whoever looks after any single write of a publication finds all pages as they were before it, or all as they are after it."""

    class Watched:
        def __init__(self, store):
            self._store, self.seen = store, []

        def __getattr__(self, name):
            return getattr(self._store, name)

        def write(self, uri, data):
            self._store.write(uri, data)
            self.seen.append(_shown(machine, lake))

        def delete(self, uris):
            self._store.delete(uris)
            self.seen.append(_shown(machine, lake))

    with lake.run() as run:
        again = _first(lake, run)
        run.publish()
        _second(lake, run, again)
    watched = Watched(lake.store)
    with lake.run(watched) as run:
        run.publish()
    assert {frozenset(seen) for seen in watched.seen} == {frozenset(OLD), frozenset(NEW)}


@pytest.mark.parametrize("seeded", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_publication_cut_off_anywhere_is_put_right(lake, machine, tmp_path, seeded):
    """Stopped at any single write or removal, the next publication shows what an undisturbed one shows, and leaves nothing over."""
    with lake.run() as run:
        again = _first(lake, run)
        run.publish()
        _second(lake, run, again)
    sink, kept = Path(lake.sink_uri), tmp_path / "kept"
    shutil.copytree(sink, kept)
    counting = machine.Faltering(lake.store, 0)
    with lake.run(counting) as run:
        run.publish()
    wanted = len(_files(sink))
    steps = range(1, counting.taken + 1)
    for step in random.Random(7).sample(steps, 3) if seeded else steps:  # noqa: S311 (any three moments)
        shutil.rmtree(sink)
        shutil.copytree(kept, sink)  # at the same place: Iceberg names files by their whole paths
        with pytest.raises(machine.Stopped), lake.run(machine.Faltering(lake.store, step)) as run:
            run.publish()
        machine.bury(lake.sink_uri)
        assert _shown(machine, lake) in (OLD, NEW), step
        with lake.run() as run:
            run.publish()
        assert _shown(machine, lake) == NEW, step
        assert machine.verify(lake.sink_uri).findings == (), step
        assert len(_files(sink)) == wanted, step


def _files(sink):
    return [path for dataset in DATASETS for path in sink.glob(f"{dataset}/data/*/*.parquet")]


def test_a_table_that_lacks_a_column_is_given_it(lake, machine):
    """A column that an older version of Pagemill did not write is null in its files, and has values in newer ones."""
    with lake.run() as run:
        again = _first(lake, run)
        run.publish()
        with _tables(lake) as tables, tables["pages"].update_schema(allow_incompatible_changes=True) as update:
            update.delete_column("engine")
        _second(lake, run, again)
        run.publish()
    rows = machine.scanned(lake.sink_uri, "pages").to_pylist()
    assert {row["engine"] for row in rows if row["text"].startswith(("new", "again"))} == {"made up"}
    assert machine.verify(lake.sink_uri).findings == ()


def test_what_a_newer_version_wrote_stays(lake, machine):
    """Columns that this version does not know, at the top and inside a struct, keep their values through a merge; its own rows lack them."""
    with lake.run() as run:
        _first(lake, run)
        run.publish()
        with _tables(lake) as tables, tables["pages"].update_schema() as update:
            update.add_column("language", StringType())
            update.add_column(("lines", "element", "script"), StringType())
        _as_newer(lake, *machine.shown_files(lake.sink_uri, "pages"))
        later = run.inspect("later.pdf", "1", 1)
        run.commit(run.stage(later, 0, 1, word="later", asked=questions(lake.job())))
        run.publish()
        run.publish(compact=True)
    (merged,) = machine.shown_files(lake.sink_uri, "pages")
    rows = machine.scanned(lake.sink_uri, "pages").to_pylist()
    assert rows == machine._sorted(read(lake.sink_uri, "pages").to_pylist())
    assert {(row["text"].split()[0], row["language"]) for row in rows} == {("old", "en"), ("later", None)}
    assert {(row["text"].split()[0], line["script"]) for row in rows for line in row["lines"]} == {
        ("old", "latin"),
        ("later", None),
    }
    assert pq.read_schema(merged).field("language").metadata[b"PARQUET:field_id"]
    assert machine.verify(lake.sink_uri).findings == ()


def _as_newer(book, *paths):
    """Give files the values that a newer version would have written into the columns of its own."""
    with Lake(book.store, book.places, Catalog()) as lake:
        schema = lake.schema("pages")
    for path in paths:
        rows = [
            {**row, "language": "en", "lines": [{**line, "script": "latin"} for line in row["lines"]]}
            for row in pq.read_table(path, partitioning=None).to_pylist()
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema), path)


def test_compaction_moves_the_tables_too(lake, machine):
    """Small files become one, the rows stay, and nothing is done where there is nothing to do."""
    with lake.run() as run:
        for night in range(3):
            known = run.inspect(f"{night}.pdf", "1", 2)
            run.commit(run.stage(known, 0, 2, word=f"night {night}"))
            run.publish()
        before = machine.glob(lake.sink_uri, "pages")
        run.publish(compact=True)
    with _tables(lake) as tables:
        assert len(list(tables["pages"].scan().plan_files())) == 1
        snapshots = len(tables["pages"].snapshots())
    assert machine.glob(lake.sink_uri, "pages") == before
    with lake.run() as run:
        run.publish(compact=True)
    with _tables(lake) as tables:
        assert len(tables["pages"].snapshots()) == snapshots


def test_files_go_when_their_last_snapshot_expires(lake, machine):
    """Once older snapshots are past their age, which is a property of the table, what only they needed is removed."""
    with lake.run() as run:
        again = _first(lake, run)
        run.publish()
        with _tables(lake) as tables:
            for table in tables.values():
                with table.transaction() as change:
                    change.set_properties({"history.expire.max-snapshot-age-ms": "0"})
        _second(lake, run, again)
        run.publish()
        run.publish()
    with _tables(lake) as tables:
        shown = {task.file.file_path.removeprefix("file://") for t in tables.values() for task in t.scan().plan_files()}
        assert all(len(table.snapshots()) == 1 for table in tables.values())
    assert {str(path) for path in _files(Path(lake.sink_uri))} == shown
    assert len(list(Path(lake.sink_uri, "pages", "metadata").glob("snap-*.avro"))) == 1
    assert machine.verify(lake.sink_uri).findings == ()


def test_verify_tells_a_table_that_was_changed_by_others(lake, machine):
    """Rows that something else deleted from a table are found, and the next publication brings them back."""
    with lake.run() as run:
        _first(lake, run)
        run.publish()
    with _tables(lake) as tables:
        tables["pages"].delete()
    assert [finding.code for finding in machine.verify(lake.sink_uri).findings] == ["table_behind"]
    with lake.run() as run:
        run.publish()
    assert _shown(machine, lake) == OLD
    assert machine.verify(lake.sink_uri).findings == ()


def test_the_format_of_a_sink_is_settled_once(lake, book):
    """A sink of one format, or in one catalog, refuses jobs that ask for another, and says what it has."""
    with book.run() as run:
        _first(book, run)
    with pytest.raises(JobError, match="holds plain Parquet, and the job asks for Iceberg tables"):
        settle_format(book.store, book.places, Sink(uri=book.sink_uri, format="iceberg"))
    with pytest.raises(
        JobError, match=r"holds Iceberg tables \(sqlite namespace pagemill\), and the job asks for plain Parquet"
    ):
        settle_format(lake.store, lake.places, Sink(uri=lake.sink_uri))
    elsewhere = Catalog(type="rest", uri="http://catalog", namespace="other")
    with pytest.raises(JobError, match="rest http://catalog namespace other"):
        settle_format(lake.store, lake.places, Sink(uri=lake.sink_uri, format="iceberg", catalog=elsewhere))


def test_tables_of_another_sink_are_left_alone(lake, machine):
    """A sink that was copied with its catalog does not write into the tables of the first."""
    with lake.run() as run:
        _first(lake, run)
        run.publish()
    copied = shutil.copytree(lake.sink_uri, f"{lake.sink_uri}-copied")
    other = machine.Book(copied, format="iceberg")
    with other.run() as run, pytest.raises(StorageError, match=r"pagemill\.pages in the catalog .* not in this sink"):
        run.publish()


def test_tables_on_s3(s3_uri, machine, tmp_path):
    """Tables of a sink on S3 move with their catalog beside them; any reader that is told the endpoint finds them, by PyIceberg's own way to S3."""
    lake = machine.Book(s3_uri, format="iceberg")
    with lake.run() as run:
        again = _first(lake, run)
        run.publish()
        _second(lake, run, again)
        run.publish()
    assert flow.compact(s3_uri) == 0
    assert machine.verify(s3_uri).findings == ()
    lake.store.fetch(f"{s3_uri}/catalog.db", None, tmp_path / "catalog.db")
    told = {name: os.environ[f"AWS_{variable}"] for name, variable in _S3.items()} | {"s3.region": "us-east-1"}
    with load_catalog("pagemill", type="sql", uri=f"sqlite:///{tmp_path}/catalog.db", **told) as catalog:
        table = catalog.load_table(("pagemill", "pages"))
        assert table.location() == f"{s3_uri}/pages"
        wanted = machine._sorted(read(s3_uri, "pages").to_pylist())
        assert {text for _, _, text in NEW} == {row["text"] for row in wanted}
        assert machine._sorted(table.scan().to_duckdb("rows").sql("SELECT * FROM rows").to_arrow_table().to_pylist()) == wanted
        before = table.scan(snapshot_id=table.snapshots()[0].snapshot_id).to_arrow()
        assert set(before["text"].to_pylist()) == {text for _, _, text in OLD}
    hint = lake.store.read(f"{s3_uri}/pages/metadata/version-hint.text").decode()
    static = StaticTable.from_metadata(f"{s3_uri}/pages/metadata/{hint}.metadata.json", properties=told)
    assert machine._sorted(static.scan().to_arrow().to_pylist()) == wanted


def test_tables_in_glue(machine, tmp_path, monkeypatch):
    """The same publications move tables in AWS Glue, here moto's, which is told by the environment alone."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "ENDPOINT_URL": f"http://{host}:{port}",
        "ACCESS_KEY_ID": "a",
        "SECRET_ACCESS_KEY": "b",
        "REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    try:
        lake = machine.Book(str(tmp_path / "lake"), format="iceberg", catalog=Catalog(type="glue", namespace="invoices"))
        with lake.run() as run:
            again = _first(lake, run)
            run.publish()
            _second(lake, run, again)
            run.publish()
        with load_catalog("any", type="glue") as catalog:
            table = catalog.load_table(("invoices", "pages"))
            assert set(table.scan().to_arrow()["text"].to_pylist()) == {text for _, _, text in NEW}
            assert len(table.snapshots()) == 2
        assert machine.verify(lake.sink_uri).findings == ()
        assert not Path(lake.sink_uri, "catalog.db").exists()
    finally:
        server.stop()


def test_tables_in_a_rest_catalog(machine, tmp_path, monkeypatch):
    """The same publications move tables of a REST service; the token comes from the environment, and a service that refuses it says so."""
    from pyiceberg import catalog as pyiceberg_catalog
    from pyiceberg.utils.config import Config

    restcatalog = _module(Path(__file__).parents[1] / "faults" / "restcatalog.py")
    with restcatalog.running(tmp_path) as url:
        settings = Catalog(type="rest", uri=url, namespace="invoices")
        lake = machine.Book(str(tmp_path / "lake"), format="iceberg", catalog=settings)
        with lake.run() as run:
            again = _first(lake, run)
            with pytest.raises(StorageError, match="the Iceberg catalog refused"):
                run.publish()
            monkeypatch.setenv("PYICEBERG_CATALOG__PAGEMILL__TOKEN", restcatalog.TOKEN)
            monkeypatch.setattr(pyiceberg_catalog, "_ENV_CONFIG", Config())  # a process reads its environment once
            run.publish()
            _second(lake, run, again)
            run.publish()
        with load_catalog("any", type="rest", uri=url, token=restcatalog.TOKEN) as catalog:
            table = catalog.load_table(("invoices", "pages"))
            assert set(table.scan().to_arrow()["text"].to_pylist()) == {text for _, _, text in NEW}
            assert len(table.snapshots()) == 2
        assert machine.verify(lake.sink_uri).findings == ()
        stored = [path.read_bytes() for path in Path(lake.sink_uri).rglob("*") if path.is_file()]
        assert not [data for data in stored if restcatalog.TOKEN.encode() in data]


def _module(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
