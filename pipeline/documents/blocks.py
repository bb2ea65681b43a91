"""Blocks of short lines side by side: an address beside a list of values, a date beside an address.

What tells them from a table is that their lines stand close, and are not level or not as many. It knows boxes only.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import inf
from statistics import median

from pipeline.documents.rows import Gutter, are_level, gaps, narrowed, rows_of, sides, stand_beside
from schemas.box import Box

_LEAST_LINES = 3
"""Fewer lines side by side are no blocks."""
_TIGHT, _LEVEL_SHARE, _MORE, _SHORT = 0.95, 0.34, 2, 5
"""Lines of a block stand no further apart, in their height; so many may be level by chance. Of two blocks one often has more lines than the
other, which is no address then; a table's columns have the same rows."""
_SAME_SIZE = 1.7
"""A line with long letters is so many times as high as one without, and no more."""
_NEAR_EM, _APART_EM = 1.5, 4.0
"""A name stands nearer to its value than _APART_EM, in the height of a line; lines that are not level are no names and values."""
_STEP = 0.12
"""From line to line a table's columns step alike, but for so much of a line's height."""
_FAR_EM, _LONG_EM, _RAGGED_EM = 5.0, 6.0, 0.3
"""Names are shorter, and nearer to their values; amounts end together."""
_INSET_EM = 0.2
"""Names, and their values, begin under one another, but for so much."""
_FLUSH_EM = 0.8
"""A block's lines begin together, end together or have their middles over one another, but for so much."""
_MARK_EM = 2.0
"""What is all shorter are the marks or numbers of a list, each of which belongs to the line beside it."""


def blocks_from(rows: Sequence[list[int]], start: int, boxes: Sequence[Box]) -> tuple[int, float | None]:
    """Return where blocks that begin side by side at row `start` end, and the middle of the gutter between them; None if none begin there."""
    for gap in gaps(rows[start], boxes):
        end, gutter = _until(rows, start, gap, boxes)
        left, right = ([item for row in rows[start:end] for item in row if is_there(boxes[item])] for is_there in sides(gutter))
        if left and right and _are_blocks(rows_of(left, boxes), rows_of(right, boxes), gutter, boxes):
            return end, (gutter[0] + gutter[1]) / 2
    return start, None


def _until(rows: Sequence[list[int]], start: int, gutter: Gutter, boxes: Sequence[Box]) -> tuple[int, Gutter]:
    """Return where rows end that leave a gutter and stand close, and what they leave of it."""
    end, bottom = start, inf
    while end < len(rows) and (left := narrowed(gutter, rows[end], boxes)) is not None:
        row = [boxes[item] for item in rows[end]]
        is_table = any(sum(is_there(box) for box in row) > 2 for is_there in sides(left))
        if is_table or min(box.y0 for box in row) - bottom > _TIGHT * median(box.height for box in row):
            break
        gutter, bottom = left, max(box.y1 for box in row)
        end += 1
    return end, gutter


def _are_blocks(left: list[list[int]], right: list[list[int]], gutter: Gutter, boxes: Sequence[Box]) -> bool:
    """Say whether rows side by side are two blocks: each of them tight, and few of them level with one of the other."""
    fewer, more = sorted((left, right), key=len)
    if len(more) < _LEAST_LINES or not all(_is_tight(side, boxes) and _is_flush(side, boxes) for side in (left, right)):
        return False
    one, other = ([boxes[item] for row in side for item in row] for side in (left, right))
    if any(all(line.width < _MARK_EM * line.height for line in side) for side in (one, other)):
        return False
    if len(fewer) == 1 and not _is_amid(fewer[0], more, boxes):
        return False
    level = _in_step([boxes[row[0]] for row in fewer], [boxes[row[0]] for row in more])
    if not stand_beside(one, other) and (level or len(fewer) < _LEAST_LINES):
        return False
    if level <= _LEVEL_SHARE * len(fewer):
        return gutter[1] - gutter[0] > _NEAR_EM * boxes[fewer[0][0]].height
    if not any(all(len(row) == 1 for row in side) for side in (left, right)):
        return False
    if _are_texts(left, right, gutter, boxes):
        return True
    height = boxes[left[0][0]].height
    begin_together = abs(boxes[left[0][0]].y0 - boxes[right[0][0]].y0) <= height
    is_far = gutter[1] - gutter[0] > _APART_EM * height
    least = 1 if _are_named(fewer, boxes) else _MORE
    return is_far and begin_together and len(more) - len(fewer) >= least and len(fewer) <= _SHORT


