"""Tell a model that got stuck from a page that repeats itself.

Works on text alone, so that a kept completion is judged as the live one was. It does not know the task or the picture: a page of
thirty identical address labels looks like a loop, and is better looked at again than passed on.
"""

import re

_LONGEST_CYCLE = 400
_LETTERS = re.compile(r"[^\W\d_]")
_WORDS = re.compile(r"[^\W\d_]{2,}")


def looping(text: str, *, cut_off: bool, most_repeats: int = 24) -> bool:
    """Say whether `text` is stuck in a cycle.

    Of an answer that was cut off, any cycle at its end counts: the model did not stop by itself. Of one that ended, figures,
    dot leaders and rules may repeat for ever (tables of zeros, prices); a word may repeat up to `most_repeats` times in a row
    (a row of "n/a"), a phrase of three words or more three times.
    """
    if cut_off and _tail_repeats(text) >= 4:
        return True
    return _stuck_phrase(text, most_repeats) or _stuck_lines(text)


def _tail_repeats(text: str) -> int:
    """Return how often the cycle at the end of `text` repeats: the most over all cycle lengths that fill 12 characters."""
    tail = text[-4 * _LONGEST_CYCLE :]
    most = 1
    for period in range(1, min(_LONGEST_CYCLE, len(tail) // 2) + 1):
        run = _periodic_suffix(tail, period)
        if run >= 12:
            most = max(most, run // period)
    return most


def _periodic_suffix(text: str, period: int) -> int:
    """Return the length of the longest end of `text` in which every character equals the one `period` before it."""
    position = len(text) - 1
    while position >= period and text[position] == text[position - period]:
        position -= 1
    run = len(text) - 1 - position
    return run + period if run else 0


def _stuck_phrase(text: str, most_repeats: int) -> bool:
    """Find a word, or a phrase, that stands too often in a row anywhere in the text."""
    words = text.split()
    longest = min(60, len(words) // 2)
    for period in range(1, longest + 1):
        allowed = _allowed_words(period, most_repeats)
        run = period
        for position in range(period, len(words)):
            run = run + 1 if words[position] == words[position - period] else period
            if run > allowed * period and _is_prose(words[position - period + 1 : position + 1]):
                return True
    return False


def _allowed_words(period: int, most_repeats: int) -> int:
    return most_repeats if period < 3 else 3


def _is_prose(cycle: list[str]) -> bool:
    """Say whether a cycle is words; figures, units and rules repeat on real pages. From three words on, most must be words."""
    wordy = sum(1 for word in cycle if _WORDS.search(word))
    return wordy == len(cycle) if len(cycle) < 3 else wordy >= 3 and 2 * wordy > len(cycle)


def _stuck_lines(text: str) -> bool:
    """Find one wordy line that stands six times or more and makes up more than half of the lines."""
    lines = [line.strip() for line in text.splitlines() if _LETTERS.search(line)]
    counts: dict[str, int] = {}
    for line in lines:
        counts[line] = counts.get(line, 0) + 1
    return any(count >= 6 and 2 * count > len(lines) and len(_WORDS.findall(line)) >= 3 for line, count in counts.items())
