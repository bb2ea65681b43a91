"""The order in which a person reads the lines of a page: columns one after another, tables row by row, a cell's lines together.

It knows boxes only. What spans the columns ends them; columns are told from tables by their lines, which fill them.
"""

from collections.abc import Sequence
from math import inf
from statistics import median

from pipeline.documents.blocks import blocks_from
from pipeline.documents.labelled import fields_from
from pipeline.documents.rows import Gutter, are_level, gaps, narrowed, rows_of, sides, stand_beside
from schemas.box import Box

_LEAST_LINES = 3
"""Fewer lines side by side are no columns."""
_LONG_EM = 12.0
"""Lines this long, in their own heights, are running text: the cells of a table seldom are."""
_SHORT_EM = 6.0
_FULL = 0.55
"""Shorter ones are, down to _SHORT_EM, if the median line fills at least this part of its column."""
_BESIDE = 0.5
"""So many lines of the column that has fewer stand beside one of the other."""
_ALONE = 2.2
"""A first or last line so far from its column, in its height, is none of it."""
_LEAST_CELLS = 3
"""In a row of two, what stands under the one may as well be a row of its own."""
_TIGHT, _TIGHTER = 0.7, 0.8
"""A line goes on in the line under it, in a cell, if that is so near, in its height, and so much nearer than what stands above and below."""

_INSET_EM, _FLUSH_EM = 0.2, 0.5
"""A cell's lines begin under one another, and amounts end so, but for so much of a line's height."""
_LEAST_BLOCK, _ABOVE_EM = 2, 1.0
"""So many lines to the right, and so far above the column at the left, are no column beside it."""
_SAME_SIZE = 1.3
"""In a row of two, what goes on is as high."""
_FEW_PAIRS = 8
"""More lines that are short are columns even where all of them are level."""


def reading_order(boxes: Sequence[Box]) -> list[int]:
    """Return the indices of the boxes, one a line of text, in the order in which they are read."""
    return _order(list(range(len(boxes))), boxes)


def _order(items: list[int], boxes: Sequence[Box]) -> list[int]:
    """Read bands from top to bottom, and bands that share a gutter as columns."""
    rows = rows_of(items, boxes)
    ordered: list[int] = []
    start = 0
    while start < len(rows):
        end, fields = fields_from(rows, start, boxes)
        if fields:
            ordered += fields
            start = end
            continue
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
            before = rows[start - 2] if start > 1 else []
            while start < len(rows) and (cell := _continued(cells, above, rows[start : start + 2], before, boxes)):
                cell += rows[start]
                start += 1
            ordered += [item for cell in cells for item in cell]
            continue
        for side in _in_turn(left, right, boxes):
            ordered += _order(side, boxes)
        start = end
    return ordered


def _in_turn(left: list[int], right: list[int], boxes: Sequence[Box]) -> list[list[int]]:
    """Return two groups side by side in the order in which they are read: the left one first, but for one that hardly stands beside the other."""
    one, other = ([boxes[item] for item in side] for side in (left, right))
    if stand_beside(one, other):
        return [left, right]
    return sorted((left, right), key=lambda side: min(boxes[item].y0 for item in side))


def _continued(
    cells: list[list[int]], above: float, below: list[list[int]], before: list[int], boxes: Sequence[Box]
) -> list[int] | None:
    """Return the cell of a row that goes on in the row below; None if none does. The row stands so far under what is above it, the row `before`."""
    if len(below[0]) > 1:
        return None
    if len(cells) < _LEAST_CELLS and not _is_of_list([cell[0] for cell in cells], before, below[1:], boxes):
        return None
    line = boxes[below[0][0]]
    for cell in cells:
        last = boxes[cell[-1]]
        gap = line.y0 - last.y1
        following = min((boxes[item].y0 for item in below[1]), default=inf) - line.y1 if len(below) > 1 else inf
        begins, ends = line.x0 - last.x0, line.x1 - last.x1
        is_under = min(abs(begins), abs(ends), abs(begins + ends) / 2) < _INSET_EM * last.height
        is_like = len(cells) >= _LEAST_CELLS or last.height < _SAME_SIZE * line.height < _SAME_SIZE**2 * last.height
        if is_under and is_like and gap < _TIGHT * last.height and gap < _TIGHTER * min(above, following):
            return cell
    return None


def _is_of_list(cells: list[int], before: list[int], after: list[list[int]], boxes: Sequence[Box]) -> bool:
    """Say whether a row of two goes on a list of names with amounts, which end under one another, and is not its end."""
    if not after or not len(before) == len(cells) == len(after[0]):
        return False
    height = boxes[cells[0]].height
    ends = [max(boxes[item].x1 for item in row) for row in (before, cells)]
    return _apart(before, cells, boxes) <= height and abs(ends[0] - ends[1]) <= _FLUSH_EM * height


