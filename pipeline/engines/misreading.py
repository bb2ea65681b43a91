"""A reader who errs, as often as told and by seed: wrong letters, wrong fields, and probabilities that tell of it only in part.

For trials of what depends on errors (confidence, the ladder) where no trained checkpoint is at hand. What it errs in is made up, so figures
found with it are of the machine and say nothing of a model. Pages differ in how legible they are; letters are mistaken for letters that
look alike; a few wrong tokens are sure, a few right ones are not; and sometimes another field's value is given, in good faith.
"""

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

UNANSWERABLE = ("unan", "swer", "able")
_ALIKE = (
    "0OQD8",
    "1lI7",
    "5S6",
    "8B3",
    "2Z",
    "cea",
    "nmrh",
    "uv",
    "ij",
    "gqy9",
    ".,",
    "fi",
    "kx",
    "bd6",
    "tf",
    "EF",
    "PR",
    "VU",
    "MN",
)
_PLACE = re.compile(r"<[a-z]+\d+>")
_WRONG_FIELD, _MISSED, _MADE_UP = 1.0, 0.6, 0.8
"""How much oftener than a letter is misread another field's value is given, a value overlooked, or one found where there is none."""


@dataclass(frozen=True, slots=True)
class Misreading:
    """What was read instead, in the engine's tokens, and the natural log-probability of each."""

    pieces: tuple[str, ...]
    logprobs: tuple[float, ...]


def misread(pieces: Sequence[str], others: Sequence[Sequence[str]], rate: float, page: str, asked: str) -> Misreading:
    """Return what is read in place of `pieces`: a letter is wrong about once in 1 / `rate`, on a page of usual legibility.

    `others` are other answers that the page would give. The same `page` is as legible whatever is `asked`; the same two give the same.
    """
    rng = _generator(asked)
    trouble = rate * exp(_generator(page).gauss(0.0, 0.8))
    swapped = _another(pieces, others, trouble, rng)
    if swapped is not None:
        return Misreading(tuple(swapped), tuple(-rng.expovariate(2.5 if index == 0 else 20.0) for index in range(len(swapped))))
    if tuple(pieces) == UNANSWERABLE:  # one word that a model was taught as a whole: it is said or not, and never misspelt
        return Misreading(UNANSWERABLE, tuple(_piece(piece, 0.0, rng)[1] for piece in pieces))
    read = [_piece(piece, trouble, rng) for piece in pieces]
    return Misreading(tuple(piece for piece, _ in read), tuple(logprob for _, logprob in read))


def _another(
    pieces: Sequence[str], others: Sequence[Sequence[str]], trouble: float, rng: random.Random
) -> Sequence[str] | None:
    chance = rng.random()
    if tuple(pieces) == UNANSWERABLE:
        return rng.choice(others) if others and chance < _MADE_UP * trouble else None
    if others and chance < _WRONG_FIELD * trouble:
        return rng.choice(others)
    return UNANSWERABLE if others and chance < (_WRONG_FIELD + _MISSED) * trouble else None


def _piece(piece: str, trouble: float, rng: random.Random) -> tuple[str, float]:
    if _PLACE.fullmatch(piece):
        return piece, -rng.expovariate(20.0)
    read = "".join(_letter(letter, rng) if rng.random() < trouble else letter for letter in piece)
    is_sure = rng.random() < (0.1 if read != piece else 0.95)
    return read, -rng.expovariate(40.0 if is_sure else 1.2)


def _letter(letter: str, rng: random.Random) -> str:
    alike = [other for group in _ALIKE if letter in group for other in group if other != letter]
    return rng.choice(alike) if alike else letter


def _generator(seed: str) -> random.Random:
    return random.Random(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))  # noqa: S311 - no secret
