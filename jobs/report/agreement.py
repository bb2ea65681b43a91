"""How far the model's text and the text layer agree, by their words, whatever order they stand in."""

from collections import Counter

from jobs.report.shapes import Agreement

_SHOWN = 24


def agreement(said: str, layer: str) -> Agreement:
    """Return the words that both have, counted twice, over all words of both (Dice's coefficient); 1 where neither has any."""
    left, right = Counter(said.split()), Counter(layer.split())
    shared, total = (left & right).total(), left.total() + right.total()
    return Agreement(
        score=round(2 * shared / total, 4) if total else 1.0, only_model=_some(left - right), only_layer=_some(right - left)
    )


def _some(words: Counter[str]) -> tuple[str, ...]:
    return tuple(word for word, _ in zip(words, range(_SHOWN), strict=False))
