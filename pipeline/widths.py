"""How wide a text is set, as far as its characters tell, and which of them stand where. Pure."""

from itertools import accumulate

_SLIM, _BROAD = frozenset(" .,:;'|!ijltfrI()[]-/"), frozenset("mwMW@%")
_NARROW, _WIDE = 0.55, 1.35
_ONE = "1"
"""It is set as wide as other figures, but alone it is a stroke."""


def width_of(text: str) -> float:
    """Return about how wide a text is set, in common small letters."""
    return _NARROW if text == _ONE else sum(map(_width, text))


def between(text: str, start: float, end: float) -> str:
    """Return what of a text stands between two parts of its width, each from 0 to 1: the characters whose middle does."""
    ends = list(accumulate(map(_width, text)))
    whole = ends[-1] if ends else 0.0
    middles = (end - _width(character) / 2 for end, character in zip(ends, text, strict=True))
    return "".join(character for middle, character in zip(middles, text, strict=True) if start * whole <= middle <= end * whole)


def _width(character: str) -> float:
    if character in _SLIM:
        return _NARROW
    return _WIDE if character in _BROAD or character.isupper() else 1.0
