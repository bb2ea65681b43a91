"""How sure a value is: signals in, a probability that it is right out. Pure, but for reading the file of weights.

A model's own log-probability is not confidence: it says how sure the next token was, not that the page was legible or the question
understood. A logistic regression weighs it against what else is known. It is fitted on labelled pages (`pagemill evaluate --calibrate`), and
one ships for jobs that name none. Every feature is bounded, so that no single one decides alone, and 0 where its signal is not known.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from math import exp, expm1, log, log1p

from pydantic import ValidationError

from pipeline.checkpoints import EMBEDDED, EMBEDDED_CONFIDENCE
from pipeline.errors import JobError
from pipeline.storage import open_store
from schemas.field import FieldValue
from schemas.job import Job
from schemas.signals import ConfidenceModel, Signals, Weights

_MOST = 8.0
_USUAL_ODDS = 3.0
"""How sure of a token an engine is on a page of usual print: a page of which that is not known counts as one."""
_Feature = Callable[[Signals, FieldValue], float]


def confidence(signals: Signals, value: FieldValue, model: Weights) -> float:
    """Return the probability that a value, or that there is none, is right; or, by the weights of parts, a line, a cell or a thing."""
    known = features(signals, value)
    score = model.intercept + sum(weight * known[name] for name, weight in model.weights.items())
    return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, score))))


def features(signals: Signals, value: FieldValue) -> dict[str, float]:
    """Return every feature by its name."""
    return {name: of(signals, value) for name, of in FEATURES.items()}


def of_parts(model: ConfidenceModel, *, is_thing: bool) -> Weights:
    """Return the weights of lines and cells, or of things that were found: a model's own, or those that ship."""
    weights = (model.things or shipped().things) if is_thing else (model.parts or shipped().parts)
    if weights is None:
        raise ValueError("the model that ships lacks weights of parts or of things")
    return weights


def fingerprint(model: ConfidenceModel) -> str:
    """Return what names a model's weights, whatever they were fitted on."""
    every = [(each.intercept, sorted(each.weights.items())) for each in _weights(model)]
    weights = json.dumps([model.version, every])
    return hashlib.sha256(weights.encode()).hexdigest()[:16]


def of_job(job: Job) -> ConfidenceModel:
    """Return the model that a job names; if it names none, that of the checkpoint that ships, where this reads, or the one for all others.

    Raises JobError on a file that holds none.
    """
    if job.confidence.model is not None:
        return load(job.confidence.model)
    return embedded() if job.model.checkpoint == EMBEDDED and job.model.engine != "scripted" else shipped()


def load(uri: str) -> ConfidenceModel:
    """Return the model in a file. Raises JobError on a file that holds none."""
    try:
        model = ConfidenceModel.model_validate_json(open_store(uri).read(uri))
    except ValidationError as exc:
        raise JobError(
            f"{uri} holds no confidence model: write one with `pagemill evaluate SINK LABELS --calibrate {uri}`"
        ) from exc
    weighed = {name for weights in _weights(model) for name in weights.weights}
    if unknown := sorted(weighed - set(FEATURES)):
        raise JobError(f"{uri} weighs {', '.join(unknown)}, which this version does not know: calibrate again")
    return model


@cache
def shipped() -> ConfidenceModel:
    """Return the model that ships for checkpoints that are not known: fitted to errors that were made up."""
    return ConfidenceModel.model_validate_json(files("pipeline").joinpath("confidence.json").read_bytes())


@cache
def embedded() -> ConfidenceModel:
    """Return the model that is fitted to the checkpoint that ships."""
    return ConfidenceModel.model_validate_json(EMBEDDED_CONFIDENCE.read_bytes())


def _weights(model: ConfidenceModel) -> tuple[Weights, ...]:
    return model, of_parts(model, is_thing=False), of_parts(model, is_thing=True)


def _odds(logprob: float | None) -> float:
    """Return the log-odds of a natural log-probability: how often the token came against all others together."""
    if logprob is None:
        return 0.0
    least = min(logprob, -1e-9)
    return _bounded(least - log(-expm1(least)))


def _bounded(value: float) -> float:
    return max(-_MOST, min(_MOST, value))


def _centred(agreement: float | None) -> float:
    return 0.0 if agreement is None else 2.0 * agreement - 1.0


def _standing(agreement: float | None) -> float:
    """Return 1 of a value that stands in a text, and less than 0 of one that does not, however near something else comes to it."""
    return 0.0 if agreement is None else 1.0 if agreement == 1.0 else agreement - 1.0


def _margin(signals: Signals) -> float:
    """Return the least margin; where the engine tells none, the odds of the least likely token, which are the same between two."""
    return _odds(signals.least_logprob) if signals.least_margin is None else _bounded(signals.least_margin)


def _legible(signals: Signals) -> float:
    return 0.0 if signals.page_logprob is None else _odds(signals.page_logprob) - _USUAL_ODDS


def _missing(signals: Signals, value: FieldValue) -> float:
    """Return 1 of a value that is not there on a page that does not name it, and -1 where all words of its name stand on the page."""
    return -_centred(signals.named) if value.status == "absent" else 0.0


def _cross_check(signals: Signals) -> float:
    return 0.0 if signals.cross_check is None else 1.0 if signals.cross_check else -1.0


FEATURES: dict[str, _Feature] = {
    "mean_odds": lambda signals, _: _odds(signals.mean_logprob),
    "least_margin": lambda signals, _: _margin(signals),
    "length": lambda signals, _: log1p(signals.tokens or 0),
    "cut_off": lambda signals, _: float(signals.finish_reason == "length"),
    "loops": lambda signals, _: float(bool(signals.loops)),
    "checked": lambda signals, _: float(bool(signals.checked)),
    "absent": lambda _, value: float(value.status == "absent"),
    "layer": lambda signals, _: _standing(signals.layer),
    "text": lambda signals, _: _standing(signals.text),
    "tiles": lambda signals, _: _centred(signals.tiles),
    "rungs": lambda signals, _: _centred(signals.rungs),
    "questions": lambda signals, _: _centred(signals.questions),
    "box": lambda signals, _: _centred(signals.box),
    "cross_check": lambda signals, _: _cross_check(signals),
    "missing": _missing,
    "page": lambda signals, _: _legible(signals),
    "alone": lambda signals, _: -float(bool(signals.repeated)),
}
"""What is weighed. Log-odds and margins are cut at 8 (a probability of 0.9997); agreements go from -1 to 1."""
SPEAK_FOR = frozenset("mean_odds least_margin layer text tiles rungs questions box cross_check missing page alone".split())
"""What can only speak for a value: its weight is never below 0, whatever chance says in the labels at hand."""
