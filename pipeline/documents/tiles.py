"""Which parts of a page the model looks at: the whole of it, or a grid of overlapping tiles, from its size and from where lines of print are."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from schemas.box import Box
from schemas.view import Affine, Region

PIXELS_PER_POINT = 1.4
"""Print of 8 points is then 11 pixels high: small, and still read at every resolution of PaliGemma."""
OVERLAP_PT = 24.0
"""Two lines of print, so that a line cut by one tile stands whole in the next."""
MOST_TILES = 100
"""A page so large that it would need more gets larger tiles: a plan of 10^5 points is no reason to ask 10^5 questions."""
_CUT_PT = 0.5
"""An edge that takes less of a line cuts nothing of it."""


def whole_page(width_pt: float, height_pt: float) -> Region:
    """Return the region of the page as a whole."""
    return Region("page", Affine.of_box(Box(x0=0.0, y0=0.0, x1=width_pt, y1=height_pt)))


def grid(width_pt: float, height_pt: float, resolution: int, area: Box | None = None) -> list[Region]:
    """Return overlapping, nearly square tiles that cover the page, or an area of it, row by row; `resolution` is a view's side in pixels."""
    side = side_of(width_pt, height_pt, resolution)
    area = area or Box(x0=0.0, y0=0.0, x1=width_pt, y1=height_pt)
    rows, columns = _cuts(area.height, side), _cuts(area.width, side)
    boxes = (Box(x0=area.x0 + x0, y0=area.y0 + y0, x1=area.x0 + x1, y1=area.y0 + y1) for y0, y1 in rows for x0, x1 in columns)
    return [Region(f"tile-{index:03}", Affine.of_box(box)) for index, box in enumerate(boxes)]


def side_of(width_pt: float, height_pt: float, resolution: int) -> float:
    """Return the longest that a side of a page's tiles may be, in points."""
    side = max(resolution / PIXELS_PER_POINT, 2 * OVERLAP_PT)
    while _count(width_pt, side) * _count(height_pt, side) > MOST_TILES:
        side *= 1.1
    return side


def uncut(tiles: Sequence[Region], lines: Sequence[Box], height_pt: float) -> list[Region]:
    """Return upright tiles of a page of that height, their upper and lower edges moved outwards to where they cut no line.

    What is cut is misread, and may then be taken for anything. An edge that would have to go further than OVERLAP_PT stays: lines beside one
    another need not be level. What is higher than that is no line.
    """
    low = [line for line in lines if line.height <= OVERLAP_PT]
    moved: list[Region] = []
    for tile in tiles:
        box = tile.affine.box(0.0, 0.0, 1.0, 1.0)
        shown = [line for line in low if line.x0 < box.x1 and line.x1 > box.x0]
        top = -_cleared(-box.y0, [(-line.y1, -line.y0) for line in shown])
        bottom = _cleared(box.y1, [(line.y0, line.y1) for line in shown])
        box = box.model_copy(update={"y0": max(top, 0.0), "y1": min(bottom, height_pt)})
        moved.append(replace(tile, affine=Affine.of_box(box)))
    return moved


def _cleared(edge: float, stretches: Sequence[tuple[float, float]]) -> float:
    """Return where an edge is that moves on until it cuts no stretch; where it was, if that is too far."""
    cleared = edge
    for start, end in sorted(stretches):
        if start + _CUT_PT < cleared < end - _CUT_PT:
            cleared = end
    is_clear = not any(start + _CUT_PT < cleared < end - _CUT_PT for start, end in stretches)
    return cleared if is_clear and cleared - edge <= OVERLAP_PT else edge


def _count(length: float, side: float) -> int:
    return max(1, ceil((length - OVERLAP_PT) / (side - OVERLAP_PT)))


def _cuts(length: float, side: float) -> list[tuple[float, float]]:
    """Return equal stretches, none longer than `side`, that overlap by OVERLAP_PT and cover the length."""
    count = _count(length, side)
    stretch = (length + (count - 1) * OVERLAP_PT) / count
    step = stretch - OVERLAP_PT
    return [(index * step, index * step + stretch) for index in range(count)]
