"""The canary: labelled pages go first, and where they are read too badly nothing else is."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.canary import watched
from jobs.cli import exit_code
from jobs.refusals import refusals
from jobs.synth.folder import synth
from pipeline.errors import CanaryFailed, RunError
from pipeline.progress import Silent
from schemas.job import Canary, Model, OcrTask, Source
from schemas.run import RunSummary


@pytest.fixture
def nightly(mill, machine, children, tmp_path):
    """Return a job with a canary, and a `run` that reads in this process and notes the jobs it was given."""
    canary = tmp_path / "canary"
    synth(canary, count=1, seed=1, kinds=("receipt",), finishes=("png",))
    mill.put("a.pdf", machine.pdf("one two three"))
    ran: list[str] = []

    def run(job, *, progress, ends=0):
        del progress
        ran.append(job.name)
        folder = tmp_path / f"mill-{len(ran)}"
        folder.mkdir()
        other = machine.Mill(folder, children, job.sink.uri)
        other.run(job)
        now = datetime.now(UTC)
        counts = {name: 0 for name, info in RunSummary.model_fields.items() if info.is_required() and info.annotation is int}
        counts["left"] = ends
        return RunSummary(
            run_id="r", job_name=job.name, sink_uri=job.sink.uri, started_at=now, ended_at=now, max_reject_rate=0, **counts
        )

    def job(*bounds: str, knows: bool = True):
        model = Model(engine="scripted", checkpoint=str(canary) if knows else "embedded")
        return mill.job(OcrTask(type="ocr", max_tokens=4096), model=model, canary=Canary(uri=str(canary), accept=bounds))

    return job, run, ran


def test_a_canary_that_is_well_lets_the_job_run(nightly, mill):
    """It is read first, into a place that goes again; its scores are kept, and the job's own rows are all that readers see."""
    job, run, ran = nightly
    watched(job("cer<=0.01"), run, Silent())
    assert ran == ["mill-canary", "mill"]
    assert [Path(row["source_uri"]).name for row in mill.rows()] == ["a.pdf"]
    kept = [path for path in Path(mill.sink_uri, "_pagemill", "canary").rglob("*") if path.is_file()]
    assert [path.suffix for path in kept] == [".json"]
    assert mill.verify().is_exact


def test_below_the_bound_nothing_is_read_or_published(nightly, mill):
    """An engine that reads the canary as nonsense is told by its bound, with the score and a code of its own."""
    job, run, ran = nightly
    with pytest.raises(CanaryFailed, match=r"cer<=0.01 does not hold \(text.cer") as failed:
        watched(job("cer<=0.01", knows=False), run, Silent())
    assert ran == ["mill-canary"]
    assert not Path(mill.sink_uri, "pages").exists()
    assert exit_code(failed.value) == 4


def test_a_canary_that_was_not_read_is_no_proof(nightly):
    """Where it could not be read to its end the run is not complete, and the job is not begun."""
    job, run, ran = nightly
    with pytest.raises(RunError, match="not read to its end"):
        watched(job("cer<=1"), lambda *a, **k: run(*a, **k, ends=1), Silent())
    assert ran == ["mill-canary"]


def test_bounds_are_checked_with_the_job_file(mill):
    """A metric that is not known, or a sign the wrong way round, is refused before anything starts."""
    wrong = mill.job(canary=Canary(uri=str(mill.source), accept=("cer>=0.5", "beauty>=1", "wer<=0.1")))
    assert [at for at, _ in refusals(wrong)] == [("canary", "accept", 0), ("canary", "accept", 1)]
    assert refusals(wrong.model_copy(update={"canary": None})) == []
    assert isinstance(wrong.source, Source)
