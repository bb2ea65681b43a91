"""The true grid of glyphs of a view: which character has its centre in which third of which 14-pixel patch.

A third of a patch is narrower than most letters, so hardly one is lost behind another; where two centres share a place, the first is kept.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.checkpoints.alphabet import ALPHABET
from pipeline.checkpoints.architecture import PATCH_PX
from schemas.truth import HUNDREDTHS, PageTruth
from schemas.view import Affine

SLOTS = 3
"""Places side by side in a patch."""
BLANK = 0
_CLASS_OF = {character: index for index, character in enumerate(ALPHABET.replace("\n", "").replace(" ", ""), start=1)}
CLASSES = len(_CLASS_OF) + 1
"""Every character that leaves ink, and blank."""

Grid = NDArray[np.int64]


def class_of(character: str) -> int:
    """Return the class of a character that leaves ink. Raises KeyError for any other."""
    return _CLASS_OF[character]


def glyph_grid(page: PageTruth, affine: Affine, resolution: int, part: tuple[float, float] = (1.0, 1.0)) -> Grid:
    """Return the class of each place, (patches, SLOTS), patches row by row as the tower's tokens are; nothing is beyond a padded view's part."""
    side = resolution // PATCH_PX
    grid = np.full((side, side * SLOTS), BLANK, dtype=np.int64)
    u, v = _fractions(page, affine)
    shown = (u >= 0) & (u < part[0]) & (v >= 0) & (v < part[1])
    classes = np.array([_CLASS_OF[character] for character in page.glyphs.text], dtype=np.int64)[shown]
    rows, columns = (v[shown] * side).astype(int), (u[shown] * side * SLOTS).astype(int)
    grid[rows[::-1], columns[::-1]] = classes[::-1]  # of several values for one place numpy keeps the last
    return grid.reshape(side * side, SLOTS)


def _fractions(page: PageTruth, affine: Affine) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the centres of the page's glyphs are in the view."""
    places = np.array(page.glyphs.places, dtype=np.float64).reshape(-1, 4) / HUNDREDTHS
    dx, dy = (places[:, 0] + places[:, 2]) / 2 - affine.e, (places[:, 1] + places[:, 3]) / 2 - affine.f
    flat = affine.a * affine.d - affine.b * affine.c
    return (affine.d * dx - affine.c * dy) / flat, (affine.a * dy - affine.b * dx) / flat
