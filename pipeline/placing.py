"""Lines of text laid on places of print: where a model says what it read but not where, the picture knows where something is printed.

Both come in reading order, and how wide a text is set is known well enough to tell which place it fits. Pure; it knows strings and boxes only.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, product
from math import inf, log
from statistics import median

from schemas.box import Box

_SLIM, _BROAD = frozenset(" .,:;'|!ijltfrI()[]-/"), frozenset("mwMW@%")
_NARROW, _WIDE = 0.55, 1.35
_EMS = 0.65, 0.5, 0.85
"""How wide a common small letter is, in heights of its line as it is inked: what is tried first, in common, narrow and wide faces."""
_STRICT, _FAR, _UNREAD = 6.0, 0.25, 0.6
"""A text that is longer or shorter than its place by e to some power costs so many times its square; beyond _FAR it grows evenly."""
_SKIPPED, _PICTURE, _SLIVER = 2.0, 0.8, 0.3
"""What it costs to take a place for no text; one that is too high; one of which an edge leaves little."""
_MOSTLY = 0.7
"""Less of a line's height is little."""
_STROKE = 0.2
"""What is narrower, in its own height, is a rule rather than a letter that stands alone."""
_HIGH, _LOW, _GAP = 1.7, 0.35, 3.0
"""What is so many times as high as most lines may be a picture, or dust; words of a line stand closer than this, in its height."""
_DIVIDED, _JOINED = 1.5, 0.2
"""What it costs to put one more text on a place, and to put a text on one more."""
_MOST = 4
"""So many texts may stand on one place, or one text on so many."""
_BAND = 16
"""Texts are sought so many places before and behind where they would stand if none were missing."""
_FINE, _TOO_BAD = 0.2, 3.0
"""What it costs a text on the average where all is well, and where nothing is."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where print was seen in a view; `is_cut`: it touches the view's edge, and may go on behind it."""

    box: Box
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    """Places that stand in a row: how wide it is, how high its print, and whether an edge cuts it, or has torn it from above or below."""

    count: int
    width: float
    height: float
    is_cut: bool
    is_torn: bool


@dataclass(frozen=True, slots=True)
class _Fit:
    """The box of each text, and what it costs to put them there."""

    cost: float
    boxes: list[Box]


def width_of(text: str) -> float:
    """Return about how wide a text is set, in common small letters."""
    return sum(
        _NARROW if character in _SLIM else _WIDE if character in _BROAD or character.isupper() else 1.0 for character in text
    )


def height_of(places: Sequence[Place]) -> float:
    """Return how high most of what is printed is, dust and slivers aside: half of it, by its length, is not so high."""
    boxes = sorted((place.box for place in places), key=lambda box: box.height)
    lengths = list(accumulate(box.width for box in boxes))
    return boxes[bisect_left(lengths, lengths[-1] / 2)].height if boxes else 0.0


def laid(texts: Sequence[str], places: Sequence[Place], height_pt: float) -> list[Box] | None:
    """Return the box of each text; None where the texts do not fit the places. Most lines of the page are about so high.

    Texts come in the order of the places, or row by row. Neighbours in a row may be one text, or one place hold several; some
    places are no text at all, or show too little of it. What an edge has left of a line may come in any order.
    """
    if not texts or not places:
        return None if texts else []
    best = _best(texts, places, height_pt)
    if best is None or best.cost > _FINE * len(texts):
        found = _with_remains_aside(texts, places, height_pt)
        best = min(best or found, found, key=lambda each: each.cost) if found else best
    return best.boxes if best and best.cost <= _TOO_BAD * (len(texts) + 1) else None


def _best(texts: Sequence[str], places: Sequence[Place], height: float) -> _Fit | None:
    best: _Fit | None = None
    for order, em in product(_orders(places), _EMS):
        found = _fitted(texts, order, height, em)
        best = min(best or found, found, key=lambda each: each.cost) if found else best
        if best and best.cost <= _FINE * len(texts):
            break
    return best


def _with_remains_aside(texts: Sequence[str], places: Sequence[Place], height: float) -> _Fit | None:
    """Fit the other texts to the other places, where single letters are what an edge has left of lines; None if they can't be that."""
    remains = [index for index, text in enumerate(texts) if len(text) == 1]
    edges = [place for place in places if place.is_cut and place.box.width < height]
    if not 0 < len(remains) <= len(edges) or len(remains) == len(texts):
        return None
    others = [text for index, text in enumerate(texts) if index not in remains]
    found = _best(others, [place for place in places if place not in edges], height)
    if found is None:
        return None
    boxes, torn = iter(found.boxes), iter(edges)
    laid_so = [next(torn).box if index in remains else next(boxes) for index in range(len(texts))]
    return _Fit(found.cost + _UNREAD * len(remains) + _SLIVER * (len(edges) - len(remains)), laid_so)


