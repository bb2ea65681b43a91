"""How well texts fit places of print that come in the same order, by how wide a text is set: the cheapest way to lay the ones on the others.

Pure; it knows strings and boxes only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, log
from statistics import median

from pipeline.agreement import Said, agreement
from pipeline.widths import width_of
from schemas.box import Box

EMS = 0.65, 0.5, 0.85
"""How wide a common small letter is, in heights of its line as it is inked: what is tried first, in common, narrow and wide faces."""

_STRICT, _FAR, _UNREAD = 6.0, 0.25, 0.6
"""A text that is longer or shorter than its place by e to some power costs so many times its square; beyond _FAR it grows evenly."""
_SKIPPED, _PICTURE, _SLIVER = 2.0, 0.8, 0.3
"""What it costs to take a place for no text; one that is too high; one of which an edge leaves little."""
_SAID = 1.0
"""What it is worth to a text that another view says the same there."""
_MOSTLY = 0.7
"""Less of a line's height is little."""
_STROKE = 0.2
"""What is narrower, in its own height, is a rule rather than a letter that stands alone."""
_HIGH, _LOW, _GAP = 1.7, 0.35, 3.0
"""What is so many times as high as most lines may be a picture, or dust; words of a line stand closer than this, in its height."""
_DUST = 0.3
"""What it costs to put a text on dust, be it ever so slim."""
_FRAMED = 0.1
"""So far off is a text at the least that fits a high place only if it is lower than that, as in a frame."""
_DIVIDED, _JOINED = 1.5, 0.2
"""What it costs to put one more text on a place, and to put a text on one more."""
_MOST = 4
"""So many texts may stand on one place, or one text on so many."""
_BAND = 16
"""Texts are sought so many places before and behind where they would stand if none were missing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where print was seen in a view; `said`: what other views read there.

    `is_cut`: it touches an edge at the view's side, and may go on behind it; `is_torn`: one above or below, and may be higher than it looks.
    """

    box: Box
    is_cut: bool = False
    is_torn: bool = False
    said: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Fit:
    """The box of each text, None of one that was set aside, what it costs to put them there, and how many places of lines are left over."""

    cost: float
    boxes: list[Box | None]
    left_over: int


@dataclass(frozen=True, slots=True)
class _Row:
    """Places in a row: from where to where, how high its print, whether an edge cuts it or has left little of its height, and what was said there."""

    count: int
    x0: float
    x1: float
    height: float
    is_cut: bool
    is_torn: bool
    said: tuple[Said, ...]


def fitted(texts: Sequence[str], places: Sequence[Place], height: float, em: float, aside: Sequence[float]) -> Fit | None:
    """Fit the texts, each of which can be set aside at a cost; and once more when it is known how wide this print is set."""
    rows = [list(_rows_before(places, seen, height)) for seen in range(len(places) + 1)]
    first = _aligned(texts, places, rows, height, em, aside)
    if first is None:
        return None
    wide = [box.width / max(box.height * width_of(text), 0.1) for text, box in zip(texts, first.boxes, strict=True) if box]
    if not wide:
        return first
    second = _aligned(texts, places, rows, height, min(max(median(wide), min(EMS)), max(EMS)), aside)
    return min(first, second or first, key=lambda each: each.cost)


def _aligned(
    texts: Sequence[str], places: Sequence[Place], rows: list[list[_Row]], height: float, em: float, aside: Sequence[float]
) -> Fit | None:
    costs = [[inf] * (len(places) + 1) for _ in range(len(texts) + 1)]
    costs[0][0] = 0.0
    steps: dict[tuple[int, int], tuple[int, int]] = {}
    lost = [_lost(place, height) for place in places]
    widths = [
        [width_of(" ".join(texts[max(end - took, 0) : end])) for took in range(_MOST + 1)] for end in range(len(texts) + 1)
    ]
    spare = len(places) - len(texts)
    for read in range(len(texts) + 1):
        text = texts[read - 1] if read else ""
        for seen in range(max(0, read + min(spare, 0) - _BAND), min(len(places), read + max(spare, 0) + _BAND) + 1):
            cost, step = (costs[read][seen - 1] + lost[seen - 1], (0, 1)) if seen else (costs[read][0], (0, 0))
            if read and (without := costs[read - 1][seen] + aside[read - 1]) < cost:
                cost, step = without, (1, 0)
            for row, took in _steps(rows[seen], read):
                before = costs[read - took][seen - row.count] - (_gain(text, row) if took == 1 else 0.0)
                if before < cost and (whole := before + _misfit(widths[read][took], took, row, height, em)) < cost:
                    cost, step = whole, (took, row.count)
            costs[read][seen], steps[read, seen] = cost, step
    return None if costs[-1][-1] == inf else Fit(costs[-1][-1], *_walked(texts, places, steps, lost))


