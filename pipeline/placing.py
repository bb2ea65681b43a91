"""Lines of text laid on places of print: where a model says what it read but not where, the picture knows where something is printed.

Both come in reading order, or row by row; what an edge has left of a line may come in any order. Pure.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from math import log

from pipeline.documents.tiles import OVERLAP_PT
from pipeline.fitting import EMS, Fit, Place, fitted
from pipeline.widths import width_of
from schemas.box import Box

_FINE, _TOO_BAD = 0.2, 3.0
"""What it costs a text on the average where all is well, and where nothing is."""
_AMISS = 1.0
"""What it costs in all if one text is astray."""


@dataclass(frozen=True, slots=True)
class Laid:
    """The box of each text, and how badly texts fit their places, on the average."""

    boxes: tuple[Box, ...]
    misfit: float


def height_of(places: Sequence[Place]) -> float:
    """Return how high most of what is printed is, dust and slivers aside: half of it, by its length, is not so high."""
    boxes = sorted((place.box for place in places), key=lambda box: box.height)
    lengths = list(accumulate(box.width for box in boxes))
    return boxes[bisect_left(lengths, lengths[-1] / 2)].height if boxes else 0.0


def laid(texts: Sequence[str], places: Sequence[Place], height_pt: float) -> Laid | None:
    """Return the box of each text; None where the texts do not fit the places. Most lines of the page are about so high.

    Neighbours in a row may be one text, or one place hold several; some places are no text at all, or show too little of it.
    """
    if not texts or not places:
        return None if texts else Laid((), 0.0)
    best = _best(texts, places, height_pt, [False] * len(texts))
    if best is None or best.cost > min(_FINE * len(texts), _AMISS) or any(place.said for place in places):
        found = _with_remains_aside(texts, places, height_pt)
        best = min(best or found, found, key=lambda each: each.cost) if found else best
    if best is None or best.cost > _TOO_BAD * (len(texts) + 1):
        return None
    return Laid(tuple(box for box in best.boxes if box), best.cost / len(texts))


def _best(texts: Sequence[str], places: Sequence[Place], height: float, is_short: Sequence[bool]) -> Fit | None:
    best: Fit | None = None
    for order, em in product(_orders(places), EMS):
        found = fitted(texts, order, height, em, is_short)
        best = min(best or found, found, key=lambda each: each.cost) if found else best
        if best and best.cost <= _FINE * len(texts):
            break
    return best


def _with_remains_aside(texts: Sequence[str], places: Sequence[Place], height: float) -> Fit | None:
    """Fit the texts, of which short ones may stand out of order where an edge has left little of lines; None if they can't."""
    edges = [place for place in places if place.is_cut and place.box.width < OVERLAP_PT]
    if not edges:
        return None
    widest = max(place.box.width for place in edges) + height
    found = _best(texts, places, height, [min(EMS) * height * width_of(text) < widest for text in texts])
    if found is None:
        return None
    free = [edge for edge in edges if edge.box not in found.boxes]
    aside = sum(box is None for box in found.boxes)
    torn = iter(_dealt(free if len(free) >= aside else edges, aside, height))
    return Fit(found.cost, [next(torn) if box is None else box for box in found.boxes])


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
