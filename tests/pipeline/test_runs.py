"""What a run leaves for whatever starts next."""

import json
from datetime import UTC, datetime

import pytest

from pipeline.errors import ObjectMissing
from pipeline.runs import Runs
from schemas.run import RunOptions, RunRecord, RunSummary

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def _record(book, run_id):
    return RunRecord(run_id=run_id, job=book.job(), options=RunOptions(), started_at=NOW, pagemill_version="1")


def _summary(book, run_id, **changes):
    counts = {name: 0 for name, info in RunSummary.model_fields.items() if info.is_required() and info.annotation is int}
    counts |= changes
    return RunSummary(
        run_id=run_id, job_name="book", sink_uri=book.sink_uri, started_at=NOW, ended_at=NOW, max_reject_rate=0.5, **counts
    )


def test_the_marker_says_that_the_last_run_is_complete_and_accepted(book):
    """`_SUCCESS` holds the summary of a run that ended with 0; it goes as the next run starts, and stays away if that falls short."""
    runs, marker = Runs(book.store, book.places), book.places.file("_SUCCESS")
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
