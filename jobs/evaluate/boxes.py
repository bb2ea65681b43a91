"""Found things against true ones: average precision as COCO counts it, at one overlap of 0.5, and mean overlap.

Written here because an interval needs the precision of a thousand resamples, for which matching is done once a page; a test holds it
against pycocotools.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.box import Box, LabelledBox

ENOUGH = 0.5
_RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True)
class Matched:
    """One label on one page: how many there are in truth, and of each thing found how sure it is and whether it is one of them."""

    label: str
    wanted: int
    found: tuple[tuple[float, bool], ...]


def overlap(left: Box, right: Box) -> float:
    """Return intersection over union; 0 of boxes without area."""
    shared = left.intersection(right)
    union = left.area + right.area - shared
    return shared / union if union > 0 else 0.0


def matched(said: Sequence[LabelledBox], true: Sequence[LabelledBox]) -> tuple[Matched, ...]:
    """Match one page's boxes, the surest first, each to the true box of its label that it covers best and no other took.

    A thing found without a confidence counts as sure: 1.
    """
    names = sorted({item.label for item in (*said, *true)})
    return tuple(_of_label(name, [i for i in said if i.label == name], [i for i in true if i.label == name]) for name in names)


def overlaps(said: Sequence[LabelledBox], true: Sequence[LabelledBox]) -> list[float]:
    """Return, of each true box, how well the best box of its label covers it; 0 where there is none. A box serves one truth only."""
    pairs = sorted(
        ((overlap(a.box, b.box), i, j) for i, a in enumerate(said) for j, b in enumerate(true) if a.label == b.label),
        key=lambda pair: (-pair[0], pair[1:]),
    )
    best, taken = [0.0] * len(true), set[int]()
    covered = set[int]()
    for value, i, j in pairs:
        if i not in taken and j not in covered:
            best[j] = value
            taken.add(i)
            covered.add(j)
    return best


def mean_average_precision(pages: Sequence[Sequence[Matched]], times: NDArray[np.int64] | None = None) -> float:
    """Return the mean over labels that exist in truth of the average precision (101 recalls, interpolated); NaN where none exists.

    `times` says how often each page counts, for resamples.
    """
    weights = np.ones(len(pages), np.int64) if times is None else times
    by_label: dict[str, list[tuple[int, Matched]]] = defaultdict(list)
    for index, page in enumerate(pages):
        for item in page:
            by_label[item.label].append((index, item))
    values = [_average_precision(items, weights) for items in by_label.values()]
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _of_label(label: str, said: Sequence[LabelledBox], true: Sequence[LabelledBox]) -> Matched:
    left = list(range(len(true)))
    found = []
    for item in sorted(said, key=lambda item: -_sureness(item)):
        best = max(left, key=lambda index: overlap(item.box, true[index].box), default=None)
        hit = best is not None and overlap(item.box, true[best].box) >= ENOUGH
        if hit and best is not None:
            left.remove(best)
        found.append((_sureness(item), hit))
    return Matched(label, len(true), tuple(found))


def _sureness(item: LabelledBox) -> float:
    return 1.0 if item.confidence is None else item.confidence


def _average_precision(items: Sequence[tuple[int, Matched]], weights: NDArray[np.int64]) -> float:
    wanted = sum(int(weights[index]) * item.wanted for index, item in items)
    if not wanted:
        return float("nan")
    rows = [(sure, hit, weights[index]) for index, item in items for sure, hit in item.found]
    if not rows:
        return 0.0
    sure, hits, times = (np.array(column) for column in zip(*rows, strict=True))
    order = np.argsort(-sure, kind="stable")
    right = np.cumsum(times[order] * hits[order])
    given = np.cumsum(times[order])
    precision = right / np.maximum(given, 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(right / wanted, _RECALLS, side="left")
    return float(np.append(best_from_here, 0.0)[places].mean())
