"""How far confidence can be trusted: whether it finds what is wrong, and whether so many are right as it says. Pure arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.field import FieldValue
from schemas.shape import Shape
from schemas.signals import Signals

_BINS = 10
_COVERAGE = 0.8
_STEPS = 50


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer of a run, a value or that there is none, or a line of a text; what speaks for it; and whether it is right."""

    document: str
    value: FieldValue
    signals: Signals
    is_right: bool
    confidence: float | None = None
    checkpoint: str | None = None


class Bin(Shape):
    """Answers of about the same confidence: how many, their mean confidence, and the share of them that is right."""

    answers: int
    confidence: float
    right: float


class Risk(Shape):
    """Of the surest share of the answers (`coverage`), how many are wrong."""

    coverage: float
    wrong: float


class Reliability(Shape):
    """Confidence held against labels.

    `auc` is the chance that a right answer is surer than a wrong one; `calibration_error` the expected calibration error, the mean distance of
    confidence from the share that is right over ten bins of equal width; `right_at_80` the share of right ones among the surest 80%.
    All are None where no answer, or none but right or wrong ones, has a confidence.
    """

    answers: int
    wrong: int
    auc: float | None = None
    calibration_error: float | None = None
    right_at_80: float | None = None
    bins: tuple[Bin, ...] = ()
    risks: tuple[Risk, ...] = ()


def reliability(sure: Sequence[float], is_right: Sequence[bool]) -> Reliability:
    """Return how far these confidences can be trusted."""
    confidence, right = np.asarray(sure, np.float64), np.asarray(is_right, np.bool_)
    if not len(confidence):
        return Reliability(answers=0, wrong=0)
    bins = _bins(confidence, right)
    errors = _errors(confidence, right)
    return Reliability(
        answers=len(confidence),
        wrong=int((~right).sum()),
        auc=_auc(confidence, right),
        calibration_error=sum(each.answers * abs(each.confidence - each.right) for each in bins) / len(confidence),
        right_at_80=1.0 - float(errors[round(_COVERAGE * len(errors)) - 1]) if len(errors) > 1 else None,
        bins=bins,
        risks=tuple(_curve(errors)),
    )


def _auc(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float | None:
    """Return the area under the ROC curve, ties counted half; None where all are right or all wrong."""
    n_right, n_wrong = int(right.sum()), int((~right).sum())
    if not n_right or not n_wrong:
        return None
    _, place, count = np.unique(confidence, return_inverse=True, return_counts=True)
    ranks = np.cumsum(count) - (count - 1) / 2
    return float((ranks[place][right].sum() - n_right * (n_right + 1) / 2) / (n_right * n_wrong))


def _bins(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    numbers = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return tuple(
        Bin(answers=int(mine.sum()), confidence=float(confidence[mine].mean()), right=float(right[mine].mean()))
        for mine in (numbers == number for number in range(_BINS))
        if mine.any()
    )


def _errors(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of wrong answers among the surest 1, 2, … of all; of equally sure ones, each is as wrong as all of them are."""
    order = np.argsort(-confidence, kind="stable")
    _, place = np.unique(-confidence[order], return_inverse=True)
    wrong = (~right[order]).astype(np.float64)
    even = np.bincount(place, wrong) / np.bincount(place)
    shares: NDArray[np.float64] = np.cumsum(even[place]) / np.arange(1, len(wrong) + 1)
    return shares


def _curve(errors: NDArray[np.float64]) -> list[Risk]:
    marks = sorted({max(1, round(len(errors) * step / _STEPS)) for step in range(1, _STEPS + 1)})
    return [Risk(coverage=mark / len(errors), wrong=float(errors[mark - 1])) for mark in marks]
