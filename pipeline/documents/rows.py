"""Lines of text in rows, and the white between those that stand side by side. It knows boxes only; items are their indices."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from schemas.box import Box

_GUTTER_EM = 0.8
"""A gutter is at least this wide, in heights of a line."""
_LEVEL, _ALIKE = 0.12, 1.5
"""Lines are level whose upper or lower edges are off by less, in their height; one that is so many times as high as the other is not."""

_BESIDE = 0.5
"""Groups stand side by side over this part of the lower one; of others, what stands higher is read first."""

Gutter = tuple[float, float]


def rows_of(items: Sequence[int], boxes: Sequence[Box]) -> list[list[int]]:
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


def gaps(row: Sequence[int], boxes: Sequence[Box]) -> list[Gutter]:
    """Return the gaps that could be gutters between the row's boxes, and those beside a row's only box."""
    ordered = sorted((boxes[item] for item in row), key=lambda box: box.x0)
    between = [(left.x1, right.x0) for left, right in pairwise(ordered)]
    beside = [(ordered[-1].x1, float("inf")), (float("-inf"), ordered[0].x0)]
    return [gap for gap in [*between, *beside] if gap[1] - gap[0] >= _GUTTER_EM * ordered[0].height]


def narrowed(gutter: Gutter, row: Sequence[int], boxes: Sequence[Box]) -> Gutter | None:
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


def sides(gutter: Gutter) -> tuple[Callable[[Box], bool], Callable[[Box], bool]]:
    """Return what tells whether a box stands left of a gutter, and what tells whether it stands right of it."""
    return (lambda box: box.x1 <= gutter[0]), (lambda box: box.x0 >= gutter[1])


def are_level(one: Box, other: Box) -> bool:
    """Say whether two lines may be of one row: print stands on one line, or is as high, whatever its letters reach."""
    lower, higher = sorted((one.height, other.height))
    return higher <= _ALIKE * lower and min(abs(one.y0 - other.y0), abs(one.y1 - other.y1)) <= _LEVEL * lower


def stand_beside(left: Sequence[Box], right: Sequence[Box]) -> bool:
    """Say whether two groups stand side by side, and not one above the other."""
    (top, bottom), (other_top, other_bottom) = (
        (min(box.y0 for box in side), max(box.y1 for box in side)) for side in (left, right)
    )
    return min(bottom, other_bottom) - max(top, other_top) >= _BESIDE * min(bottom - top, other_bottom - other_top)
