"""Whether signs follow one another as in text: the letters of every language have their habits, and ciphers keep none of them.

Of the neighbours in a word, two thirds and more are common ones in each of some hundred languages in Latin script, a third by chance.
"""

import unicodedata
from collections import Counter
from itertools import pairwise

_FEWEST = 60
"""So few neighbours say nothing."""

_COMMON = frozenset(
    group[0] + second
    for group in (
        "aabcdgiklmnoprstuvy baeioruy caehilortuz dadeiosuy eacdegiklmnrstvwy faefior gaeory haeinot iacdefgjlmnorstvz "
        "jae kaeio ladeilostuy maeimopu nacdeghinostu ofilmnoprstuvw paeilor qu radeikmnostuyz sacehiopstuz taehiorstuy "
        "ueilnoprst vae waehioy yanr zai "
    ).split()
    for second in group[1:]
)
"""Letters that often follow one another in some language of Europe, accents aside: the first, then all that follow it."""


def common_share(text: str) -> float | None:
    """Return which part of the small letters that follow a letter do so commonly, or None of few. Capitals may be the names of parts."""
    common = total = 0
    for (one, other), count in Counter(pairwise(text)).items():
        if one.isalpha() and other.islower() and (pair := base(one) + base(other)).isascii():
            total += count
            common += count * (pair in _COMMON)
    return common / total if total >= _FEWEST else None


def marks_share(text: str) -> float:
    """Return which part of all neighbours are two different marks, or 0 of few."""
    marks = total = 0
    for (one, other), count in Counter(pairwise(text)).items():
        if not (one.isspace() or other.isspace()):
            total += count
            marks += count * (one != other and _is_mark(one) and _is_mark(other))
    return marks / total if total >= _FEWEST else 0.0


def base(letter: str) -> str:
    """Return a letter small and without its accent."""
    return unicodedata.normalize("NFD", letter.lower())[0]


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "PS"