def _are_named(rows: list[list[int]], boxes: Sequence[Box]) -> bool:
    """Say whether rows are names with values: two in each, which begin under one another and end where they like, as a table's figures do not."""
    if not all(len(row) == 2 for row in rows):
        return False
    columns = [[boxes[item] for item in side] for side in zip(*rows, strict=True)]
    height = median(box.height for box in columns[0])
    if any(_reach([box.x0 for box in side]) > _INSET_EM * height for side in columns):
        return False
    return any(_reach([box.x1 for box in side]) > _RAGGED_EM * height for side in columns)


def _reach(edges: Sequence[float]) -> float:
    return max(edges) - min(edges)


def _are_texts(left: list[list[int]], right: list[list[int]], gutter: Gutter, boxes: Sequence[Box]) -> bool:
    """Say whether rows that are level are blocks all the same: too long for names, too far from values, and they end where they like."""
    height = median(boxes[row[0]].height for row in left)
    if gutter[1] - gutter[0] <= _FAR_EM * height or not _LEAST_LINES <= min(len(left), len(right)) <= _SHORT:
        return False
    for side in (left, right):
        starts, ends = _edges(side, boxes)
        width = median(end - start for start, end in zip(starts, ends, strict=True))
        if width < _LONG_EM * height or _reach(starts) > _FLUSH_EM * height or _reach(ends) <= _RAGGED_EM * height:
            return False
    return True


def _in_step(fewer: Sequence[Box], more: Sequence[Box]) -> int:
    """Return how many lines are level with others, and so are their neighbours: lines of two sizes or pitches may be level by chance."""
    mates = [next((each for each in more if are_level(line, each)), None) for line in fewer]
    if len(fewer) == 1:
        return int(mates[0] is not None)
    steps = [
        one is not None and other is not None and _are_alike(below.y0 - line.y0, other.y0 - one.y0, line.height)
        for (line, one), (below, other) in pairwise(zip(fewer, mates, strict=True))
    ]
    return sum(before or after for before, after in pairwise([False, *steps, False]))


def _are_alike(step: float, other: float, height: float) -> bool:
    return abs(step - other) <= _STEP * height


def _is_amid(single: list[int], more: list[list[int]], boxes: Sequence[Box]) -> bool:
    """Say whether a line stands beside a block of lines of one size: beside a headline, it stands with what is over it."""
    heights = [boxes[row[0]].height for row in more]
    line, top, bottom = boxes[single[0]], boxes[more[0][0]].y0, boxes[more[-1][0]].y1
    return max(heights) <= _SAME_SIZE * min(heights) and top - 1 < line.y0 < line.y1 < bottom


def _is_tight(rows: list[list[int]], boxes: Sequence[Box]) -> bool:
    return all(
        boxes[below[0]].y0 - boxes[above[0]].y1 <= _TIGHT * max(boxes[above[0]].height, boxes[below[0]].height)
        for above, below in pairwise(rows)
    )


def _is_flush(rows: list[list[int]], boxes: Sequence[Box]) -> bool:
    """Say whether a block's rows begin together, end together, or are centred."""
    starts, ends = _edges(rows, boxes)
    slack = _FLUSH_EM * median(boxes[row[0]].height for row in rows)
    middles = [(start + end) / 2 for start, end in zip(starts, ends, strict=True)]
    return any(_reach(edges) <= slack for edges in (starts, ends, middles))


def _edges(rows: list[list[int]], boxes: Sequence[Box]) -> tuple[list[float], list[float]]:
    return [min(boxes[item].x0 for item in row) for row in rows], [max(boxes[item].x1 for item in row) for row in rows]
