"""The order in which a person reads the lines of a page: columns one after another, tables row by row, a cell's lines together.

It knows boxes only. What spans the columns ends them; columns are told from tables by their lines, which fill them.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import inf
from statistics import median

from schemas.box import Box

_LEAST_LINES = 3
"""Fewer lines side by side are no columns."""
_GUTTER_EM = 0.8
"""A gutter is at least this wide, in heights of a line."""
_LONG_EM = 12.0
"""Lines this long, in their own heights, are running text: the cells of a table seldom are."""
_SHORT_EM = 6.0
_FULL = 0.55
"""Shorter ones are, down to _SHORT_EM, if the median line fills at least this part of its column."""
_BESIDE = 0.5
"""Columns stand side by side over this part of the shorter one; what stands higher is read first."""
_ALONE = 3.0
"""A first or last line so far from its column, in its height, is none of it."""
_LEAST_CELLS = 3
"""In a row of two, what stands under the one may as well be a row of its own."""
_TIGHT, _TIGHTER = 0.7, 0.8
"""A line goes on in the line under it, in a cell, if that is so near, in its height, and so much nearer than what stands above and below."""

_TIGHT_BLOCK, _LEVEL, _LEVEL_SHARE, _MORE, _SHORT = 0.95, 0.2, 0.34, 2, 5
"""Lines of a block stand no further apart, in their height; lines are level that are off by less; so many may be by chance. Of two
blocks one often has more lines than the other, which is no address then; a table's columns have the same rows."""
_FEW_PAIRS = 8
"""More lines that are short are columns even where all of them are level."""
_SAME_SIZE = 1.7
"""A line with long letters is so many times as high as one without, and no more."""
_APART_EM = 4.0
"""A name stands nearer to its value."""


def reading_order(boxes: Sequence[Box]) -> list[int]:
    """Return the indices of the boxes, one a line of text, in the order in which they are read."""
    return _order(list(range(len(boxes))), boxes)


def _order(items: list[int], boxes: Sequence[Box]) -> list[int]:
    """Read bands from top to bottom, and bands that share a gutter as columns."""
    rows = _rows(items, boxes)
    ordered: list[int] = []
    start = 0
    while start < len(rows):
        end, gutter = _columns_from(rows, start, boxes)
        block = [item for row in rows[start:end] for item in row]
        left = [item for item in block if gutter is not None and _middle(boxes[item]) < gutter]
        right = [item for item in block if gutter is not None and _middle(boxes[item]) >= gutter]
        if not left or not right:
            cells = [[item] for item in sorted(rows[start], key=lambda item: boxes[item].x0)]
            above = min((boxes[item].y0 for item in rows[start]), default=inf) - max(
                (boxes[item].y1 for item in ordered[-1:]), default=-inf
            )
            start += 1
            while start < len(rows) and (cell := _continued(cells, above, rows[start : start + 2], boxes)):
                cell += rows[start]
                start += 1
            ordered += [item for cell in cells for item in cell]
            continue
        ordered += _order(left, boxes) + _order(right, boxes)
        start = end
    return ordered


def _rows(items: list[int], boxes: Sequence[Box]) -> list[list[int]]:
    """Group boxes that stand side by side: each overlaps the row's first one by half of the lower of the two."""
    rows: list[list[int]] = []
    for item in sorted(items, key=lambda each: ((boxes[each].y0 + boxes[each].y1) / 2, boxes[each].x0)):
        box = boxes[item]
        if rows:
            first = boxes[rows[-1][0]]
            shared = min(first.y1, box.y1) - max(first.y0, box.y0)
            if shared > 0.5 * min(first.height, box.height):
                rows[-1].append(item)
                continue
        rows.append([item])
    return rows


