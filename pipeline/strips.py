"""Tiles of dense print in strips, cut in the white between lines: who reads many lines of one view loses the place among them.

It knows regions and the places of their lines. Of twenty and more lines of sixty letters in a tile a small model had a tenth to a half wrong, and of
the same lines in strips a twentieth (tests/bench/LOG.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from math import ceil, hypot

from schemas.view import Affine, Region

_LETTER_EM = 0.5
"""How wide a letter is, spaces among them, in heights of its line as it is inked."""
_LETTERS_A_PIXEL = 300 / 448**2
"""More than so many letters are dense: six lines of fifty at 448 pixels."""
_LEVEL = 0.2
"""Lines that share so much of the lower one's height stand beside one another."""


@dataclass(slots=True)
class _Row:
    """Lines beside one another, from `top` to `bottom` of their region in fractions of it, and about how many letters they are."""

    top: float
    bottom: float
    letters: float


def with_strips(regions: Sequence[Region], resolution: int) -> list[Region]:
    """Return the regions in their order, one that is dense followed by its strips; `resolution` is a view's side in pixels."""
    return [shown for region in regions for shown in _divided(region, _LETTERS_A_PIXEL * resolution**2)]


def _divided(region: Region, most: float) -> list[Region]:
    rows = _rows(region)
    letters = list(accumulate(row.letters for row in rows))
    count = ceil(letters[-1] / most) if letters else 1
    wanted = [letters[-1] * number / count for number in range(1, count)]
    ends = {min(range(len(rows)), key=lambda index: abs(letters[index] - share)) + 1 for share in wanted} - {len(rows)}
    if not ends:
        return [region]
    edges = [0.0, *((rows[end - 1].bottom + rows[end].top) / 2 for end in sorted(ends)), 1.0]
    return [region.divided(), *(_strip(region, number, *edge) for number, edge in enumerate(pairwise(edges)))]


def _strip(region: Region, number: int, top: float, bottom: float) -> Region:
    """Return what stands between two heights, in fractions of a region."""
    whole, share = region.affine, bottom - top
    affine = Affine(whole.a, whole.b, whole.c * share, whole.d * share, whole.e + whole.c * top, whole.f + whole.d * top)
    places: list[float] = []
    for x0, y0, x1, y1 in _lines(region):
        if top <= (y0 + y1) / 2 < bottom:
            places += (x0, round(max(y0 - top, 0.0) / share, 4), x1, round(min(y1 - top, share) / share, 4))
    return replace(region.strip(number), affine=affine, places=tuple(places))


def _rows(region: Region) -> list[_Row]:
    """Return a region's rows of lines from its top down; those that are not level with one another are one."""
    along, down = hypot(region.affine.a, region.affine.b), hypot(region.affine.c, region.affine.d)
    rows: list[_Row] = []
    for x0, y0, x1, y1 in sorted(_lines(region), key=lambda line: line[1]):
        letters = along * (x1 - x0) / (_LETTER_EM * down * (y1 - y0)) if y1 > y0 else 0.0
        if rows and rows[-1].bottom - y0 > _LEVEL * min(y1 - y0, rows[-1].bottom - rows[-1].top):
            rows[-1].bottom = max(rows[-1].bottom, y1)
            rows[-1].letters += letters
        else:
            rows.append(_Row(y0, y1, letters))
    return rows


def _lines(region: Region) -> list[tuple[float, float, float, float]]:
    return list(zip(*[iter(region.places)] * 4, strict=True))
