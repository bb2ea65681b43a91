"""Tiles cut where a page is white, between lines and between columns and never through one; it knows only a picture of the page.

Lines of print are found in the picture, put into reading order, and packed into tiles: each tile holds lines that follow one another and
nothing else, so that the texts of the tiles, one after another, are the page's, nothing twice and nothing missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.documents.ink import components, darkest, mask_of
from pipeline.documents.leading import parted, untangled
from pipeline.documents.order import reading_order
from pipeline.documents.rules import frames, rules
from pipeline.documents.tiles import PIXELS_PER_POINT, grid
from schemas.box import Box
from schemas.view import Affine, Region

_WORD_GAP_PT = 9.0
"""Print closer than this along a line is one line; a gutter between columns is wider."""
_INK = 40
PICTURE_PX = 1792
"""The side of the picture in which lines are found: in half of it the lines of dense print touch."""
_LEAST_PT = 0.3, 1.0
"""Less of a line than this, across and down, is not seen in a view."""
_DUST_PT, _SPECK_PT, _HAIR_PT = 2.0, 0.9, 0.5
"""What is smaller and stands alone is dust. Specks, which are less than full stops, and hairs, which are thinner than stems and all that a scan
has left of some rules, join nothing across a gutter."""
_GAP_EM = 1.15
"""The widest gap between words of one line, in heights of what is printed."""
_NEAR_EM, _FLUSH_EM, _LEAST_FLUSH = 6.0, 0.2, 3
"""Right of a gutter so many lines near by begin under one another, but for so much of a line's height, and few stand across it: a headline."""
_PADS_PT = 4.0, 2.0, 1.0
_MORE_THAN_GRID = 2
"""Where rows are wider than a tile, as in large tables, each cell would be one: beyond this many times a grid's tiles they grow."""


@dataclass(frozen=True, slots=True)
class _Tile:
    """The lines from `start` to `end`, which stands behind the last of them."""

    box: Box
    start: int
    end: int


def cut(
    picture: NDArray[np.uint8], width_pt: float, height_pt: float, resolution: int, blocks: Sequence[Box] = ()
) -> list[Region]:
    """Return the tiles in reading order; `picture` shows the whole page, RGB (height, width, 3). A page without print is one tile.

    `blocks`, in points, are the parts of the page in their order, where that is known: paragraphs, tables, pictures.
    """
    page = Box(x0=0.0, y0=0.0, x1=width_pt, y1=height_pt)
    lines = in_order(find_lines(picture, width_pt, height_pt), blocks)
    side = resolution / PIXELS_PER_POINT
    tiles = _packed(lines, side)
    most = _MORE_THAN_GRID * len(grid(width_pt, height_pt, resolution)) + 2
    while len(tiles) > most:
        side *= 1.25
        tiles = _packed(lines, side)
    boxes = [widened(tile.box, [*lines[: tile.start], *lines[tile.end :]], page) for tile in tiles] or [page]
    regions = [Region(f"tile-{index:03}", Affine.of_box(box)) for index, box in enumerate(boxes)]
    return (
        [with_places(region, lines[tile.start : tile.end]) for region, tile in zip(regions, tiles, strict=True)]
        if tiles
        else regions
    )


def in_order(lines: list[Box], blocks: Sequence[Box] = ()) -> list[Box]:
    """Return lines in the order in which they are read, block by block where blocks are known."""
    return [group[index] for group in _grouped(lines, blocks) for index in reading_order(group)]


def with_places(region: Region, lines: Sequence[Box]) -> Region:
    """Return an upright region with the places of the lines that it shows, which come in reading order."""
    shown = region.affine.box(0.0, 0.0, 1.0, 1.0)
    across, down = _LEAST_PT
    places: list[float] = []
    for line in lines:
        x0, y0 = max(line.x0, shown.x0), max(line.y0, shown.y0)
        x1, y1 = min(line.x1, shown.x1), min(line.y1, shown.y1)
        if x1 - x0 >= across and y1 - y0 >= down:
            corners = (*region.affine.fraction(x0, y0), *region.affine.fraction(x1, y1))
            places += (round(number, 4) for number in corners)
    return replace(region, places=tuple(places))


def widened(box: Box, others: Sequence[Box], page: Box, pads: Sequence[float] = _PADS_PT) -> Box:
    """Return a box with some white on each side, within the page: the first of the `pads`, in points, that touches none of the others."""
    for side, away in (("y0", -1.0), ("y1", 1.0), ("x0", -1.0), ("x1", 1.0)):
        limit: float = getattr(page, side)
        for pad in pads:
            edge = away * min(away * (getattr(box, side) + away * pad), away * limit)
            wider = box.model_copy(update={side: edge})
            if not any(wider.intersection(line) > 0 for line in others):
                box = wider
                break
    return box


def find_lines(picture: NDArray[np.uint8], width_pt: float, height_pt: float) -> list[Box]:
    """Return the boxes of what is printed, a line or a picture each, in points, in no order; none of them overlap. Dust is left out."""
    fx, fy = picture.shape[1] / width_pt, picture.shape[0] / height_pt
    ink = _ink(picture)
    return _lines_of(np.asarray(cv2.subtract(ink, rules(ink, fx, fy)), dtype=np.uint8), fx, fy)


def find_print(picture: NDArray[np.uint8], width_pt: float, height_pt: float) -> list[Box]:
    """Return the same where no tile is cut by it: forms' frames are left out too, and with them, here and there, what looks like them."""
    fx, fy = picture.shape[1] / width_pt, picture.shape[0] / height_pt
    ink = _ink(picture)
    return _lines_of(np.asarray(cv2.subtract(ink, rules(ink, fx, fy) | frames(ink, fx, fy)), dtype=np.uint8), fx, fy)