def _continued(cells: list[list[int]], above: float, below: list[list[int]], boxes: Sequence[Box]) -> list[int] | None:
    """Return the cell of a row that goes on in the row below; None if none does. The row stands so far under what is above it."""
    if len(cells) < _LEAST_CELLS or len(below[0]) > 1:
        return None
    line = boxes[below[0][0]]
    for cell in cells:
        last = boxes[cell[-1]]
        gap = line.y0 - last.y1
        following = min((boxes[item].y0 for item in below[1]), default=inf) - line.y1 if len(below) > 1 else inf
        if abs(line.x0 - last.x0) < last.height and gap < _TIGHT * last.height and gap < _TIGHTER * min(above, following):
            return cell
    return None


def _columns_from(rows: list[list[int]], start: int, boxes: Sequence[Box]) -> tuple[int, float | None]:
    """Return where the columns that begin at row `start` end, and their leftmost gutter's middle; None if none begin there."""
    for gap in _gaps(rows[start], boxes):
        end, gutter = start, gap
        while end < len(rows) and (narrowed := _narrowed(gutter, rows[end], boxes)) is not None:
            gutter = narrowed
            end += 1
        while end - start > 1 and _stands_alone([boxes[item] for item in rows[end - 1]], rows[start : end - 1], boxes, gutter):
            end -= 1
        block = [item for row in rows[start:end] for item in row]
        if _are_columns(block, gutter, boxes) and not any(
            _stands_alone([boxes[item]], rows[start + 1 : end], boxes, gutter) for item in rows[start]
        ):
            return end, (gutter[0] + gutter[1]) / 2
    return _blocks_from(rows, start, boxes)


def _blocks_from(rows: list[list[int]], start: int, boxes: Sequence[Box]) -> tuple[int, float | None]:
    """Return where blocks of short lines that begin side by side at row `start` end, and the gutter's middle; None if none begin there.

    An address stands beside a list of values, a date beside an address: what tells them from a table is that their lines stand close, and are not
    level or not as many.
    """
    for gap in _gaps(rows[start], boxes):
        end, gutter, bottom = start, gap, inf
        while end < len(rows) and (narrowed := _narrowed(gutter, rows[end], boxes)) is not None:
            row = [boxes[item] for item in rows[end]]
            if any(sum(is_there(box) for box in row) > 2 for is_there in _sides(narrowed)) or min(
                box.y0 for box in row
            ) - bottom > _TIGHT_BLOCK * median(box.height for box in row):
                break
            gutter, bottom = narrowed, max(box.y1 for box in row)
            end += 1
        left, right = (
            [item for row in rows[start:end] for item in row if is_there(boxes[item])] for is_there in _sides(gutter)
        )
        far = gutter[1] - gutter[0] > _APART_EM * boxes[rows[start][0]].height
        if left and right and far and _are_blocks(_rows(left, boxes), _rows(right, boxes), boxes):
            return end, (gutter[0] + gutter[1]) / 2
    return start, None


def _sides(gutter: tuple[float, float]) -> tuple[Callable[[Box], bool], Callable[[Box], bool]]:
    return (lambda box: box.x1 <= gutter[0]), (lambda box: box.x0 >= gutter[1])


def _are_blocks(left: list[list[int]], right: list[list[int]], boxes: Sequence[Box]) -> bool:
    """Say whether rows side by side are two blocks: each of them tight, and few of them level with one of the other."""
    fewer, more = sorted((left, right), key=len)
    if len(more) < _LEAST_LINES or not all(_is_tight(side, boxes) for side in (left, right)):
        return False
    heights = [boxes[row[0]].height for row in more]
    if len(fewer) == 1 and max(heights) > _SAME_SIZE * min(heights):
        return False  # a headline and what stands under it
    top, bottom = boxes[more[0][0]].y0, boxes[more[-1][0]].y1
    if len(fewer) == 1 and not top - 1 < boxes[fewer[0][0]].y0 < boxes[fewer[0][0]].y1 < bottom:
        return False
    level = sum(any(_are_level(boxes[row[0]], boxes[other[0]]) for other in more) for row in fewer)
    return level <= _LEVEL_SHARE * len(fewer) or (len(more) - len(fewer) >= _MORE and len(fewer) <= _SHORT)


