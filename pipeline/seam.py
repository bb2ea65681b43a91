"""Texts that meet at the edge of two views, joined where they say the same. Pure; it knows strings and widths only."""

from collections.abc import Sequence
from itertools import product

from pipeline.agreement import alike
from pipeline.widths import width_of

_FRAYED = 2
"""So many characters beside a view's edge may be misread, because they were cut."""
_ASTRAY = 1.5
"""Characters that agree stand in both views where they are: so many widths of a character are the error of estimating that, and a quarter."""
_LOST = 0.3
"""What it costs to take the character beside an edge for misread, in characters of error; for two it costs four times as much."""
_AGREED = 0.5
"""What each character that agrees is worth beyond the first, which may be chance."""
_UNSHARED = 1.0
"""What it costs if none does."""
_LEAST_SHARED = 3
"""Without places, fewer characters that agree are chance."""
_MOST_LINES = 6


def joined(left: str, right: str, left_pt: float, right_pt: float, shared_pt: float) -> str:
    """Return the text of a line of which two views show a part each, so many points wide; they share some.

    What is in both must agree but for what the edges cut. Where it does not, each view is believed up to the middle of what they share.
    """
    unit = max((left_pt + right_pt) / max(width_of(left) + width_of(right), 0.1), 0.1)
    shared = shared_pt / unit
    best: tuple[float, str] | None = None
    for lost_left, lost_right in product(range(min(_FRAYED, len(left)) + 1), range(min(_FRAYED, len(right)) + 1)):
        ending, beginning = left[: len(left) - lost_left], right[lost_right:]
        for count in (0, *_overlaps(ending, beginning)):
            if _are_blank(beginning[count:], lost_left) or _are_blank(ending[: len(ending) - count][::-1], lost_right):
                continue
            off = abs(width_of(left[len(ending) - count :]) + width_of(right[:lost_right]) - shared)
            cost = off + _LOST * (lost_left**2 + lost_right**2) + (-_AGREED * (count - 1) if count else _UNSHARED)
            if off <= _ASTRAY + shared / 4 and (best is None or cost < best[0]):
                best = cost, ending + beginning[count:]
    return best[1] if best else _until(left, width_of(left) - shared / 2) + right[len(_until(right, shared / 2)) :]


def _are_blank(instead: str, lost: int) -> bool:
    """Say whether what the other view shows in place of characters that were misread is white, which is misread as nothing."""
    return lost > 0 and instead[:lost].isspace()


def overlapped(left: str, right: str) -> str:
    """Return a text of which two views show a part each, of which it is not known how much they share: as much as agrees."""
    longer, shorter = (left, right) if len(left) >= len(right) else (right, left)
    found: tuple[float, str] = (0.0, longer if len(shorter) <= _FRAYED else f"{left} {right}")
    for lost_left, lost_right in product(range(min(_FRAYED, len(left)) + 1), range(min(_FRAYED, len(right)) + 1)):
        ending, beginning = left[: len(left) - lost_left], right[lost_right:]
        count = max(_overlaps(ending, beginning), default=0)
        if count - 0.5 * (lost_left + lost_right) > found[0]:
            found = count - 0.5 * (lost_left + lost_right), ending + beginning[count:]
    return found[1]


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
                if len(ending) >= count and len(beginning) >= count and _are_same(ending[-count:], beginning[:count]):
                    return ending + beginning[count:]
    return [*above, *below]


def _are_same(lines: Sequence[str], others: Sequence[str]) -> bool:
    """Say whether lines are the same ones, read by a reader who errs."""
    return all(one == other or alike(one, other) for one, other in zip(lines, others, strict=True))


def _until(text: str, width: float) -> str:
    """Return the beginning of a text up to a width."""
    for end in range(len(text)):
        if width_of(text[: end + 1]) > width:
            return text[:end]
    return text


def _overlaps(left: str, right: str) -> list[int]:
    """Return each number of characters with which the one ends and the other begins."""
    return [count for count in range(1, min(len(left), len(right)) + 1) if left.endswith(right[:count])]
