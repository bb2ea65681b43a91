"""How far text is from the truth: character and word error rates, and the likeness that DocVQA counts (ANLS).

Texts are compared in Unicode's composed form, and any run of white space counts as one space: where lines break is layout.
"""

import unicodedata
from collections.abc import Iterable

import jiwer
from rapidfuzz.distance import Levenshtein

Share = tuple[float, float]
"""A part and its whole: shares of many answers are summed before they are divided."""
_ENOUGH = 0.5


def plain(text: str) -> str:
    """Return a text as it is compared."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def character_errors(said: str, true: str) -> Share:
    """Return edits and true characters. More is said than is true: more edits than characters; the rate has no upper end."""
    said, true = plain(said), plain(true)
    if not said or not true:
        return float(max(len(said), len(true))), float(len(true))
    found = jiwer.process_characters(true, said)
    return float(found.substitutions + found.deletions + found.insertions), float(len(true))


def word_errors(said: str, true: str) -> Share:
    """Return edits and true words."""
    said, true = plain(said), plain(true)
    if not said or not true:
        return float(max(len(said.split()), len(true.split()))), float(len(true.split()))
    found = jiwer.process_words(true, said)
    return float(found.substitutions + found.deletions + found.insertions), float(len(true.split()))


def likeness(said: str, answers: Iterable[str]) -> float:
    """Return the best normalised Levenshtein similarity to any of the answers, case aside, and 0 where it is below one half.

    One answer's part of ANLS (Biten et al. 2019), with its threshold of 0.5.
    """
    best = max((_near(plain(said).casefold(), plain(true).casefold()) for true in answers), default=0.0)
    return best if best >= _ENOUGH else 0.0


def same(said: str, answers: Iterable[str]) -> bool:
    """Return whether one of the answers was given, letter for letter."""
    return plain(said) in {plain(true) for true in answers}


def _near(said: str, true: str) -> float:
    return 1.0 - Levenshtein.normalized_distance(said, true)
