"""Fields side by side, each a label with its value under it, as in forms: a field is read before the one beside it.

What tells them from a table's rows is that a value stands nearer to its label than the next label to it. It knows boxes only.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import inf
from statistics import median

from pipeline.documents.rows import are_level
from schemas.box import Box

_WIDE_EM = 12.0
"""Fields side by side begin so far from one another, in the height of a line: names stand nearer to values beside them."""
_NEARER = 1.15
"""The next label is so many times as far from a value as this from its label, from upper edge to upper edge, or more."""
_FAR = 2.5
"""What stands so many times as far is no field of these."""
_FLUSH_EM, _INSET_EM = 0.4, 2.5
"""Labels begin where those above them do; a value stands further in, by a box to tick."""
_LEAST, _MANY, _MOST_ROWS = 2, 3, 2
"""Fewer bands of fields say nothing, nor do so few with values missing; and what has more rows is a list."""


def fields_from(rows: Sequence[list[int]], start: int, boxes: Sequence[Box]) -> tuple[int, list[int]]:
    """Return where fields that begin side by side at row `start` end, and their lines in order; none if none begin there."""
    starts = sorted(boxes[item].x0 for item in rows[start])
    height = median(boxes[item].height for item in rows[start])
    if len(starts) == 1 or any(after - before < _WIDE_EM * height for before, after in pairwise(starts)):
        return start, []
    bands = _bands(rows, start, starts, boxes)
    filled = [band for band in bands if len(band) > 1]
    are_whole = all(len(row) >= len(starts) for band in filled for row in band)
    if len(filled) < max(_LEAST if are_whole else _MANY, 0.6 * len(bands)) or any(len(band) > _MOST_ROWS for band in bands):
        return start, []
    order = [
        item
        for band in bands
        for begin, end in pairwise([-inf, *starts[1:], inf])
        for row in band
        for item in sorted(row, key=lambda each: boxes[each].x0)
        if begin - height <= boxes[item].x0 < end - height
    ]
    return start + sum(map(len, bands)), order


def _bands(rows: Sequence[list[int]], start: int, starts: Sequence[float], boxes: Sequence[Box]) -> list[list[list[int]]]:
    """Return the rows from `start` on in bands of labels and what is near under them, as far as they stand in these columns."""
    bands = [[rows[start]]]
    pitch = inf
    for above, row in pairwise(rows[start:]):
        step = _top(row, boxes) - _top(above, boxes)
        pitch = min(pitch, step)
        is_value = step <= _NEARER * pitch
        slack = (_INSET_EM if is_value else _FLUSH_EM) * median(boxes[item].height for item in row)
        is_row = all(are_level(boxes[item], boxes[row[0]]) for item in row)
        if step > _FAR * pitch or not is_row or not _stand_in(row, starts, slack, boxes, is_label=not is_value):
            break
        if is_value:
            bands[-1].append(row)
        else:
            bands.append([row])
    return bands


def _top(row: Sequence[int], boxes: Sequence[Box]) -> float:
    return median(boxes[item].y0 for item in row)


def _stand_in(row: Sequence[int], starts: Sequence[float], slack: float, boxes: Sequence[Box], *, is_label: bool) -> bool:
    """Say whether what is in a row crosses no column's start, and begins with it: each label, and the first of a column's values."""
    ends = [*starts[1:], inf]
    for begin, end in zip(starts, ends, strict=True):
        there = sorted(boxes[item].x0 for item in row if begin - slack <= boxes[item].x0 < end - slack)
        if there and abs((max(there) if is_label else there[0]) - begin) > slack:
            return False
    return not any(boxes[item].x0 < begin - slack and boxes[item].x1 > begin for item in row for begin in starts) and all(
        boxes[item].x0 >= starts[0] - slack for item in row
    )