def _steps(rows: Sequence[_Row], read: int) -> Iterator[tuple[_Row, int]]:
    """Yield how many places may hold how many texts: one each, or one of them several of the others."""
    for row in rows:
        for took in range(1, min(_MOST if row.count == 1 else 1, read) + 1):
            yield row, took


def _rows_before(places: Sequence[Place], seen: int, height: float) -> Iterator[_Row]:
    for count in range(1, min(_MOST, seen) + 1):
        there = places[seen - count : seen]
        top, bottom = min(place.box.y0 for place in there), max(place.box.y1 for place in there)
        highest = max(max(place.box.height, height) if place.is_torn else place.box.height for place in there)
        if count > 1 and (bottom - top > _HIGH * highest or not _are_words(there[0].box, there[1].box, height)):
            return  # they do not stand in a row, nor do they with one more
        yield _Row(
            count,
            there[0].box.x0,
            there[-1].box.x1,
            highest,
            is_cut=any(place.is_cut or place.is_torn for place in there),
            is_torn=all(_has_little_height(place, height) for place in there),
            said=tuple(said for place in there for said in place.said),
        )


def _are_words(one: Box, other: Box, height: float) -> bool:
    """Say whether two places may be words of one line: side by side, and no further apart than print of their size stands."""
    lower, higher = sorted((one.height, other.height))
    size = max(lower, min(height, higher))
    return min(one.y1, other.y1) > max(one.y0, other.y0) and -1.0 <= other.x0 - one.x1 <= _GAP * size


def _lost(place: Place, height: float) -> float:
    """Return what it costs to take a place for no text: little, where little of a line is left, or where it is a picture, a rule or dust."""
    box = place.box
    if box.height > _HIGH * height:
        return _SLIVER if box.width < _HIGH * box.height else _PICTURE
    is_little = _has_little_height(place, height) or (place.is_cut and box.width < height)
    is_stroke = box.width < _STROKE * box.height
    return _SLIVER if is_little or is_stroke or box.height < _LOW * height else _SKIPPED


def _has_little_height(place: Place, height: float) -> bool:
    return place.is_torn and place.box.height < _MOSTLY * height


def _gain(text: str, row: _Row) -> float:
    """Return what it is worth to a text that other views read in a row what it says."""
    return _SAID * max((agreement(Said(text, row.x0, row.x1), said) for said in row.said), default=0.0)


def _misfit(width: float, texts: int, row: _Row, height: float, em: float) -> float:
    """Return how badly so many texts of some width fit a row, by how much they are too long or short."""
    slack = em * row.height if row.is_cut else 0.0
    wide, width = max(row.x1 - row.x0, 1.0) + slack, max(width, 0.5)
    as_high, as_most = (log(wide / (em * each * width + slack)) for each in (row.height, height))
    off = abs(as_high)
    if row.height > _HIGH * height:  # print within a frame is lower than that
        off = min(off, max(0.0, as_high, -as_most) + _FRAMED)
    if 0.5 * height < row.height < 2 * height:  # low letters alone make a line look smaller than it is
        off = min(off, abs(as_most))
    misfit = _STRICT * min(off, _FAR) * (2 * off - min(off, _FAR))
    if row.is_torn:
        misfit = min(misfit, _UNREAD)  # what is cut may be read as anything
    dust = _DUST if row.height < _LOW * height else 0.0
    return misfit + dust + _DIVIDED * (texts - 1) + _JOINED * (row.count - 1)


def _walked(
    texts: Sequence[str], places: Sequence[Place], steps: dict[tuple[int, int], tuple[int, int]], lost: Sequence[float]
) -> tuple[list[Box | None], int]:
    found: list[Box | None] = []
    left_over = 0
    read, seen = len(texts), len(places)
    while read or seen:
        took, over = steps[read, seen]
        left_over += not took and lost[seen - 1] == _SKIPPED
        if took and not over:
            found.append(None)
        elif took:
            box = places[seen - over].box
            for place in places[seen - over + 1 : seen]:
                box = box.union(place.box)
            found += _divided(box, texts[read - took : read])[::-1]
        read, seen = read - took, seen - over
    return found[::-1], left_over


def _divided(box: Box, texts: Sequence[str]) -> list[Box]:
    """Return the parts of a box that texts side by side in it take, by their widths."""
    unit = box.width / max(width_of(" ".join(texts)), 0.1)
    starts = [box.x0 + unit * width_of("".join(f"{text} " for text in texts[:index])) for index in range(len(texts))]
    return [
        Box(x0=start, y0=box.y0, x1=min(start + unit * width_of(text), box.x1), y1=box.y1)
        for start, text in zip(starts, texts, strict=True)
    ]
