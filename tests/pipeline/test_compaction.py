"""Compaction: killed at any moment it loses nothing, its files are large, and what is gone from the source is dropped on request alone."""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import flow
from pipeline.questions import questions
from pipeline.reader import read
from pipeline.selection import gone


@pytest.fixture(params=["parquet", "iceberg"])
def sink(request, machine, tmp_path):
    """Return a sink of each format whose documents are made up."""
    return machine.Book(str(tmp_path / "out"), format=request.param)


def _nights(book, nights, *, documents=1, pages=2):
    """Publish some documents night after night, each night a file of its own."""
    asked = questions(book.job())
    for night in range(nights):
        with book.run() as run:
            known = [run.inspect(f"{night}-{number}.pdf", "1", pages) for number in range(documents)]
            run.commit(*(run.stage(each, 0, pages, asked=asked, word=each.uri) for each in known))
            run.publish()


def test_deleted_documents_keep_their_rows_until_they_are_dropped(sink, machine):
    """A document that is gone from its source stays as `deleted`; dropped, it is in no dataset and no file, and its neighbours stay."""
    _nights(sink, 2, documents=2)
    with sink.run() as run:
        run.inspect("0-0.pdf", "1", 2, is_present=False)
        run.publish()
    assert _states(sink)["0-0.pdf"] == "deleted"
    assert flow.compact(sink.sink_uri) == 0
    assert _states(sink)["0-0.pdf"] == "deleted"
    assert flow.compact(sink.sink_uri, without_deleted=True) == 1
    assert sorted(_states(sink)) == ["0-1.pdf", "1-0.pdf", "1-1.pdf"]
    for dataset in ("documents", "pages", "fields"):
        found = machine.glob(sink.sink_uri, dataset)
        assert "s3://b/0-0.pdf" not in {row["source_uri"] for row in found}
        assert found == machine._sorted(read(sink.sink_uri, dataset).to_pylist())
    datasets = machine.files(sink.sink_uri, "documents", "pages", "fields")
    assert not [name for name, data in datasets.items() if b"0-0.pdf" in data]
    assert machine.verify(sink.sink_uri).findings == ()
    assert flow.compact(sink.sink_uri, without_deleted=True) == 0


def _states(book):
    rows = read(book.sink_uri, "documents").to_pylist()
    return {row["source_uri"].rsplit("/", 1)[1]: row["status"] for row in rows}


def test_a_dropped_document_that_comes_back_is_read_anew(book, machine):
    """Nothing of the dropped rows is used again; the document has rows as any new one."""
    _nights(book, 1)
    with book.run() as run:
        run.inspect("0-0.pdf", "1", 2, is_present=False)
    flow.compact(book.sink_uri, without_deleted=True)
    with book.run() as run:
        assert run.ledger.rows("SELECT count(*) FROM cover") == [(0,)]
        book.tick(days=3650)  # dropping goes by the real clock
        known = run.inspect("0-0.pdf", "1", 2)
        run.publish()
        assert [finding.code for finding in machine.verify(book.sink_uri).findings] == ["pages_unread"]
        run.commit(run.stage(known, 0, 2, word="again"))
        run.publish()
    assert [row["text"] for row in machine.glob(book.sink_uri, "pages")] == ["again 0", "again 1"]
    assert _states(book) == {"0-0.pdf": "ok"}
    assert machine.verify(book.sink_uri).findings == ()


@pytest.mark.slow
def test_a_killed_compaction_loses_nothing(sink, machine, tmp_path):
    """SIGKILL at any moment leaves the same rows, and the next compaction ends with few files and none left over."""
    _nights(sink, 6, documents=3)
    before = {name: machine.glob(sink.sink_uri, name) for name in ("documents", "pages", "fields")}
    kept, rng, killed = tmp_path / "kept", random.Random(3), 0  # noqa: S311 (any moments)
    shutil.copytree(sink.sink_uri, kept)
    started = time.monotonic()
    _compaction(sink).wait()
    latest_s = time.monotonic() - started
    while killed < 5:
        shutil.rmtree(sink.sink_uri)
        shutil.copytree(kept, sink.sink_uri)
        process = _compaction(sink)
        try:
            process.wait(rng.uniform(0.3, 1.0) * latest_s)
            latest_s *= 0.9  # the machine has less to do than when that was measured
        except subprocess.TimeoutExpired:
            killed += 1
            process.kill()
            process.wait()
        assert _compaction(sink).wait() == 0
        assert {name: machine.glob(sink.sink_uri, name) for name in before} == before
        assert machine.verify(sink.sink_uri).findings == ()


def _compaction(book):
    # A claim whose holder was killed on this machine is taken over at once.
    root = str(Path(__file__).parents[2])
    code = "import sys; from jobs.cli import main; sys.argv[0] = 'pagemill'; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "compact", book.sink_uri],
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.DEVNULL,
    )


def test_what_is_gone_is_told_once(book):
    """An object that was dropped is not found missing again by the next listing."""
    _nights(book, 1)
    with book.run() as run:
        run.inspect("0-0.pdf", "1", 2, is_present=False)
    flow.compact(book.sink_uri, without_deleted=True)
    with book.run() as run:
        run.ledger.execute("CREATE TEMP TABLE manifest (source_id VARCHAR, uri VARCHAR)")
        assert gone(run.ledger, "book") == []
