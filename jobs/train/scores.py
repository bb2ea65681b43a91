"""How near a held-out split's answers come to the truth, by task, in `pagemill evaluate`'s own measures."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from jobs.evaluate.boxes import matched, mean_average_precision
from jobs.evaluate.text import character_errors, likeness, same
from jobs.evaluate.trees import likenesses
from pipeline.tasks import detect, spot, table
from schemas.box import LabelledBox
from schemas.table import Table
from schemas.view import Affine, Completion

Pairs = Sequence[tuple[str, str]]
"""(said, true) answers."""
_UNIT = Affine(1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Score:
    """One task's score over `count` answers: the metric's name, its value, and whether more is better."""

    task: str
    metric: str
    value: float
    count: int
    more_is_better: bool = True


def score(task: str, pairs: Pairs) -> tuple[Score, ...]:
    """Return the scores of one task's answers."""
    scored: tuple[tuple[str, Callable[[Pairs], float], bool], ...]
    match task:
        case "ocr":
            scored = (("character error rate", _error_rate, False),)
        case "spot":
            scored = (
                ("character error rate", lambda both: _error_rate(_without_places(both)), False),
                ("mAP of lines at IoU 0.5", lambda both: _precision(_without_words(both)), True),
            )
        case "detect" | "refer":
            scored = (("mAP at IoU 0.5", _precision, True),)
        case "table":
            scored = (("TEDS", _teds, True),)
        case _:
            scored = (("exact", _exact, True), ("ANLS", _anls, True))
    return tuple(Score(task, name, measure(pairs), len(pairs), better) for name, measure, better in scored)


def _error_rate(pairs: Pairs) -> float:
    """Return edits over true characters; of an answer no more than its truth has, so that one loop does not drown a hundred answers."""
    found = [character_errors(said, true) for said, true in pairs]
    return sum(min(edits, max(1.0, count)) for edits, count in found) / max(1.0, sum(count for _, count in found))


def _exact(pairs: Pairs) -> float:
    return _mean(float(same(said, [true])) for said, true in pairs)


def _anls(pairs: Pairs) -> float:
    return _mean(likeness(said, [true]) for said, true in pairs)


def _precision(pairs: Pairs) -> float:
    """Return mean average precision; where there is nothing to be found at all, the share of answers that found nothing."""
    value = mean_average_precision([matched(boxes(said), boxes(true)) for said, true in pairs])
    return _mean(float(not boxes(said)) for said, _ in pairs) if math.isnan(value) else value


def _teds(pairs: Pairs) -> float:
    """Return the mean likeness of tables; a table that is missing, made up or not whole counts 0."""
    return _mean(value for said, true in pairs for value in likenesses(_tables(said), _tables(true)))


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / max(1, len(found))


def _said(text: str) -> Completion:
    return Completion(text=text, token_ids=(), logprobs=(), finish_reason="stop")


def boxes(text: str) -> tuple[LabelledBox, ...]:
    """Return the labelled boxes of an answer to `detect`, in fractions of its view, whatever labels were asked for."""
    labels = sorted({part.rsplit(">", 1)[-1].strip() for part in text.split(";")} - {""})
    return detect.decode(_said(text), _UNIT, labels).boxes if labels else ()


def _tables(text: str) -> tuple[Table, ...]:
    return table.decode(_said(text), _UNIT).tables


def _without_words(pairs: Pairs) -> Pairs:
    return [(_line_boxes(said), _line_boxes(true)) for said, true in pairs]


def _line_boxes(text: str) -> str:
    lines = spot.decode(_said(text), _UNIT).lines
    return detect.encode([LabelledBox(label="line", box=line.box) for line in lines if line.box], _UNIT)


def _without_places(pairs: Pairs) -> Pairs:
    return [(spot.decode(_said(said), _UNIT).text or "", spot.decode(_said(true), _UNIT).text or "") for said, true in pairs]
