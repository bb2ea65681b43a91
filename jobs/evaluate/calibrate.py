"""Fit the weights of confidence to answers that are known to be right or wrong: a logistic regression by Newton's method.

The penalty keeps weights small where answers say little, and 0 of a signal that no answer has; a witness whose agreement would count
against a value is not heard. Figures come from answers of documents that
the weights they are weighed with have not seen.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from jobs.evaluate.reliability import Judged
from pipeline.confidence import FEATURES, SPEAK_FOR, confidence, features, shipped
from pipeline.errors import JobError
from schemas.signals import ConfidenceModel, Fitted, Weights

_LEAST_ANSWERS, _LEAST_WRONG = 100, 10
_PENALTY = 1.0
_FOLDS = 5
_STEPS = 50
_Numbers = NDArray[np.float64]


def calibrated(answers: Sequence[Judged], note: str = "", parts: Sequence[Judged] = ()) -> ConfidenceModel:
    """Return the weights that fit answers and lines; where either are too few, those that ship. Raises JobError where both are."""
    if is_enough(parts) and not is_enough(answers):
        return shipped().model_copy(update={"parts": fitted(parts, note)})
    _require_enough(answers)
    of_parts = fitted(parts, note) if is_enough(parts) else None
    return ConfidenceModel(**dict(fitted(answers, note)), parts=of_parts)


def is_enough(answers: Sequence[Judged]) -> bool:
    """Return whether answers, or lines, can be learned from and some of their documents held out."""
    return not _too_few(answers) and len({each.document for each in answers}) >= _FOLDS


def held_out(answers: Sequence[Judged], seed: int) -> list[float]:
    """Return each answer's confidence by weights that were fitted on the other documents."""
    _require_enough(answers)
    documents = sorted({each.document for each in answers})
    if len(documents) < _FOLDS:
        raise JobError(
            f"calibrating needs labels of {_FOLDS} documents or more, so that some can be held out; here are {len(documents)}"
        )
    order = np.random.default_rng(seed).permutation(len(documents))
    edges = np.linspace(0, len(documents), _FOLDS + 1).astype(int)
    sure: dict[int, float] = {}
    for low, high in pairwise(edges):
        apart = {documents[index] for index in order[low:high]}
        model = fitted([each for each in answers if each.document not in apart], "")
        for index, each in enumerate(answers):
            if each.document in apart:
                sure[index] = confidence(each.signals, each.value, model)
    return [sure[index] for index in range(len(answers))]


def _require_enough(answers: Sequence[Judged]) -> None:
    if _too_few(answers):
        wrong = sum(not each.is_right for each in answers)
        raise JobError(
            f"{len(answers)} labelled answers, of which {wrong} are wrong, are too few to learn from: calibrating needs "
            f"{_LEAST_ANSWERS} or more, and {_LEAST_WRONG} or more of either kind"
        )


def _too_few(answers: Sequence[Judged]) -> bool:
    wrong = sum(not each.is_right for each in answers)
    return len(answers) < _LEAST_ANSWERS or min(wrong, len(answers) - wrong) < _LEAST_WRONG


def fitted(answers: Sequence[Judged], note: str) -> Weights:
    """Return the weights that fit answers, or parts of them, however few."""
    known = {name: np.array(column) for name, column in zip(FEATURES, zip(*map(_features, answers), strict=True), strict=True)}
    right = np.array([float(each.is_right) for each in answers])
    intercept, weights = _newton(known, right)
    while wrong := {name for name, weight in weights.items() if weight < 0 and name in SPEAK_FOR}:
        known = {name: column for name, column in known.items() if name not in wrong}
        intercept, weights = _newton(known, right)
    return Weights(
        intercept=round(intercept, 6),
        weights={name: round(weight, 6) for name, weight in weights.items()},
        fitted_on=Fitted(
            answers=len(answers),
            documents=len({each.document for each in answers}),
            wrong=int((1 - right).sum()),
            checkpoints=tuple(sorted({each.checkpoint or "" for each in answers} - {""})),
            note=note,
        ),
    )


def _features(answer: Judged) -> list[float]:
    return list(features(answer.signals, answer.value).values())


def _newton(known: dict[str, _Numbers], right: _Numbers) -> tuple[float, dict[str, float]]:
    """Return intercept and weights that make what is right likeliest, less half the penalty times the weights' squares."""
    inputs = np.column_stack([np.ones(len(right)), *known.values()])
    penalty = np.diag([1e-6, *[_PENALTY] * len(known)])
    weights = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        likely = 1.0 / (1.0 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        slope = inputs.T @ (right - likely) - penalty @ weights
        curvature = (inputs * (likely * (1 - likely))[:, None]).T @ inputs + penalty
        step = np.linalg.solve(curvature, slope)
        weights = weights + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-8:
            break
    return float(weights[0]), dict(zip(known, map(float, weights[1:]), strict=True))
