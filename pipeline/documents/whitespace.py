"""Tiles cut where a page is white, between lines and between columns and never through one; it knows only a picture of the page.

Lines of print are found in the picture, put into reading order, and packed into tiles: each tile holds lines that follow one another and
nothing else, so that the texts of the tiles, one after another, are the page's, nothing twice and nothing missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.documents.ink import darkest
from pipeline.documents.order import reading_order
from pipeline.documents.tiles import PIXELS_PER_POINT, grid
from schemas.box import Box
from schemas.view import Affine, Region

_WORD_GAP_PT = 9.0
"""Print closer than this along a line is one line; a gutter between columns is wider."""
_RULE_PT = 40.0
"""Strokes longer than this are rules or borders and no print."""
_INK = 40
PICTURE_PX = 1792
"""The side of the picture in which lines are found: in half of it the lines of dense print touch."""
_LEAST_PT = 1.0
_PAD_PT = 4.0
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
    lines = find_lines(picture, width_pt, height_pt)
    lines = [line for group in _grouped(lines, blocks) for line in (group[index] for index in reading_order(group))]
    side = resolution / PIXELS_PER_POINT
    tiles = _packed(lines, side)
    most = _MORE_THAN_GRID * len(grid(width_pt, height_pt, resolution)) + 2
    while len(tiles) > most:
        side *= 1.25
        tiles = _packed(lines, side)
    boxes = [_padded(tile, lines, page) for tile in tiles] or [page]
    return [Region(f"tile-{index:03}", Affine.of_box(box)) for index, box in enumerate(boxes)]


def find_lines(picture: NDArray[np.uint8], width_pt: float, height_pt: float) -> list[Box]:
    """Return the boxes of what is printed, a line or a picture each, in points, in no order; none of them overlap."""
    height, width = picture.shape[:2]
    fx, fy = width / width_pt, height / height_pt
    ink = _ink(picture)
    for size in ((max(3, round(_RULE_PT * fx)), 1), (1, max(3, round(_RULE_PT * fy)))):
        rules = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(size[::-1], np.uint8))
        ink = np.asarray(cv2.subtract(ink, rules), dtype=np.uint8)
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, max(1, round(_WORD_GAP_PT * fx)) | 1), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    corners = np.array(
        [(x, y, x + across, y + down) for x, y, across, down, _ in stats[1:count].tolist()], dtype=np.float64
    ).reshape(-1, 4)
    corners /= (fx, fy, fx, fy)
    corners = corners[np.maximum(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]) >= _LEAST_PT]
    return [Box(x0=x0, y0=y0, x1=x1, y1=y1) for x0, y0, x1, y1 in _merged(corners).tolist()]


def _ink(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 255 where the page is darker than its paper, the brightest within some millimetres."""
    tone = darkest(picture)
    paper = cv2.morphologyEx(tone, cv2.MORPH_CLOSE, np.ones((31, 31), np.uint8))
    return np.asarray(np.where(cv2.subtract(paper, tone) > _INK, 255, 0), dtype=np.uint8)


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
        x, y = (line.x0 + line.x1) / 2, (line.y0 + line.y1) / 2
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


def _padded(tile: _Tile, lines: Sequence[Box], page: Box) -> Box:
    """Return the tile with some white around, as much as touches no other line."""
    for pad in (_PAD_PT, _PAD_PT / 2, _PAD_PT / 4):
        box = Box(
            x0=max(tile.box.x0 - pad, page.x0),
            y0=max(tile.box.y0 - pad, page.y0),
            x1=min(tile.box.x1 + pad, page.x1),
            y1=min(tile.box.y1 + pad, page.y1),
        )
        if not any(box.intersection(line) > 0 for index, line in enumerate(lines) if not tile.start <= index < tile.end):
            return box
    return tile.box
