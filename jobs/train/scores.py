"""How near answers come to the truth, by task: error rates, matches, found boxes. Plain and quick, for a held-out split."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pipeline.tasks import detect, spot, table
from schemas.box import Box
from schemas.view import Affine, Completion

T = TypeVar("T")
Pairs = Sequence[tuple[str, str]]
"""(said, true) answers."""
_ENOUGH = 0.5
"""ANLS counts answers nearer than this; boxes that overlap this much are the same."""
_UNIT = Affine(1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Score:
    """One task's score over `count` answers: the metric's name, its value from 0 to 1, and whether more is better."""

    task: str
    metric: str
    value: float
    count: int
    more_is_better: bool = True


def score(task: str, pairs: Pairs) -> tuple[Score, ...]:
    """Return the scores of one task's answers."""
    scored: tuple[tuple[str, Callable[[Pairs], float], bool], ...]
    if task == "ocr":
        scored = (("character error rate", character_error_rate, False),)
    elif task == "spot":
        scored = (("character error rate", lambda both: character_error_rate(_plain(both)), False),)
    elif task in ("detect", "refer"):
        scored = (("F1 at IoU 0.5", detection_f1, True),)
    elif task == "table":
        scored = (("cells right (F1)", cells_f1, True),)
    else:
        scored = (("exact", exact, True), ("ANLS", anls, True))
    return tuple(Score(task, name, measure(pairs), len(pairs), better) for name, measure, better in scored)


def character_error_rate(pairs: Pairs) -> float:
    """Return edits over true characters, at most 1: a page of nonsense is no worse than a page of nothing."""
    edits = sum(min(distance(said, true), max(1, len(true))) for said, true in pairs)
    return edits / max(1, sum(max(1, len(true)) for _, true in pairs))


def exact(pairs: Pairs) -> float:
    """Return the share of answers that are the truth, but for white space around them."""
    return _mean(float(said.strip() == true.strip()) for said, true in pairs)


def anls(pairs: Pairs) -> float:
    """Return the average normalised Levenshtein similarity, as DocVQA counts it: case aside, and 0 below one half."""
    return _mean(_likeness(said.strip().casefold(), true.strip().casefold()) for said, true in pairs)


def detection_f1(pairs: Pairs) -> float:
    """Return the harmonic mean of precision and recall of boxes of the right label that overlap by half or more."""
    return _f1(
        [(_boxes(said), _boxes(true)) for said, true in pairs], lambda a, b: a[0] == b[0] and _iou(a[1], b[1]) >= _ENOUGH
    )


def cells_f1(pairs: Pairs) -> float:
    """Return the harmonic mean of precision and recall of cells: right where row, column, spans and text all are."""
    return _f1([(_cells(said), _cells(true)) for said, true in pairs], lambda a, b: a == b)


def distance(left: str, right: str) -> int:
    """Return Levenshtein's distance."""
    if not left or not right:
        return max(len(left), len(right))
    codes = np.array([ord(character) for character in right])
    steps = np.arange(len(right) + 1)
    row = steps.copy()
    for number, character in enumerate(left, start=1):
        changed = np.minimum(row[1:] + 1, row[:-1] + (codes != ord(character)))
        # What is inserted costs one a step from the best place before: a running minimum of row − place.
        row = np.minimum.accumulate(np.concatenate([[number], changed]) - steps) + steps
    return int(row[-1])


def _likeness(said: str, true: str) -> float:
    near = 1 - distance(said, true) / max(1, len(said), len(true))
    return near if near >= _ENOUGH else 0.0


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / max(1, len(found))


def _f1(pairs: Sequence[tuple[Sequence[T], Sequence[T]]], same: Callable[[T, T], bool]) -> float:
    hits = found = wanted = 0
    for said, true in pairs:
        left = list(true)
        for item in said:
            if (match := next((other for other in left if same(item, other)), None)) is not None:
                left.remove(match)
                hits += 1
        found, wanted = found + len(said), wanted + len(true)
    return 2 * hits / (found + wanted) if found + wanted else 1.0


def _iou(left: Box, right: Box) -> float:
    shared = left.intersection(right)
    return shared / max(left.area + right.area - shared, 1e-12)


def _said(text: str) -> Completion:
    return Completion(text=text, token_ids=(), logprobs=(), finish_reason="stop")


def _boxes(text: str) -> list[tuple[str, Box]]:
    labels = sorted({part.rsplit(">", 1)[-1].strip() for part in text.split(";")} - {""})
    return [(item.label, item.box) for item in detect.decode(_said(text), _UNIT, labels).boxes] if labels else []


def _cells(text: str) -> list[str]:
    read = table.decode(_said(text), _UNIT).tables
    return [
        f"{each.table_index} {cell.row_index} {cell.col_index} {cell.row_span} {cell.col_span} {cell.text}"
        for each in read
        for cell in each.cells
    ]


def _plain(pairs: Pairs) -> Pairs:
    return [(spot.decode(_said(said), _UNIT).text or "", spot.decode(_said(true), _UNIT).text or "") for said, true in pairs]
