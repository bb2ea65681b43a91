"""Dense tiles in strips: nothing missing, nothing twice, no line cut."""

from itertools import pairwise

import pytest

from pipeline.strips import with_strips
from schemas.view import Affine, Region

SIDE = 300.0
UPRIGHT, ASKEW = Affine(SIDE, 0, 0, SIDE, 20, 40), Affine(299.5, 10.5, -10.5, 299.5, 20, 40)


def dense(affine: Affine, rows: int = 24, columns: int = 1) -> Region:
    """Return a tile of so many rows of print of 7 points, in columns."""
    across, pitch = 1 / columns, 0.98 / rows
    places = [
        (column * across + 0.01, 0.01 + row * pitch, (column + 1) * across - 0.02, 0.01 + row * pitch + 7 / SIDE)
        for row in range(rows)
        for column in range(columns)
    ]
    return Region("tile-002", affine, tuple(number for place in places for number in place))


def lines(region: Region) -> list[tuple[float, ...]]:
    """Return where the lines of a region begin and end, in points of the page."""
    fours = zip(*[iter(region.places)] * 4, strict=True)
    return [(*region.affine.point(x0, y0), *region.affine.point(x1, y1)) for x0, y0, x1, y1 in fours]


@pytest.mark.parametrize("affine", [UPRIGHT, ASKEW])
@pytest.mark.parametrize("columns", [1, 3])
def test_strips_are_the_tile(affine: Affine, columns: int) -> None:
    """They follow one another from its top to its bottom, and each line stands whole in one of them, where it stood."""
    tile = dense(affine, columns=columns)
    whole, *strips = with_strips([tile], 448)
    assert whole == tile.divided()
    assert [strip.name for strip in strips] == [f"tile-002-strip-{number}" for number in range(len(strips))]
    corners = [(strip.affine.point(0, 0), strip.affine.point(0, 1)) for strip in strips]
    assert corners[0][0] == pytest.approx(affine.point(0, 0))
    assert corners[-1][1] == pytest.approx(affine.point(0, 1))
    assert all(above[1] == pytest.approx(below[0]) for above, below in pairwise(corners))
    there = [line for strip in strips for line in lines(strip)]
    assert len(there) == 24 * columns
    assert all(line == pytest.approx(true, abs=0.1) for line, true in zip(there, lines(tile), strict=True))
    assert all(0 < number < 1 for strip in strips for number in strip.places[1::4] + strip.places[3::4])


def test_the_denser_a_tile_the_more_strips() -> None:
    """A tile of few lines is read as it is, under its own name; one of twice the lines has about twice the strips, of like size."""
    few = dense(UPRIGHT, rows=3)
    assert with_strips([few], 448) == [few]
    counts = [len(with_strips([dense(UPRIGHT, rows=rows)], 448)) - 1 for rows in (12, 24, 36)]
    assert counts == sorted(counts)
    assert counts[1] >= 2 * counts[0] - 1 > 2
    heights = [strip.affine.d for strip in with_strips([dense(UPRIGHT)], 448)[1:]]
    assert max(heights) < 1.5 * min(heights)


def test_a_larger_view_holds_more() -> None:
    """A view of 896 pixels has four times the room of one of 448."""
    tile = dense(UPRIGHT)
    assert len(with_strips([tile], 896)) < len(with_strips([tile], 448)) < len(with_strips([tile], 224))


def test_lines_that_are_not_level_stay_together() -> None:
    """Where a line beside it stands half a line lower, a line is cut by no edge; where there is no white at all, the tile stays whole."""
    pitch = 0.04
    steps = [
        (0.5 * side, 0.01 + pitch * (row + 0.5 * side), 0.5 * side + 0.45, 0.04 + pitch * (row + 0.5 * side))
        for row in range(22)
        for side in (0, 1)
    ]
    tile = Region("tile-000", UPRIGHT, tuple(number for place in steps for number in place))
    assert with_strips([tile], 448) == [tile]


def test_a_tile_without_print_is_read_as_it_is() -> None:
    """White, or a picture in which no line was seen, has no strips, and neither has a page whose lines nobody looked for."""
    tile = Region("tile-000", UPRIGHT)
    assert with_strips([tile], 448) == [tile]
