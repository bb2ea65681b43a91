"""Texts that meet at the edge of two views: joined where they say the same, and lines of text laid on places of print. Pure.

Where boxes are there they decide (stitch.py); this file knows strings and numbers only.
"""

from collections.abc import Sequence
from math import inf, log

from schemas.box import Box

_FRAYED = 2
"""So many characters beside a view's edge may be misread, because they were cut."""
_LEAST_SHARED = 3
"""Without places, fewer characters that agree are chance."""
_MOST_LINES = 6
_EM = 0.5
"""The mean width of a character, in heights of its line; only for telling which of several places a text fits best."""
_SKIPPED = 1.5
_MOST_BOXES = 4
_TOO_BAD = 1.2
"""On the average a text's length may differ from its place's by e to this power."""


def joined(left: str, right: str, shared: float) -> str | None:
    """Return one text of two that overlap by some `shared` characters; None where they do not agree on what is in both views."""
    best: tuple[float, str] | None = None
    for lost_left in range(min(_FRAYED, len(left)) + 1):
        for lost_right in range(min(_FRAYED, len(right)) + 1):
            ending, beginning = left[: len(left) - lost_left], right[lost_right:]
            for count in _overlaps(ending, beginning):
                seen = count + lost_left + lost_right
                cost = abs(seen - shared) + 2 * (lost_left + lost_right)
                if best is None or cost < best[0]:
                    best = cost, ending + beginning[count:]
    return best[1] if best is not None and best[0] <= max(shared, _LEAST_SHARED) else None


def side_by_side(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """Return the lines of two views side by side, of which no places are known: a line that goes on is joined with its end."""
    lines: list[str] = []
    rest = list(right)
    for text in left:
        ahead = range(min(len(rest), _MOST_LINES))
        shared = [
            max((count for count in _overlaps(text, rest[index]) if count >= _LEAST_SHARED), default=0) for index in ahead
        ]
        if any(shared):
            index = next(index for index in ahead if shared[index])
            lines += rest[:index]
            lines.append(text + rest[index][shared[index] :])
            del rest[: index + 1]
        else:
            lines.append(text)
    return lines + rest


def one_above_another(above: Sequence[str], below: Sequence[str]) -> list[str]:
    """Return the lines of two views one above the other, of which no places are known: lines that are in both count once."""
    for count in range(min(_MOST_LINES, len(above), len(below)), 0, -1):
        for lost_above in (0, 1):
            for lost_below in (0, 1):
                ending = list(above[: len(above) - lost_above])
                beginning = list(below[lost_below:])
                if len(ending) >= count and len(beginning) >= count and ending[-count:] == beginning[:count]:
                    return ending + beginning[count:]
    return [*above, *below]


def laid(texts: Sequence[str], boxes: Sequence[Box]) -> list[Box] | None:
    """Return the place of each text, which stand in the same order; None where the texts do not fit the boxes.

    There may be more boxes than texts: neighbours in a row may be one line, and some are no text at all.
    """
    if len(texts) == len(boxes):
        return list(boxes)
    if len(texts) > len(boxes):
        return None
    costs = [[inf] * (len(boxes) + 1) for _ in range(len(texts) + 1)]
    steps: dict[tuple[int, int], int] = {}
    for taken in range(len(boxes) + 1):
        costs[0][taken] = _SKIPPED * taken
    for index, text in enumerate(texts, start=1):
        for taken in range(index, len(boxes) + 1):
            costs[index][taken], steps[index, taken] = costs[index][taken - 1] + _SKIPPED, 0
            for count in range(1, min(_MOST_BOXES, taken) + 1):
                cost = costs[index - 1][taken - count] + _misfit(text, boxes[taken - count : taken])
                if cost < costs[index][taken]:
                    costs[index][taken], steps[index, taken] = cost, count
    if costs[-1][-1] - _SKIPPED * (len(boxes) - len(texts)) > _TOO_BAD * len(texts):
        return None
    return _walked(boxes, steps, len(texts))


def _walked(boxes: Sequence[Box], steps: dict[tuple[int, int], int], index: int) -> list[Box]:
    found: list[Box] = []
    taken = len(boxes)
    while index:
        count = steps[index, taken]
        if count:
            found.append(_around(boxes[taken - count : taken]))
            index -= 1
        taken -= count or 1
    return found[::-1]


def _misfit(text: str, boxes: Sequence[Box]) -> float:
    """Return how badly a text fits boxes in a row: by how much it is too long or short, in powers of e."""
    around = _around(boxes)
    highest = max(box.height for box in boxes)
    if around.height > 1.7 * highest:
        return inf  # they do not stand in a row
    return abs(log(max(around.width, 1.0) / max(_EM * max(highest, 1.0) * len(text), 1.0)))


def _around(boxes: Sequence[Box]) -> Box:
    around = boxes[0]
    for box in boxes[1:]:
        around = around.union(box)
    return around


def _overlaps(left: str, right: str) -> list[int]:
    """Return each number of characters with which the one ends and the other begins."""
    return [count for count in range(1, min(len(left), len(right)) + 1) if left.endswith(right[:count])]
