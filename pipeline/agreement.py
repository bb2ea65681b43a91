"""How far two readings of one place say the same, of which each may show a part of a line. Pure; it knows strings and widths only."""

from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from pipeline.widths import between

_LEAST_PT = 1.0
_SURELY, _PERHAPS = 6, 3
"""A text is known again with one error for so many of its letters; perhaps, with one for so many."""
_LEAST_ALIKE = 4
"""Of shorter ones nothing is known."""


@dataclass(frozen=True, slots=True)
class Said:
    """A text that was read from one point of a page's width to another."""

    text: str
    x0: float
    x1: float


@lru_cache(maxsize=2**14)
def agreement(one: Said, other: Said) -> float:
    """Return how surely two texts are the same print, 0 to 1: how much of what both show they have in common, in one run, squared.

    Single letters say nothing, and neighbouring lines may share words, but not in the same place.
    """
    start, end = max(one.x0, other.x0), min(one.x1, other.x1)
    if end - start < _LEAST_PT:
        return 0.0
    this, that = (_shown(each, start, end) for each in (one, other))
    run = _common_run(this, that)
    return (run / max(len(this), len(that))) ** 2 if run > 1 else 0.0


def alike(one: str, other: str) -> bool:
    """Say whether two texts are one line, read twice by a reader who errs. Rows of a table differ in their figures, so these must be the same."""
    return _figures(one) == _figures(other) and _is_again(one, other, _SURELY)


def perhaps_alike(one: str, other: str) -> bool:
    """Say whether two texts may be one line, read twice, if its place says so too: two rows of a table may be as like one another."""
    return _is_again(one, other, _PERHAPS)


def _is_again(one: str, other: str, letters: int) -> bool:
    shorter, longer = sorted((len(one), len(other)))
    return shorter >= _LEAST_ALIKE and letters * Levenshtein.distance(one, other) <= longer


def _figures(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _shown(said: Said, start: float, end: float) -> str:
    width = said.x1 - said.x0
    return between(said.text, (start - said.x0) / width, (end - said.x0) / width)


def _common_run(this: str, that: str) -> int:
    """Return the length of the longest run of characters that both have."""
    longest, before = 0, [0] * (len(that) + 1)
    for character in this:
        runs = [0] * (len(that) + 1)
        for index, other in enumerate(that):
            if character == other:
                runs[index + 1] = before[index] + 1
        longest, before = max(longest, *runs), runs
    return longest
