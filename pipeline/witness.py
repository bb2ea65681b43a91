"""The text layer as a free witness: how far the model's text of a page agrees with it. Pure; it knows neither rows nor runs."""

import unicodedata
from collections import Counter
from collections.abc import Iterable

from rapidfuzz.distance import Levenshtein

from schemas.witness import Agreement, Witnessed

_SHOWN = 24


def agreement(said: str, layer: str) -> Agreement:
    """Hold the model's text against the text layer's; runs of white space count as one space."""
    ours, theirs = _plain(said), _plain(layer)
    left, right = Counter(ours.split()), Counter(theirs.split())
    shared = (left & right).total()
    return Agreement(
        cer=round(Levenshtein.distance(ours, theirs) / max(len(theirs), 1), 6),
        characters=len(theirs),
        word_recall=round(shared / right.total(), 6) if right else 1.0,
        word_precision=round(shared / left.total(), 6) if left else 1.0,
        words=right.total(),
        only_model=_some(left - right),
        only_layer=_some(right - left),
    )


def witnessed(agreements: Iterable[Agreement | None]) -> Witnessed:
    """Return the sum of what pages' text layers say; pages without one say nothing."""
    total = Witnessed()
    for each in agreements:
        if each is not None:
            edits, found = each.cer * max(each.characters, 1), each.word_recall * each.words
            total += Witnessed(pages=1, edits=edits, characters=each.characters, found=found, words=each.words)
    return total


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _some(words: Counter[str]) -> tuple[str, ...]:
    return tuple(word for word, _ in zip(words, range(_SHOWN), strict=False))
