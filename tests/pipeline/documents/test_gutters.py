"""Grids of pages with columns: no tile shows parts of two, none cuts a line above or below, and nothing is missing."""

import pytest

from pipeline.documents.gutters import grid_of, stretches
from pipeline.documents.tiles import grid, side_of, uncut
from pipeline.documents.whitespace import in_order
from schemas.box import Box

A4 = 595.0, 842.0
SIDE = side_of(*A4, 448)


def block(x0: float, x1: float, top: float, rows: int, pitch: float = 12.0) -> list[Box]:
    """Return rows of print of 9 points, flush on both sides."""
    return [Box(x0=x0, y0=top + pitch * row, x1=x1, y1=top + pitch * row + 9) for row in range(rows)]


HEADLINE = block(50, 540, 50, 2, 24.0)
NUMBER = [Box(x0=290, y0=800, x1=302, y1=808)]
TWO = [block(50, 285, 110, 54), block(310, 545, 110, 30)]
THREE = [block(50 + 170 * column, 205 + 170 * column, 110, 54 - 10 * column) for column in range(3)]


@pytest.mark.parametrize("columns", [TWO, THREE])
def test_each_column_has_tiles_of_its_own(columns: list[list[Box]]) -> None:
    """Tiles show lines of one column, whole, and come in reading order; each line is in one."""
    lines = in_order([*HEADLINE, *(line for column in columns for line in column), *NUMBER])
    regions = grid_of(lines, *A4, 448)
    groups = [HEADLINE, *columns, NUMBER]
    owners = []
    seen: set[Box] = set()
    for region in regions:
        box = region.affine.box(0, 0, 1, 1)
        shown = [line for line in lines if box.intersection(line) > 0]
        owner = next(index for index, group in enumerate(groups) if shown[0] in group)
        assert set(shown) <= set(groups[owner])
        assert all(line.y0 >= box.y0 and line.y1 <= box.y1 for line in shown)
        assert len(region.places) == 4 * len(shown)
        owners.append(owner)
        seen.update(shown)
    assert seen == set(lines)
    assert owners == sorted(owners)
    assert [region.name for region in regions] == [f"tile-{index:03}" for index in range(len(regions))]
    assert regions[0].is_slim
    assert regions[-1].is_slim
    assert len(regions) <= 12


@pytest.mark.parametrize(
    "lines",
    [
        block(50, 545, 60, 50),
        [*block(50, 545, 60, 20), *block(50, 200, 320, 5), *block(350, 500, 320, 5), *block(50, 545, 420, 20)],
        [box for row in range(30) for x in (50, 250, 450) for box in block(x, x + 60, 60 + 24.0 * row, 1)],
        [],
    ],
    ids=["prose", "addresses", "table", "nothing"],
)
def test_a_page_without_columns_has_one_grid(lines: list[Box]) -> None:
    """Prose, two addresses side by side, a table's columns and white paper are covered by the grid of the whole page."""
    ordered = in_order(lines)
    assert stretches(ordered, SIDE) == ([range(len(ordered))] if ordered else [])
    expected = uncut(grid(*A4, 448), ordered, A4[1])
    assert [region.affine for region in grid_of(ordered, *A4, 448)] == [region.affine for region in expected]


def test_what_stands_beside_a_line_of_its_own_keeps_its_place() -> None:
    """A line amid the page ends columns; what is under it is in columns of its own."""
    above, below = [block(50, 285, 60, 20), block(310, 545, 60, 20)], [block(50, 285, 400, 20), block(310, 545, 400, 20)]
    middle = block(50, 545, 340, 1)
    lines = [*above[0], *above[1], *middle, *below[0], *below[1]]
    assert stretches(lines, SIDE) == [range(20), range(20, 40), range(40, 41), range(41, 61), range(61, 81)]


def test_a_speck_beside_a_column_is_a_tile_with_white_around_it() -> None:
    """What follows it, far below, is in a tile of its own, and neither shows the column once more."""
    speck = Box(x0=570, y0=700, x1=573, y1=702)
    number = Box(x0=60, y0=800, x1=72, y1=808)
    lines = [*TWO[0], *TWO[1], speck, number]
    regions = grid_of(lines, *A4, 448)
    shown = [[line for line in lines if region.affine.box(0, 0, 1, 1).intersection(line) > 0] for region in regions]
    assert shown[-2:] == [[speck], [number]]
    box = regions[-2].affine.box(0, 0, 1, 1)
    assert min(box.width, box.height) > 50
    assert all(set(each) <= set(TWO[0]) or set(each) <= set(TWO[1]) for each in shown[:-2])