def _lines_of(ink: NDArray[np.uint8], fx: float, fy: float) -> list[Box]:
    labels, marks = components(ink)
    across, down = marks[:, 2] / fx, marks[:, 3] / fy
    is_print = (across >= _HAIR_PT) & ((across >= _SPECK_PT) | (down >= _SPECK_PT))
    is_print[0] = False  # the paper
    ink = mask_of(labels, is_print)
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, max(1, round(_WORD_GAP_PT * fx)) | 1), np.uint8))
    count, of, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = np.asarray(stats[1:count, :4], dtype=np.int32)
    lines = untangled(parted(found, np.asarray(of, dtype=np.int32), ink, marks[is_print, :4]))
    corners = np.array(lines, dtype=np.float64).reshape(-1, 4)
    corners /= (fx, fy, fx, fy)
    corners = _merged(_joined(_merged(corners)))
    corners = corners[np.maximum(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]) >= _DUST_PT]
    return [Box(x0=x0, y0=y0, x1=x1, y1=y1) for x0, y0, x1, y1 in corners.tolist()]


def _ink(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 255 where the page is darker than its paper, the brightest within some millimetres, its grain evened out."""
    tone = cv2.GaussianBlur(darkest(picture), (3, 3), 0)
    height, width = tone.shape
    small = cv2.resize(tone, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    paper = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.where(cv2.subtract(paper, tone) > _INK, 255, 0), dtype=np.uint8)


def _joined(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Join what stands in a row with gaps narrower than a gutter of its size: words of large print."""
    rest = boxes[np.argsort(boxes[:, 0])].tolist()
    for index, box in enumerate(rest):
        for earlier in rest[:index]:
            high = max(box[3] - box[1], earlier[3] - earlier[1])
            shared = min(box[3], earlier[3]) - max(box[1], earlier[1])
            if shared > 0.5 * high and 0 <= box[0] - earlier[2] < _GAP_EM * high and not _is_gutter(boxes, earlier, box):
                earlier[2] = box[0]  # they now touch, and are merged
                earlier[1], earlier[3] = min(earlier[1], box[1]), max(earlier[3], box[3])
                box[0] -= 0.01
    return np.array(rest, dtype=np.float64).reshape(-1, 4)


def _is_gutter(boxes: NDArray[np.float64], left: Sequence[float], right: Sequence[float]) -> bool:
    """Say whether what is between two boxes of a row is a gutter, and no gap between words: those are not under one another."""
    high, middle = max(left[3] - left[1], right[3] - right[1]), (left[2] + right[0]) / 2
    near = boxes[(boxes[:, 1] < right[3] + _NEAR_EM * high) & (boxes[:, 3] > right[1] - _NEAR_EM * high)]
    crossing = (near[:, 0] < middle) & (near[:, 2] > middle)
    flush = np.abs(near[:, 0] - right[0]) <= _FLUSH_EM * high
    return int(flush.sum()) > max(_LEAST_FLUSH, 3 * int(crossing.sum()))


def _merged(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Merge boxes that overlap, dots and accents with their letters, until none do."""
    rest = [tuple(box) for box in boxes.tolist()]
    merged = True
    while merged:
        merged = False
        kept: list[tuple[float, ...]] = []
        array = np.empty((len(rest), 4))
        for box in sorted(rest, key=lambda each: each[1]):
            known = array[: len(kept)]
            near = (known[:, 0] < box[2]) & (known[:, 2] > box[0]) & (known[:, 1] < box[3]) & (known[:, 3] > box[1])
            if near.any():
                index = int(np.argmax(near))
                other = kept[index]
                joint = (min(box[0], other[0]), min(box[1], other[1]), max(box[2], other[2]), max(box[3], other[3]))
                kept[index], array[index], merged = joint, joint, True
            else:
                array[len(kept)] = box
                kept.append(box)
        rest = kept
    return np.array(rest, dtype=np.float64).reshape(-1, 4)


def _grouped(lines: list[Box], blocks: Sequence[Box]) -> list[list[Box]]:
    """Give each line to the block that is nearest to its centre."""
    if not blocks:
        return [lines]
    groups: list[list[Box]] = [[] for _ in blocks]
    corners = np.array([(block.x0, block.y0, block.x1, block.y1) for block in blocks])
    for line in lines:
        x, y = line.middle
        away_x = np.maximum(np.maximum(corners[:, 0] - x, x - corners[:, 2]), 0)
        away_y = np.maximum(np.maximum(corners[:, 1] - y, y - corners[:, 3]), 0)
        groups[int(np.argmin(np.hypot(away_x, away_y)))].append(line)
    return groups


def _packed(lines: Sequence[Box], side: float) -> list[_Tile]:
    """Fill tiles with lines in order, as long as they fit and hold no other line; a line longer than a tile widens it."""
    tiles: list[_Tile] = []
    index = 0
    while index < len(lines):
        grown = _grown(tiles[-1], lines, side) if tiles else None
        if grown is None:
            tiles.append(_Tile(lines[index], index, index + 1))
        else:
            tiles[-1] = grown
        index = tiles[-1].end
    return tiles


def _grown(tile: _Tile, lines: Sequence[Box], side: float) -> _Tile | None:
    """Return the tile with the next line, and with those after it that the joint box would cut; None if that does not fit."""
    box, end = tile.box.union(lines[tile.end]), tile.end + 1
    widest = max(side, tile.box.width, lines[tile.end].width)
    while box.width <= widest and box.height <= side:
        others = [index for index, line in enumerate(lines) if not tile.start <= index < end and box.intersection(line) > 0]
        if not others:
            return _Tile(box, tile.start, end)
        if min(others) < tile.start:
            return None
        for index in range(end, max(others) + 1):
            box = box.union(lines[index])
        end = max(others) + 1
    return None