def _apart(row: list[int], other: list[int], boxes: Sequence[Box]) -> float:
    """Return how far apart two rows are, from the lower edge of the upper one."""
    (top, bottom), (other_top, other_bottom) = (
        (min(boxes[item].y0 for item in each), max(boxes[item].y1 for item in each)) for each in (row, other)
    )
    return max(other_top - bottom, top - other_bottom)


def _columns_from(rows: list[list[int]], start: int, boxes: Sequence[Box]) -> tuple[int, float | None]:
    """Return where the columns that begin at row `start` end, and their leftmost gutter's middle; None if none begin there."""
    for gap in gaps(rows[start], boxes):
        end, gutter = start, gap
        while end < len(rows) and (left := narrowed(gutter, rows[end], boxes)) is not None:
            gutter = left
            end += 1
        while end - start > 1 and _stands_alone([boxes[item] for item in rows[end - 1]], rows[start : end - 1], boxes, gutter):
            end -= 1
        block = [item for row in rows[start:end] for item in row]
        if (
            _are_columns(block, gutter, boxes)
            and not _is_above(rows[start:end], gutter, boxes)
            and not any(_stands_alone([boxes[item]], rows[start + 1 : end], boxes, gutter) for item in rows[start])
        ):
            return end, (gutter[0] + gutter[1]) / 2
    return blocks_from(rows, start, boxes)


def _is_above(rows: list[list[int]], gutter: Gutter, boxes: Sequence[Box]) -> bool:
    """Say whether what is right of a gutter begins with a block of its own, above all that is left of it: a letterhead over an address."""
    is_left, _ = sides(gutter)
    first = next(index for index, row in enumerate(rows) if any(is_left(boxes[item]) for item in row))
    if first < _LEAST_BLOCK:
        return False
    bottom = max(boxes[item].y1 for row in rows[:first] for item in row)
    line = boxes[rows[first][0]]
    return min(boxes[item].y0 for item in rows[first]) - bottom > _ABOVE_EM * line.height


def _are_columns(block: list[int], gutter: Gutter, boxes: Sequence[Box]) -> bool:
    left, right = ([boxes[item] for item in block if is_there(boxes[item])] for is_there in sides(gutter))
    return (
        all(_is_text(side) for side in (left, right))
        and stand_beside(left, right)
        and _are_beside(*sorted((left, right), key=len))
        and not _are_pairs(left, right)
    )


def _are_beside(fewer: list[Box], more: list[Box]) -> bool:
    """Say whether most lines of the column that has fewer have a line of the other beside them; else the two take turns down the page."""
    beside = sum(any(line.y0 < other.y1 and line.y1 > other.y0 for other in more) for line in fewer)
    return beside >= _BESIDE * len(fewer)


def _are_pairs(left: list[Box], right: list[Box]) -> bool:
    """Say whether a few short lines on either side are names with their values: each level with one of the other."""
    if len(left) != len(right) or len(left) > _FEW_PAIRS or (_is_long(left) and _is_long(right)):
        return False
    return all(any(are_level(one, other) for other in right) for one in left)


def _is_long(lines: list[Box]) -> bool:
    return median(line.width for line in lines) >= _LONG_EM * median(line.height for line in lines)


def _stands_alone(line: list[Box], rows: list[list[int]], boxes: Sequence[Box], gutter: Gutter) -> bool:
    """Say whether one line is far above or below the others of its column: a running head, or the page's number."""
    if len(line) > 1:
        return False
    is_left = line[0].x1 <= gutter[0]
    column = [boxes[item] for row in rows for item in row if (boxes[item].x1 <= gutter[0]) == is_left]
    apart = min((max(box.y0 - line[0].y1, line[0].y0 - box.y1) for box in column), default=0.0)
    return apart > _ALONE * line[0].height


def _is_text(lines: list[Box]) -> bool:
    """Say whether these are lines of running text, in one column or more, and not a table's cells."""
    if len(lines) < _LEAST_LINES:
        return False
    width = max(line.x1 for line in lines) - min(line.x0 for line in lines)
    typical, height = median(line.width for line in lines), median(line.height for line in lines)
    return typical >= _LONG_EM * height or (typical >= _SHORT_EM * height and typical >= _FULL * width)


def _middle(box: Box) -> float:
    return (box.x0 + box.x1) / 2
