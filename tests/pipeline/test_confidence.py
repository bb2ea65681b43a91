"""From signals to one probability."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checkpoints import EMBEDDED_FOLDER
from pipeline.confidence import FEATURES, confidence, embedded, features, fingerprint, load, of_job, shipped
from pipeline.engines.weights import checkpoint_hash
from pipeline.errors import JobError
from schemas.field import FieldValue
from schemas.job import Confidence, Job, Model, OcrTask, Sink, Source
from schemas.signals import ConfidenceModel, Fitted, Signals

OK = FieldValue(status="ok", value_text="x")
FITTED = Fitted(answers=1, documents=1, wrong=0, checkpoints=())
UNIT = st.none() | st.floats(0, 1)
LOGPROBS = st.none() | st.floats(-1e9, 0)
MARGINS = st.none() | st.floats(0, 1e9)
TRUTHS = st.none() | st.booleans()
SIGNALS = st.builds(
    Signals, mean_logprob=LOGPROBS, least_logprob=LOGPROBS, least_margin=MARGINS, tokens=st.none() | st.integers(0, 4096),
    loops=TRUTHS, checked=TRUTHS, layer=UNIT, text=UNIT, tiles=UNIT, rungs=UNIT, questions=UNIT,
    cross_check=TRUTHS,
)  # fmt: skip


@given(SIGNALS)
def test_any_signals_have_a_confidence(signals) -> None:
    """From 0 to 1, whatever is known and however extreme; no feature is without bounds."""
    assert 0.0 < confidence(signals, OK, shipped()) < 1.0
    assert all(abs(value) <= 9.0 for value in features(signals, OK).values())


def test_nothing_known_says_nothing() -> None:
    """Every feature of an unknown signal is 0, so that the intercept alone decides."""
    model = ConfidenceModel(intercept=0.0, weights=dict.fromkeys(FEATURES, 1.0), fitted_on=FITTED)
    assert confidence(Signals(), OK, model) == 0.5


@pytest.mark.parametrize("signal", ["layer", "text", "questions", "rungs"])
def test_agreement_speaks_for_a_value(signal) -> None:
    """By the weights that ship, a witness who agrees never makes a value less sure than one who does not."""
    low, high = (confidence(Signals(least_logprob=-0.1, **{signal: each}), OK, shipped()) for each in (0.0, 1.0))
    assert low <= high


def test_a_sure_token_speaks_for_a_value() -> None:
    """By the weights that ship, a value is surer the likelier its least likely token was."""
    sure = [confidence(Signals(mean_logprob=each, least_logprob=each), OK, shipped()) for each in (-3.0, -0.5, -0.01, -0.0001)]
    assert sure == sorted(sure)
    assert sure[0] < 0.5 < sure[-1]


def test_a_fingerprint_is_of_the_weights(tmp_path) -> None:
    """The same weights have the same one, whatever they were fitted on; any other weight has another."""
    model = shipped()
    assert fingerprint(model.model_copy(update={"fitted_on": FITTED})) == fingerprint(model)
    assert fingerprint(model.model_copy(update={"intercept": model.intercept + 0.001})) != fingerprint(model)
    path = tmp_path / "confidence.json"
    path.write_text(model.model_dump_json())
    assert load(str(path)) == model


def test_the_checkpoint_that_ships_has_weights_of_its_own(tmp_path) -> None:
    """They were fitted to the very weights that ship, and hold where those read and the job names no others."""
    assert checkpoint_hash(EMBEDDED_FOLDER, tmp_path) in embedded().fitted_on.checkpoints
    assert embedded().parts is not None
    assert {*embedded().weights, *embedded().parts.weights} <= set(FEATURES)
    other = tmp_path / "confidence.json"
    other.write_text(shipped().model_copy(update={"intercept": 1.0}).model_dump_json())
    assert of_job(job(Model(checkpoint="embedded"))) == embedded()
    assert of_job(job(Model(checkpoint="embedded", engine="scripted"))) == shipped()
    assert of_job(job(Model(checkpoint="models/ours"))) == shipped()
    assert of_job(job(Model(checkpoint="embedded"), str(other))).intercept == 1.0


def job(model: Model, weights: str | None = None) -> Job:
    return Job(
        name="night", source=Source(uri="in"), model=model, tasks=(OcrTask(type="ocr"),), confidence=Confidence(model=weights),
        sink=Sink(uri="out"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [("{}", "no confidence model"), ('{"weights": {"moon": 1.0}}', "moon"), ("not json", "no confidence model")],
)
def test_a_file_of_something_else_is_refused(tmp_path, text, said) -> None:
    """The error names the file, and the command that writes one."""
    path = tmp_path / "confidence.json"
    if "moon" in text:
        text = json.dumps({**json.loads(text), "intercept": 0.0, "fitted_on": FITTED.model_dump()})
    path.write_text(text)
    with pytest.raises(JobError, match=said):
        load(str(path))
