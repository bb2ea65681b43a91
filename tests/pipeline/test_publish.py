"""Publication: whole whatever cuts it off, files of the right kind and size, and nothing left lying about."""

import shutil
from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import JobLocked
from pipeline.format import lake_of
from pipeline.places import fields_beside
from pipeline.publish import _Publication
from pipeline.questions import questions


def _history(book, run):
    """Leave a sink with something of everything to publish: new parts, a superseded version, pages read again, an object gone."""
    old = run.inspect("changed.pdf", "1", 3)
    again = run.inspect("again.pdf", "1", 4)
    gone = run.inspect("gone.pdf", "1", 1)
    asked = questions(book.job())
    run.commit(*(run.stage(known, 0, known.page_count, word="old", asked=asked) for known in (old, again, gone)))
    run.publish()
    new = run.inspect("changed.pdf", "2", 2)
    run.inspect("gone.pdf", "1", 1, is_present=False)
    run.inspect("broken.pdf", "1", None)
    run.commit(run.stage(new, 0, 2, word="new", asked=asked), run.stage(again, 1, 2, word="again", asked=asked))


def _texts(machine, book):
    return [(r["source_uri"], r["page_index"], r["text"]) for r in machine.glob(book.sink_uri, "pages")]


WANTED = [
    ("s3://b/again.pdf", 0, "old 0"), ("s3://b/again.pdf", 1, "again 1"), ("s3://b/again.pdf", 2, "again 2"), ("s3://b/again.pdf", 3, "old 3"),
    ("s3://b/changed.pdf", 0, "new 0"), ("s3://b/changed.pdf", 1, "new 1"), ("s3://b/gone.pdf", 0, "old 0"),
]  # fmt: skip


def test_a_publication_cut_off_anywhere_is_put_right(machine, tmp_path):
    """Stopped at any single write or removal, the next publication ends where an undisturbed one does, with nothing left over."""
    prepared = machine.Book(str(tmp_path / "prepared"))
    with prepared.run() as run:
        _history(prepared, run)
    steps, is_done = 0, False
    while not is_done:
        steps += 1
        book = machine.Book(str(tmp_path / str(steps)), runs=steps)
        shutil.copytree(prepared.sink_uri, book.sink_uri)
        try:
            with book.run(machine.Faltering(book.store, steps)) as run:
                run.publish()
            is_done = True
        except machine.Stopped:
            machine.bury(book.sink_uri)
        with book.run() as run:
            run.publish()
            assert _strays(machine, book, run.ledger) == set(), steps
        assert _texts(machine, book) == WANTED, steps
        assert machine.verify(book.sink_uri).findings == (), steps
        shutil.rmtree(book.sink_uri)
    assert steps > 20


def _strays(machine, book, ledger):
    """Return files of rows that no reader and no later run has any use for."""
    named = {file for (file,) in ledger.rows("SELECT file FROM files UNION SELECT pages_file FROM cover")}
    named |= {fields_beside(file) for file in named}
    with lake_of(book.store, book.places) or nullcontext() as lake:
        named |= lake.kept() if lake else set()
    found = machine.files(book.sink_uri, "documents", "pages", "fields", "_pagemill/staging", "_pagemill/ledger/replaced")
    return {name for name in found if name not in named and "/metadata/" not in name}


@pytest.mark.formats
def test_a_half_read_version_that_is_given_up_leaves_no_files(book, machine):
    """Parts of a version that was superseded before it was whole are removed, as nobody will ever show them."""
    with book.run() as run:
        first = run.inspect("a.pdf", "1", 1)
        run.commit(run.stage(first, 0, 1))
        second = run.inspect("a.pdf", "2", 2)
        run.commit(run.stage(second, 0, 1))
        run.publish()
        third = run.inspect("a.pdf", "3", 1)
        run.commit(run.stage(third, 0, 1))
        run.publish()
        assert _strays(machine, book, run.ledger) == set()
    assert machine.files(book.sink_uri, "_pagemill/staging") == {}
    assert machine.verify(book.sink_uri).is_exact


@pytest.mark.formats
def test_a_publication_that_lost_its_claim_changes_nothing(book, machine):
    """Whoever slept until another run took its place must not put the ledger back to where it was."""

    class Lost:
        def check(self) -> None:
            raise JobLocked("no sign of life reached the store in time")

    with book.run() as run:
        known = run.inspect("a.pdf", "1", 1)
        run.commit(run.stage(known, 0, 1))
    with book.run() as run, lake_of(book.store, book.places) or nullcontext() as lake, pytest.raises(JobLocked):
        _Publication(run.ledger, book.store, book.places, run.run_id, Lost(), lake).run(compact=False)
    assert not Path(book.sink_uri, "catalog.db").exists()
    with book.run() as run:
        assert run.ledger.current.generation == ""
        run.publish()
    assert machine.verify(book.sink_uri).is_exact


