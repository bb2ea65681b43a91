"""What workers of runs that are over have written: removed by a later run, whichever command it is of; what others are at work on stays."""

from collections import Counter
from datetime import UTC, datetime
from itertools import count

import pytest

from pipeline import ledger
from pipeline.errors import StorageError
from pipeline.flow import redecode
from pipeline.publish import sweep
from pipeline.runs import Runs
from pipeline.staging import Part
from pipeline.storage.local import LocalStore
from schemas.job import Workers
from schemas.run import RunOptions, RunRecord, RunSummary

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def work(book):
    """Return a function that begins a run, stages a part of it, leaves another in flight, and returns the run and the part."""

    def begin(run, **changes):
        job = book.job().model_copy(update=changes)
        record = RunRecord(run_id=run.run_id, job=job, options=RunOptions(), started_at=NOW, pagemill_version="1")
        Runs(book.store, book.places).begin(record)
        known = run.inspect(f"{run.run_id}.pdf", "1", 1, job="somebody's")
        Part(book.store, book.places, run.run_id, [])
        return run.stage(known, 0, 1, word=run.run_id, jobs=("somebody's",))

    return begin


def _end(book, run_id):
    counts = {name: 0 for name, info in RunSummary.model_fields.items() if info.is_required() and info.annotation is int}
    given = {"job_name": "book", "sink_uri": book.sink_uri, "started_at": NOW, "ended_at": NOW, "max_reject_rate": 0.5}
    Runs(book.store, book.places).end(RunSummary(run_id=run_id, **counts | given))


def _lying(machine, book):
    """Return how many files of which run lie about."""
    return Counter(name.split("/")[2] for name in machine.files(book.sink_uri, "_pagemill/staging", "_pagemill/in_flight"))


def test_what_workers_wrote_after_their_run_had_ended_is_swept_by_a_later_run(machine, book, work):
    """Of ended runs of any job, and of killed ones of its own; what a run at work has staged is still there to be committed."""
    with book.run() as late, book.run() as other, book.run() as at_work, book.run() as sharded, book.run() as killed:
        work(late)
        _end(book, late.run_id)
        late.stage(late.inspect("late.pdf", "1", 1, job="somebody's"), 0, 1)
        Part(book.store, book.places, late.run_id, [])
        work(other, name="other")
        _end(book, other.run_id)
        Part(book.store, book.places, other.run_id, [])
        kept = [work(at_work, name="other"), work(sharded, workers=Workers(shard="2/16"))]
        work(killed)
        redecode(book.job())
        assert _lying(machine, book) == {at_work.run_id: 3, sharded.run_id: 3}
        at_work.commit(*kept)
        at_work.publish()
    assert {row["text"] for row in machine.glob(book.sink_uri, "pages")} == {f"{run.run_id} 0" for run in (at_work, sharded)}


def test_what_is_committed_is_not_swept_before_it_is_published(machine, book, work):
    """A run that ended between its commit and its publication has left parts that readers are still to see."""
    with book.run() as cut:
        cut.commit(work(cut))
        _end(book, cut.run_id)
    redecode(book.job())
    assert _lying(machine, book) == {}
    assert [row["text"] for row in machine.glob(book.sink_uri, "pages")] == [f"{cut.run_id} 0"]


def test_a_sink_of_many_runs_is_looked_through_as_often_as_one_of_few(book, work, monkeypatch):
    """One listing finds what all ended runs have left."""
    listed = Counter()
    listing = LocalStore.list
    monkeypatch.setattr(LocalStore, "list", lambda store, uri: listed.update([uri.count("/")]) or listing(store, uri))

    def listings():
        listed.clear()
        redecode(book.job())
        return listed.total()

    listings()
    with book.run() as one:
        work(one)
        _end(book, one.run_id)
    after_one = listings()
    for _ in range(8):
        with book.run() as each:
            work(each)
            _end(book, each.run_id)
    assert listings() == after_one


@pytest.mark.parametrize("looks", [3, None])
def test_what_is_committed_is_not_swept_where_its_record_is_not_listed_yet(machine, book, work, monkeypatch, looks):
    """Stores may list late what was written: a run waits for its own records before it publishes and sweeps, and gives up where none come."""
    listing, seen = LocalStore.list, count()

    def late(store, uri):
        is_early = uri.endswith("/ledger/units") and (looks is None or next(seen) < looks)
        return iter(()) if is_early else listing(store, uri)

    monkeypatch.setattr(ledger, "PAUSES_S", (0.0,) * 5)
    with book.run() as run:
        run.commit(work(run))
        monkeypatch.setattr(LocalStore, "list", late)
        if looks is None:
            with pytest.raises(StorageError, match="does not list what was written"):
                run.publish()
            monkeypatch.setattr(LocalStore, "list", listing)
        run.publish()
        sweep(run.ledger, book.store, book.places, {run.run_id})
    assert [row["text"] for row in machine.glob(book.sink_uri, "pages")] == [f"{run.run_id} 0"]
    assert _lying(machine, book) == {}
