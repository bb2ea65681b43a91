"""Grids of glyphs without a page: rows of made-up writing in the frame, thousands a second, for the decoder that learns to walk over them.

Widths are the generator's faces'. Letters drawn at random have no language that could be learned instead of reading; real words come later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random

import numpy as np

from jobs.synth.document import stream
from jobs.synth.faces import Face
from jobs.synth.locales import locale
from jobs.synth.text import made_line
from jobs.train.frame import FRAME_PX, SIDE
from jobs.train.glyphs import BLANK, SLOTS, Grid, class_of
from pipeline.checkpoints.alphabet import ALPHABET
from pipeline.checkpoints.architecture import PATCH_PX

_FACES = tuple(Face(family, bold) for family in ("sans", "serif", "mono") for bold in (False, True))
_SMALL = "abcdefghijklmnopqrstuvwxyz"
_SIGNS = ALPHABET.replace("\n", "").replace(" ", "")
_POOL = 4000
_COLUMN_EM = 1.6
"""A gap wider than this along a row parts two lines, as the cells of a table are; spaces are a quarter of an em, and at most three fifths."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What is written, where in the frame there are patches to see, and the glyphs in them, (patches, SLOTS)."""

    text: str
    where: Grid
    grid: Grid


def piece(rng: Random, count: int, most_characters: int, words: float) -> Piece:
    """Make so many rows of up to so many characters; `words` is the share of them that are real writing."""
    frame = np.full((SIDE, SIDE * SLOTS), BLANK, dtype=np.int64)
    lines: list[str] = []
    face, size, leading = rng.choice(_FACES), rng.triangular(8, 24, 13), rng.uniform(1.15, 1.9)
    margin = rng.uniform(4, 60) if rng.random() < 0.7 else rng.uniform(4, 300)
    y = rng.uniform(2, max(4.0, FRAME_PX - count * size * leading))
    for _ in range(count):
        if y + size > FRAME_PX:
            break
        x = margin + (rng.uniform(0, 60) if rng.random() < 0.15 else 0.0)
        while x < FRAME_PX - 2 * size:
            x = _write(frame, lines, _line(rng, most_characters, words), x, y, size, face)
            if rng.random() < 0.8:
                break
            x += rng.uniform(_COLUMN_EM, 6) * size
        y += leading * size
    return _shown(rng, "\n".join(lines), frame)


def _write(frame: Grid, lines: list[str], text: str, x: float, y: float, size: float, face: Face) -> float:
    """Set the text's glyphs into the frame, as many as fit; return where it ends."""
    advances = np.array(face.advances(text, size))
    ends = x + np.cumsum(advances)
    kept = text[: int(np.searchsorted(ends, FRAME_PX - 2.0))].rstrip()
    if not kept:
        return FRAME_PX
    middles = ends - advances / 2
    row = frame[int((y + size / 2) / PATCH_PX)]
    for character, middle in zip(kept, middles, strict=False):
        place = int(middle * SLOTS / PATCH_PX)
        if character != " " and row[place] == BLANK:
            row[place] = class_of(character)
    lines.append(kept)
    return float(ends[len(kept) - 1])


def _shown(rng: Random, text: str, frame: Grid) -> Piece:
    """Leave out what is blank, but for some of it: attention has little to learn there, and most of a frame is."""
    grid = frame.reshape(-1, SLOTS)
    some = np.random.default_rng(rng.randrange(2**32)).random(len(grid)) < rng.uniform(0.0, 0.03)
    where = np.flatnonzero((grid != BLANK).any(axis=1) | some)
    return Piece(text, where, grid[where])


def _line(rng: Random, most: int, words: float) -> str:
    if rng.random() < words:
        text = rng.choice(_real_lines())
        return text[: rng.randrange(max(2, most // 2), most + 1)].strip() or "a"
    length, letters = rng.randrange(max(1, most // 2), most + 1), rng.choice(_LETTERS)
    text = " ".join(letters(rng) for _ in range(1 + length // 4))
    return text[:length].strip() or "a"


def _of(signs: str) -> Callable[[Random], str]:
    return lambda rng: "".join(rng.choices(signs, k=rng.randrange(1, 10)))


_LETTERS = (
    _of(_SMALL),
    _of(_SMALL),
    _of(_SMALL.upper()),
    _of("0123456789"),
    _of("0123456789.,-/"),
    _of(_SMALL + _SMALL.upper()),
    _of(_SIGNS),
)


@cache
def _real_lines() -> tuple[str, ...]:
    """Return lines as the generator's pages of text have them."""
    rng = stream("pieces")
    return tuple(made_line(rng, locale(rng)) for _ in range(_POOL))
