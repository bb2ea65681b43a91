"""The weights of confidence, fitted to a checkpoint that reads made-up pages."""

import pytest

from jobs.synth.folder import synth
from jobs.train.confidence import KIND, SEED, fit
from pipeline.confidence import load
from pipeline.errors import JobError
from schemas.job import Model

DOCUMENTS = 16


@pytest.fixture
def reader(tmp_path):
    """Return a function that makes a model which knows the very documents, and misreads them as often as told."""

    def make(rate: float) -> Model:
        folder = tmp_path / "reader"
        synth(folder, count=DOCUMENTS, seed=SEED, kinds=(KIND,), finishes=("scan", "pdf"), split="evaluate")
        (folder / "scripted.json").write_text(f'{{"misread_rate": {rate}, "seed": 1}}')
        return Model(engine="scripted", checkpoint=str(folder))

    return make


@pytest.fixture
def read(machine, children, tmp_path):
    """Return what runs a job in this process."""

    def run(job):
        (tmp_path / "mill").mkdir()
        return machine.Mill(tmp_path / "mill", children, job.sink.uri).run(job)

    return run


@pytest.mark.slow
def test_weights_are_fitted_to_what_a_checkpoint_reads_rightly(reader, read, tmp_path) -> None:
    """They say how many answers of how many documents they are from, and by which checkpoint's hash."""
    out = tmp_path / "confidence.json"
    report = fit(reader(0.06), DOCUMENTS, tmp_path, out, read)
    fitted = load(str(out)).fitted_on
    assert (fitted.documents, fitted.answers, fitted.wrong) == (
        DOCUMENTS,
        report.calibrated.answers,
        report.calibrated.wrong,
    )
    assert len(fitted.checkpoints) == 1
    assert report.calibrated.auc > 0.7


@pytest.mark.slow
def test_a_checkpoint_that_is_always_right_or_wrong_teaches_nothing(reader, read, tmp_path) -> None:
    """That is said, and no weights are written."""
    out = tmp_path / "confidence.json"
    with pytest.raises(JobError, match="too few to learn from"):
        fit(reader(0.0), DOCUMENTS, tmp_path, out, read)
    assert not out.exists()