def _is_tight(rows: list[list[int]], boxes: Sequence[Box]) -> bool:
    return all(
        boxes[below[0]].y0 - boxes[above[0]].y1 <= _TIGHT_BLOCK * max(boxes[above[0]].height, boxes[below[0]].height)
        for above, below in pairwise(rows)
    )


def _are_level(one: Box, other: Box) -> bool:
    return abs(one.y0 + one.y1 - other.y0 - other.y1) < 2 * _LEVEL * min(one.height, other.height)


def _gaps(row: list[int], boxes: Sequence[Box]) -> list[tuple[float, float]]:
    """Return the gaps that could be gutters between the row's boxes, and those beside a row's only box."""
    ordered = sorted((boxes[item] for item in row), key=lambda box: box.x0)
    gaps = [(left.x1, right.x0) for left, right in pairwise(ordered)]
    gaps += [(ordered[-1].x1, float("inf")), (float("-inf"), ordered[0].x0)]
    return [gap for gap in gaps if gap[1] - gap[0] >= _GUTTER_EM * ordered[0].height]


def _narrowed(gutter: tuple[float, float], row: list[int], boxes: Sequence[Box]) -> tuple[float, float] | None:
    """Return what the row leaves of the gutter, or None if it crosses it."""
    low, high = gutter
    least = _GUTTER_EM * max(boxes[item].height for item in row)
    for item in row:
        box = boxes[item]
        if box.x1 <= low or box.x0 >= high:
            continue
        beside, before = box.x0 - low, high - box.x1  # what would be left if it stood right or left of the gutter
        if low != float("-inf") and beside >= least and (beside >= before or high == float("inf")):
            high = box.x0
        elif before >= least:
            low = box.x1
        else:
            return None
    return low, high


def _are_columns(block: list[int], gutter: tuple[float, float], boxes: Sequence[Box]) -> bool:
    left = [boxes[item] for item in block if boxes[item].x1 <= gutter[0]]
    right = [boxes[item] for item in block if boxes[item].x0 >= gutter[1]]
    return all(_is_text(side) for side in (left, right)) and _stand_beside(left, right) and not _are_pairs(left, right)


def _are_pairs(left: list[Box], right: list[Box]) -> bool:
    """Say whether a few short lines on either side are names with their values: each level with one of the other."""
    if len(left) != len(right) or len(left) > _FEW_PAIRS or (_is_long(left) and _is_long(right)):
        return False
    return all(any(_are_level(one, other) for other in right) for one in left)


def _is_long(lines: list[Box]) -> bool:
    return median(line.width for line in lines) >= _LONG_EM * median(line.height for line in lines)


def _stands_alone(line: list[Box], rows: list[list[int]], boxes: Sequence[Box], gutter: tuple[float, float]) -> bool:
    """Say whether one line is far above or below the others of its column: a running head, or the page's number."""
    if len(line) > 1:
        return False
    is_left = line[0].x1 <= gutter[0]
    column = [boxes[item] for row in rows for item in row if (boxes[item].x1 <= gutter[0]) == is_left]
    apart = min((max(box.y0 - line[0].y1, line[0].y0 - box.y1) for box in column), default=0.0)
    return apart > _ALONE * line[0].height


def _stand_beside(left: list[Box], right: list[Box]) -> bool:
    (top, bottom), (other_top, other_bottom) = (
        (min(box.y0 for box in side), max(box.y1 for box in side)) for side in (left, right)
    )
    return min(bottom, other_bottom) - max(top, other_top) >= _BESIDE * min(bottom - top, other_bottom - other_top)


def _is_text(lines: list[Box]) -> bool:
    """Say whether these are lines of running text, in one column or more, and not a table's cells."""
    if len(lines) < _LEAST_LINES:
        return False
    width = max(line.x1 for line in lines) - min(line.x0 for line in lines)
    typical, height = median(line.width for line in lines), median(line.height for line in lines)
    return typical >= _LONG_EM * height or (typical >= _SHORT_EM * height and typical >= _FULL * width)


def _middle(box: Box) -> float:
    return (box.x0 + box.x1) / 2