def _fitted(texts: Sequence[str], places: Sequence[Place], height: float, em: float) -> _Fit | None:
    """Fit the texts, and once more when most places are known, and with them how wide this print is set."""
    rows = [list(_rows_before(places, seen, height)) for seen in range(len(places) + 1)]
    first = _aligned(texts, places, rows, height, em)
    if first is None:
        return None
    wide = [box.width / max(box.height * width_of(text), 0.1) for text, box in zip(texts, first.boxes, strict=True)]
    second = _aligned(texts, places, rows, height, min(max(median(wide), min(_EMS)), max(_EMS)))
    return min(first, second or first, key=lambda each: each.cost)


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


def _aligned(texts: Sequence[str], places: Sequence[Place], rows: list[list[_Row]], height: float, em: float) -> _Fit | None:
    costs = [[inf] * (len(places) + 1) for _ in range(len(texts) + 1)]
    costs[0][0] = 0.0
    steps: dict[tuple[int, int], tuple[int, int]] = {}
    lost = [_lost(place, height) for place in places]
    widths = [
        [width_of(" ".join(texts[max(end - took, 0) : end])) for took in range(_MOST + 1)] for end in range(len(texts) + 1)
    ]
    spare = len(places) - len(texts)
    for read in range(len(texts) + 1):
        for seen in range(max(1, read + min(spare, 0) - _BAND), min(len(places), read + max(spare, 0) + _BAND) + 1):
            cost, step = costs[read][seen - 1] + lost[seen - 1], (0, 1)
            for row, took in _steps(rows[seen], read):
                before = costs[read - took][seen - row.count]
                if before < cost and (whole := before + _misfit(widths[read][took], took, row, height, em)) < cost:
                    cost, step = whole, (took, row.count)
            costs[read][seen], steps[read, seen] = cost, step
    return None if costs[-1][-1] == inf else _Fit(costs[-1][-1], _walked(texts, places, steps))


def _steps(rows: Sequence[_Row], read: int) -> Iterator[tuple[_Row, int]]:
    """Yield how many places may hold how many texts: one each, or one of them several of the others."""
    for row in rows:
        for took in range(1, min(_MOST if row.count == 1 else 1, read) + 1):
            yield row, took


def _rows_before(places: Sequence[Place], seen: int, height: float) -> Iterator[_Row]:
    for count in range(1, min(_MOST, seen) + 1):
        there = places[seen - count : seen]
        top, bottom = min(place.box.y0 for place in there), max(place.box.y1 for place in there)
        highest = max(max(place.box.height, height) if place.is_cut else place.box.height for place in there)
        gaps = [after.box.x0 - before.box.x1 for before, after in pairwise(there)]
        if gaps and (bottom - top > _HIGH * highest or not -1.0 <= gaps[0] <= _GAP * highest):
            return  # they do not stand in a row, nor do they with one more
        is_torn = all(place.is_cut and place.box.height < _MOSTLY * height for place in there)
        yield _Row(count, there[-1].box.x1 - there[0].box.x0, highest, any(place.is_cut for place in there), is_torn)


def _lost(place: Place, height: float) -> float:
    """Return what it costs to take a place for no text: little, where little of a line is left, or where it is a picture, a rule or dust."""
    box = place.box
    if box.height > _HIGH * height:
        return _SLIVER if box.width < _HIGH * box.height else _PICTURE
    is_little = place.is_cut and min(box.height / _MOSTLY, box.width) < height
    is_stroke = box.width < _STROKE * box.height
    return _SLIVER if is_little or is_stroke or box.height < _LOW * height else _SKIPPED


def _misfit(width: float, texts: int, row: _Row, height: float, em: float) -> float:
    """Return how badly so many texts of some width fit a row, by how much they are too long or short."""
    slack = em * row.height if row.is_cut else 0.0
    wide, width = max(row.width, 1.0) + slack, max(width, 0.5)
    off = abs(log(wide / (em * row.height * width + slack)))
    if 0.5 * height < row.height < 2 * height:  # low letters alone make a line look smaller than it is
        off = min(off, abs(log(wide / (em * height * width + slack))))
    misfit = _STRICT * min(off, _FAR) * (2 * off - min(off, _FAR))
    if row.is_torn:
        misfit = min(misfit, _UNREAD)  # what is cut may be read as anything
    return misfit + _DIVIDED * (texts - 1) + _JOINED * (row.count - 1)


def _walked(texts: Sequence[str], places: Sequence[Place], steps: dict[tuple[int, int], tuple[int, int]]) -> list[Box]:
    found: list[Box] = []
    read, seen = len(texts), len(places)
    while read:
        took, over = steps[read, seen]
        if took:
            box = places[seen - over].box
            for place in places[seen - over + 1 : seen]:
                box = box.union(place.box)
            found += _divided(box, texts[read - took : read])[::-1]
        read, seen = read - took, seen - over
    return found[::-1]


def _divided(box: Box, texts: Sequence[str]) -> list[Box]:
    """Return the parts of a box that texts side by side in it take, by their widths."""
    unit = box.width / max(width_of(" ".join(texts)), 0.1)
    starts = [box.x0 + unit * width_of("".join(f"{text} " for text in texts[:index])) for index in range(len(texts))]
    return [
        Box(x0=start, y0=box.y0, x1=min(start + unit * width_of(text), box.x1), y1=box.y1)
        for start, text in zip(starts, texts, strict=True)
    ]
