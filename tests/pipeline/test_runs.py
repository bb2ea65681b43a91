"""What a run leaves for whatever starts next."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import ObjectMissing
from pipeline.runs import Runs
from schemas.job import Workers
from schemas.run import RunOptions, RunRecord, RunSummary

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def _record(book, run_id, **changes):
    job = book.job().model_copy(update=changes)
    return RunRecord(run_id=run_id, job=job, options=RunOptions(), started_at=NOW, pagemill_version="1")


def _summary(book, run_id, **changes):
    counts = {name: 0 for name, info in RunSummary.model_fields.items() if info.is_required() and info.annotation is int}
    circumstances = {"job_name": "book", "sink_uri": book.sink_uri, "started_at": NOW, "ended_at": NOW, "max_reject_rate": 0.5}
    return RunSummary(run_id=run_id, **counts | circumstances | changes)


def test_the_marker_says_that_the_last_run_is_complete_and_accepted(book):
    """`_SUCCESS-<job>` holds the summary of a run that ended with 0; it goes as the next run starts, and stays away if that falls short."""
    runs, marker = Runs(book.store, book.places), book.places.file("_SUCCESS-book")
    runs.begin(_record(book, "1"))
    runs.end(_summary(book, "1", pages_ok=3))
    said = json.loads(book.store.read(marker))
    assert (said["run_id"], said["pages_ok"], said["objects_deleted"]) == ("1", 3, 0)
    for number, short in enumerate(({"left": 1}, {"interrupted": True}, {"pages_failed": 9})):
        run_id = f"2-{number}"
        runs.begin(_record(book, run_id))
        runs.end(_summary(book, run_id, **short))
        with pytest.raises(ObjectMissing):
            book.store.read(marker)
    runs.begin(_record(book, "3"))
    runs.end(_summary(book, "3"))
    assert json.loads(book.store.read(marker))["run_id"] == "3"


def test_jobs_and_shards_that_share_a_sink_have_markers_of_their_own(book):
    """A run takes away and leaves the marker of its own job and shard alone; each tells which it is of."""
    runs = Runs(book.store, book.places)
    runs.begin(_record(book, "1"))
    runs.end(_summary(book, "1"))
    runs.begin(_record(book, "2", name="other"))
    for part in (1, 2):
        runs.begin(_record(book, f"3-{part}", workers=Workers(shard=f"{part}/16")))
        runs.end(_summary(book, f"3-{part}", shard=f"{part}/16"))
    runs.begin(_record(book, "4", workers=Workers(shard="2/16")))
    markers = {path.name: json.loads(path.read_bytes()) for path in Path(book.sink_uri).glob("_SUCCESS*")}
    assert {name: (said["run_id"], said["shard"]) for name, said in markers.items()} == {
        "_SUCCESS-book": ("1", "1/1"),
        "_SUCCESS-book-1-of-16": ("3-1", "1/16"),
    }