@pytest.mark.formats
def test_files_are_sorted_partitioned_and_compressed(book, machine):
    """Rows lie in partitions of the day they were made, sorted by source_uri and page_index (and name), in zstd."""
    asked = questions(book.job(machine.answer("total", "date")))
    with book.run() as run:
        for day, names in enumerate((("b.pdf", "a.pdf"), ("d.pdf", "c.pdf"))):
            book.tick(days=day)
            known = [run.inspect(name, "1", 12) for name in names]
            run.commit(*(run.stage(each, first, 6, asked=asked) for each in known for first in (6, 0)))
        run.publish()
    for dataset, keys in (("pages", ["source_uri", "page_index"]), ("fields", ["source_uri", "page_index", "name"])):
        paths = machine.shown_files(book.sink_uri, dataset)
        assert [path.parent.name for path in paths] == ["processed_date=2026-03-01", "processed_date=2026-03-02"]
        for path in paths:
            rows = pq.read_table(path, partitioning=None)
            assert rows.equals(rows.sort_by([(key, "ascending") for key in keys]))
            assert {f"processed_date={value.as_py():%Y-%m-%d}" for value in rows["processed_at"].unique()} == {path.parent.name}
            assert pq.read_metadata(path).row_group(0).column(0).compression == "ZSTD"
    assert machine.verify(book.sink_uri).is_exact


@pytest.mark.formats
def test_parts_become_few_files_of_a_bounded_size(book, machine, monkeypatch):
    """Many small parts become one file; parts that are larger together than a file may be become several."""
    with book.run() as run:
        known = [run.inspect(f"{number}.pdf", "1", 1) for number in range(6)]
        run.commit(*(run.stage(each, 0, 1) for each in known))
        run.publish()
        assert len(machine.shown_files(book.sink_uri, "pages")) == 1
        more = [run.inspect(f"more-{number}.pdf", "1", 1) for number in range(6)]
        parts = [run.stage(each, 0, 1) for each in more]
        size = book.store.stat(book.places.staging(*parts[0].part_id.split("/"), "pages.parquet")).size_bytes
        run.commit(*parts)
        monkeypatch.setattr("pipeline.publish.FILE_BYTES", int(size * 2.5))
        run.publish()
    assert len(machine.shown_files(book.sink_uri, "pages")) == 1 + 3
    assert machine.verify(book.sink_uri).is_exact


@pytest.mark.formats
def test_compaction_merges_small_files_and_loses_nothing(book, machine):
    """Files of many nights become one a day; the rows are the same, and verify finds nothing wrong."""
    asked = questions(book.job(machine.answer("total")))
    with book.run() as run:
        for night in range(4):
            known = run.inspect(f"{night}.pdf", "1", 2)
            run.commit(run.stage(known, 0, 2, asked=asked, word=f"night {night}"))
            run.publish()
        before = [machine.glob(book.sink_uri, name) for name in ("documents", "pages", "fields")]
        assert len(machine.shown_files(book.sink_uri, "pages")) == 4
        run.publish(compact=True)
    assert [machine.glob(book.sink_uri, name) for name in ("documents", "pages", "fields")] == before
    for dataset in ("documents", "pages", "fields"):
        assert len(machine.shown_files(book.sink_uri, dataset)) == 1
    assert machine.verify(book.sink_uri).is_exact
    with book.run() as run:
        again = machine.files(book.sink_uri, "documents", "pages", "fields")
        run.publish(compact=True)
    assert machine.files(book.sink_uri, "documents", "pages", "fields") == again


def test_files_of_another_schema_version_are_merged(book, machine):
    """Rows written before or after columns were added, at the top or inside a struct, come through a merge with what they have."""
    with book.run() as run:
        for name in ("a.pdf", "b.pdf"):
            known = run.inspect(name, "1", 2)
            run.commit(run.stage(known, 0, 2, word=name, asked=questions(book.job(machine.OCR))))
            run.publish()
    newer, older = machine.shown_files(book.sink_uri, "pages")
    rows = pq.read_table(newer, partitioning=None)
    assert all(rows["lines"].to_pylist())
    lines = [[{**line, "script": "latin"} for line in value] for value in rows["lines"].to_pylist()]
    struct = rows.schema.field("lines").type.value_type
    wider = pa.list_(pa.field("element", pa.struct([*struct, pa.field("script", pa.string())])))
    rows = rows.set_column(rows.column_names.index("lines"), "lines", pa.array(lines, wider))
    pq.write_table(rows.append_column("language", pa.array(["en"] * len(rows))), newer)
    rows = pq.read_table(older, partitioning=None)
    pq.write_table(rows.drop_columns(["rotation"]), older)
    with book.run() as run:
        run.publish(compact=True)
    (merged,) = machine.shown_files(book.sink_uri, "pages")
    rows = pq.read_table(merged, partitioning=None).to_pylist()
    assert [(r["language"], r["rotation"], r["text"]) for r in rows] == [
        ("en", 0, "a.pdf 0"), ("en", 0, "a.pdf 1"), (None, None, "b.pdf 0"), (None, None, "b.pdf 1"),
    ]  # fmt: skip
    assert machine.verify(book.sink_uri).is_exact
