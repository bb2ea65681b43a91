"""Tell a model that got stuck from a page that repeats itself.

Works on text alone, so that a kept completion is judged as the live one was. The bounds were set on the text of real pages: the most that
one of those repeats itself is a phrase five times in a row, a word 22 times, and a third of a page in one such run. It knows neither
task nor picture: a page of identical address labels looks like a loop, and is better looked at again than passed on.
"""

import re
from collections import Counter

import numpy as np
from numpy.typing import NDArray

_LONGEST_CYCLE = 400
_LONGEST_PHRASE = 60
_WORD = re.compile(r"[^\W\d_]{2,}")


def looping(text: str, *, cut_off: bool) -> bool:
    """Say whether `text` is stuck in a cycle.

    Of an answer that was cut off, any cycle at its end counts: the model did not stop by itself. Of one that ended, only words do:
    figures, dot leaders and rules may repeat for ever (tables of zeros, prices).
    """
    if cut_off and _tail_repeats(text[-4 * _LONGEST_CYCLE :]):
        return True
    return _stuck_phrase(text.split()) or _stuck_line(text)


def _tail_repeats(tail: str) -> bool:
    """Say whether the end of the text repeats some cycle four times or more, over twelve characters at least."""
    for period in range(1, min(_LONGEST_CYCLE, len(tail) // 4) + 1):
        needed = max(4 * period, 12)
        if len(tail) >= needed and tail[-needed:-period] == tail[-needed + period :]:
            return True
    return False


def _stuck_phrase(words: list[str]) -> bool:
    """Find a cycle of words that repeats more than pages do: too often in a row, or six times and over half of the words."""
    numbers: dict[str, int] = {}
    ids = np.array([numbers.setdefault(word, len(numbers)) for word in words])
    for period in range(1, min(_LONGEST_PHRASE, len(words) // 6) + 1):
        most = 50 if period < 3 else 8
        for start, length in _runs(ids, period):
            is_long = length >= most * period or (length >= 6 * period and 2 * length >= len(words))
            if is_long and _is_prose(words[start : start + period]):
                return True
    return False


def _runs(ids: NDArray[np.int64], period: int) -> list[tuple[int, int]]:
    """Return (start, length) of every longest stretch of six cycles or more in which each word equals the one `period` before."""
    same = np.concatenate([[False], ids[period:] == ids[:-period], [False]])
    edges = np.flatnonzero(same[1:] != same[:-1])
    starts, lengths = edges[0::2], edges[1::2] - edges[0::2] + period
    return [(int(start), int(length)) for start, length in zip(starts, lengths, strict=True) if length >= 6 * period]


def _is_prose(cycle: list[str]) -> bool:
    """Say whether most of a cycle is words rather than figures, marks and rules."""
    return 2 * sum(1 for word in cycle if _WORD.search(word)) > len(cycle)


def _stuck_line(text: str) -> bool:
    """Find one line of words that stands six times or more and makes up more than half of the lines that have any."""
    lines = [line.strip() for line in text.splitlines() if _WORD.search(line)]
    line, count = Counter(lines).most_common(1)[0] if lines else ("", 0)
    return count >= 6 and 2 * count > len(lines) and len(_WORD.findall(line)) >= 3
