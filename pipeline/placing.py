"""Lines of text laid on places of print: where a model says what it read but not where, the picture knows where something is printed.

Both come in reading order, or row by row; what an edge has left of a line may come in any order. Pure.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from math import inf, log

from pipeline.agreement import alike, perhaps_alike
from pipeline.documents.tiles import OVERLAP_PT
from pipeline.fitting import EMS, Fit, Place, fitted
from pipeline.widths import width_of
from schemas.box import Box

_FINE, _TOO_BAD = 0.2, 3.0
"""What it costs a text on the average where all is well, and where nothing is."""
_ASIDE = 0.4
"""What it costs, for each character, to set a text aside."""
_SAID_AGAIN, _PERHAPS_AGAIN = 0.5, 1.2
"""What it costs to take a text for the one before it, said once more, where it is alike and where it may be. It must leave no more print over."""
_AMISS = 1.0
"""What it costs in all if one text is astray."""
_BY_ROWS = 0.25
"""So much better must texts fit places row by row than in reading order to be taken to come so."""


@dataclass(frozen=True, slots=True)
class Laid:
    """The box of each text, None of one that is the text before it, said once more, and how badly texts fit their places, on the average."""

    boxes: tuple[Box | None, ...]
    misfit: float


def height_of(places: Sequence[Place]) -> float:
    """Return how high most of what is printed is, dust and slivers aside: half of it, by its length, is not so high."""
    boxes = sorted((place.box for place in places), key=lambda box: box.height)
    lengths = list(accumulate(box.width for box in boxes))
    return boxes[bisect_left(lengths, lengths[-1] / 2)].height if boxes else 0.0


def laid(texts: Sequence[str], places: Sequence[Place], height_pt: float) -> Laid | None:
    """Return the box of each text; None where the texts do not fit the places. Most lines of the page are about so high.

    Neighbours in a row may be one text, or one place hold several; some places are no text at all, or show too little of it. A reader who loses
    its place says a line once more: then there is less print than texts, or that line counts.
    """
    if not texts or not places:
        return None if texts else Laid((), 0.0)
    edges = [place for place in places if place.is_cut and place.box.width < OVERLAP_PT]
    widest = max((place.box.width for place in edges), default=-inf) + height_pt
    view = _View(texts, places, height_pt, edges, [min(EMS) * height_pt * width_of(text) < widest for text in texts])
    best = _whole(view, [inf] * len(texts))
    if best is None or _is_amiss(best, view):
        again = _again(view)
        once = _whole(view, again) if min(again) < inf else None
        is_better = once and (best is None or (once.cost < best.cost and once.left_over <= best.left_over))
        best = once if is_better else best
    if best is None or best.cost > _TOO_BAD * (len(texts) + 1):
        return None
    return Laid(tuple(best.boxes), best.cost / len(texts))


@dataclass(frozen=True, slots=True)
class _View:
    """Texts and the places that a view shows; which of these its edges have left little of, and which texts are as slim as that."""

    texts: Sequence[str]
    places: Sequence[Place]
    height: float
    edges: Sequence[Place]
    are_slim: Sequence[bool]


def _whole(view: _View, again: Sequence[float]) -> Fit | None:
    """Fit the texts, of which each may be the one before it, said once more, at a cost."""
    best = _best(view, again)
    if best is None or _is_amiss(best, view):
        found = _with_remains_aside(view, again)
        best = min(best or found, found, key=lambda each: each.cost) if found else best
    return best


def _is_amiss(fit: Fit, view: _View) -> bool:
    """Say whether another fit may be better; what other views say hides what a fit costs."""
    return fit.cost > min(_FINE * len(view.texts), _AMISS) or any(place.said for place in view.places)


def _best(view: _View, aside: Sequence[float]) -> Fit | None:
    best: Fit | None = None
    orders = list(zip(_orders(view.places), (0.0, _BY_ROWS), strict=False))
    for em in EMS:
        for order, doubt in orders:
            found = fitted(view.texts, order, view.height, em, aside)
            if found and (best is None or found.cost + doubt < best.cost):
                best = found
        if best and best.cost <= _FINE * len(view.texts):
            break
    return best


def _again(view: _View) -> list[float]:
    """Return what it costs to take each text for the one before it, said once more."""
    return [
        inf,
        *(_said_again(*pair, is_slim=slim) for pair, slim in zip(pairwise(view.texts), view.are_slim[1:], strict=True)),
    ]


def _said_again(before: str, text: str, *, is_slim: bool) -> float:
    """Return what it costs to take a text for the one before it; what an edge may have left of two lines is often alike."""
    if alike(before, text):
        return _SAID_AGAIN
    return _PERHAPS_AGAIN if not is_slim and perhaps_alike(before, text) else inf


def _with_remains_aside(view: _View, again: Sequence[float]) -> Fit | None:
    """Fit the texts, of which slim ones may stand out of order where an edge has left little of lines; None if they can't."""
    if not view.edges:
        return None
    torn = [_ASIDE * len(text) if is_slim else inf for text, is_slim in zip(view.texts, view.are_slim, strict=True)]
    found = _best(view, list(map(min, torn, again)))
    if found is None:
        return None
    free = [edge for edge in view.edges if edge.box not in found.boxes]
    is_torn = [box is None and said == inf for box, said in zip(found.boxes, again, strict=True)]
    aside = sum(is_torn)
    dealt = iter(_dealt(free if len(free) >= aside else view.edges, aside, view.height))
    boxes = [next(dealt) if is_left else box for box, is_left in zip(found.boxes, is_torn, strict=True)]
    return replace(found, boxes=boxes)


def _dealt(edges: Sequence[Place], count: int, height: float) -> list[Box]:
    """Return the boxes of so many of the places, those that are most nearly as high as a line, in their order; of some twice if need be."""
    likely = sorted(edges, key=lambda place: abs(log(max(place.box.height, 0.1) / max(height, 0.1))))[:count]
    in_order = [place.box for place in edges if place in likely]
    return [in_order[index * len(in_order) // count] for index in range(count)]


def _orders(places: Sequence[Place]) -> list[list[Place]]:
    """Return the places in their order and, if that is another, row by row."""
    rows: list[list[Place]] = []
    for place in sorted(places, key=lambda each: each.box.y0 + each.box.y1):
        if rows and 2 * rows[-1][0].box.y1 > place.box.y0 + place.box.y1:
            rows[-1].append(place)
        else:
            rows.append([place])
    by_rows = [place for row in rows for place in sorted(row, key=lambda each: each.box.x0)]
    return [list(places)] if by_rows == list(places) else [list(places), by_rows]
