"""Tiles of a grid, each of one column of text: a tile that shows parts of two is read across the gutter. It knows boxes only."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import pairwise

from pipeline.documents.tiles import grid, side_of, uncut
from pipeline.documents.whitespace import widened, with_places
from schemas.box import Box
from schemas.view import Region

_LEAST = 1 / 3
"""What is lower than this part of a tile, beside a column, is read in one view with it: two addresses, a caption. What stands so far below a
column is none of it: the page's number."""


def grid_of(lines: Sequence[Box], width_pt: float, height_pt: float, resolution: int) -> list[Region]:
    """Return a page's tiles with the places of its lines, which come in reading order.

    Where columns stand side by side each has a grid of its own, and so has what is above, between and below them; tiles of white are left out.
    """
    page, side = Box(x0=0.0, y0=0.0, x1=width_pt, y1=height_pt), side_of(width_pt, height_pt, resolution)
    areas = [(page, lines)]
    if len(parts := stretches(lines, side)) > 1:
        areas = [(_area(lines, part, page, side), lines[part.start : part.stop]) for part in parts]
    tiles = [
        with_places(tile, own)
        for area, own in areas
        for tile in uncut(grid(width_pt, height_pt, resolution, area), own, height_pt)
    ]
    shown = [tile for tile in tiles if tile.places or len(areas) == 1]
    return [replace(tile, name=f"tile-{index:03}") for index, tile in enumerate(shown)]


def stretches(lines: Sequence[Box], side: float) -> list[range]:
    """Return the indices of lines, which come in reading order, in stretches: each column by itself, and what is above, between and below.

    `side` is that of a tile. Columns stand beside one another, so that the order leads up again from the foot of one to the head of the next.
    """
    cuts = {0, len(lines)}
    for head in range(1, len(lines)):
        if lines[head].y0 < lines[head - 1].y0 and lines[head].x0 >= lines[head - 1].x1:
            start, end = _beside(lines, head, _LEAST * side)
            if min(_around(lines[start:head]).height, _around(lines[head:end]).height) >= _LEAST * side:
                cuts |= {start, head, end}
    found = [range(start, end) for start, end in pairwise(sorted(cuts))]
    return [part for whole in found for part in _clear(lines, whole)] if len(found) > 1 else found


def _clear(lines: Sequence[Box], whole: range) -> Iterator[range]:
    """Yield a stretch in parts around which a box can be drawn that touches no line of another: a speck beside a column is none of what follows."""
    others = [line for index, line in enumerate(lines) if index not in whole]
    start, box = whole.start, lines[whole.start]
    for index in whole:
        around = box.union(lines[index])
        if any(around.intersection(line) > 0 for line in others) and index > start:
            yield range(start, index)
            start, around = index, lines[index]
        box = around
    yield range(start, whole.stop)


def _beside(lines: Sequence[Box], head: int, far: float) -> tuple[int, int]:
    """Return where the columns begin that end before `head`, and behind which line those end that begin there; what is `far` below is none."""
    top, right = lines[head].y0 - lines[head].height, lines[head].x0
    start = end = head
    while start > 0 and lines[start - 1].x1 <= right and lines[start - 1].y0 >= top:
        start -= 1
    left = max(line.x1 for line in lines[start:head])
    while end < len(lines) and lines[end].x0 >= left and (end == head or lines[end].y0 - lines[end - 1].y1 < far):
        end += 1
    return start, end


def _area(lines: Sequence[Box], part: range, page: Box, side: float) -> Box:
    """Return the part of the page that holds a stretch: all of its width, where nothing stands beside it, and some white; more around little."""
    box = _around(lines[part.start : part.stop])
    others = [line for index, line in enumerate(lines) if index not in part]
    band = box.model_copy(update={"x0": page.x0, "x1": page.x1})
    if any(band.intersection(line) > 0 for line in others):
        band = box
    if max(band.width, band.height) < _LEAST * side:
        band = widened(band, others, page, (side / 4, side / 8, side / 16))
    return widened(band, others, page)


def _around(lines: Sequence[Box]) -> Box:
    return reduce(Box.union, lines)
