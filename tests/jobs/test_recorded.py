"""The job of a sink: what its newest run recorded, so that nobody has to have the job file at hand."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import pipeline.flow
from jobs.recorded import job_or_sink
from jobs.rerun import rerun
from pipeline.errors import JobError
from pipeline.places import Places
from pipeline.runs import Runs
from pipeline.storage import open_store
from schemas.job import Job, Model, OcrTask, Sink, Source, Workers
from schemas.run import RunOptions, RunRecord


@pytest.fixture
def sink(tmp_path: Path) -> Path:
    """Return a sink where the last shard of a job ran last."""
    _record(tmp_path / "out", "invoices", "20260101T000000-aaaaaa", "1/2", model="old")
    _record(tmp_path / "out", "invoices", "20260102T000000-aaaaaa", "2/2", model="new")
    return tmp_path / "out"


def _record(sink: Path, name: str, run_id: str, shard: str = "1/1", model: str = "embedded") -> None:
    job = Job(
        name=name,
        source=Source(uri="in"),
        model=Model(checkpoint=model, engine="scripted"),
        tasks=(OcrTask(type="ocr"),),
        workers=Workers(cpus=1, shard=shard),
        sink=Sink(uri=str(sink)),
    )
    record = RunRecord(
        run_id=run_id, job=job, options=RunOptions(), started_at=datetime(2026, 1, 1, tzinfo=UTC), pagemill_version="0"
    )
    Runs(open_store(str(sink)), Places(str(sink))).begin(record)


def test_a_sink_names_the_job_that_made_it(sink):
    """As it ran last, and the whole of it: pages of every shard may be meant."""
    job = job_or_sink(str(sink))
    assert (job.name, job.model.checkpoint, job.workers.shard, job.workers.cpus) == ("invoices", "new", "1/1", 1)


def test_a_sink_that_was_moved_is_written_where_it_is_now(sink, tmp_path):
    """What a run recorded of its own place may be long past."""
    moved = sink.rename(tmp_path / "elsewhere")
    assert job_or_sink(str(moved)).sink.uri == str(moved)


def test_a_job_file_is_a_job_file(tmp_path):
    """Whatever lies beside it, and also where there is none of that name."""
    (tmp_path / "job.yaml").write_text("name: letters\nsource: {uri: in}\nsink: {uri: out}\n")
    assert job_or_sink(str(tmp_path / "job.yaml")).name == "letters"
    with pytest.raises(JobError, match="no such file"):
        job_or_sink(str(tmp_path / "none.yaml"))


def test_several_jobs_of_one_sink_are_told_apart_by_their_files(sink):
    """Nobody can tell which is meant."""
    _record(sink, "letters", "20260103T000000-aaaaaa")
    with pytest.raises(JobError, match="holds results of invoices, letters: give the job file"):
        job_or_sink(str(sink))


def test_a_place_where_nothing_ran_is_refused(tmp_path):
    """With what would do instead."""
    with pytest.raises(JobError, match="is no job file, and no run is recorded there"):
        job_or_sink(str(tmp_path))


def test_rerun_takes_a_sink(sink, monkeypatch):
    """`pagemill rerun SINK --where EXPR` hands the recorded job and the expression to the machine."""
    asked: list[tuple[str, str]] = []

    def read_again(job: Job, where: str, *, progress: object) -> None:
        del progress
        asked.append((job.name, where))
        raise JobError("far enough")

    monkeypatch.setattr(pipeline.flow, "rerun", read_again)
    result = CliRunner().invoke(rerun, [str(sink), "--where", "confidence < 0.7", "--quiet"])
    assert isinstance(result.exception, JobError)
    assert asked == [("invoices", "confidence < 0.7")]
