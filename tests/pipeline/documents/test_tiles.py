"""Dividing pages: nothing is missing, no line is cut where white is cut, and tiles come in reading order."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.documents.child import Child
from pipeline.documents.tiles import MOST_TILES, OVERLAP_PT, PIXELS_PER_POINT, grid, uncut, whole_page
from pipeline.documents.whitespace import PICTURE_PX, cut
from schemas.box import Box
from schemas.job import Limits

LINES = ("Some words in a line of text", "and another line that follows", "until the column has its end")


def boxes(regions) -> list[Box]:
    return [region.affine.box(0, 0, 1, 1) for region in regions]


def test_the_whole_page_is_one_region():
    """Without tiles the one view shows the page, side to side."""
    region = whole_page(595, 842)
    assert region.name == "page"
    assert region.affine.point(1, 1) == (595, 842)


@given(width=st.floats(1, 5000), height=st.floats(1, 5000), resolution=st.sampled_from([224, 448, 896]))
@settings(max_examples=60, deadline=None)
def test_a_grid_covers_the_page(width, height, resolution):
    """Tiles leave nothing out, overlap by two lines, lie within the page, and are few."""
    tiles = boxes(grid(width, height, resolution))
    assert len(tiles) <= MOST_TILES
    columns = sorted({(round(tile.x0, 6), round(tile.x1, 6)) for tile in tiles})
    rows = sorted({(round(tile.y0, 6), round(tile.y1, 6)) for tile in tiles})
    assert len(columns) * len(rows) == len(tiles)
    for stretches, length in ((columns, width), (rows, height)):
        assert stretches[0][0] == 0
        assert stretches[-1][1] == pytest.approx(length, abs=1e-3)
        for (_, end), (start, _) in pairwise(stretches):
            assert end - start == pytest.approx(OVERLAP_PT, abs=1e-3)


@pytest.mark.parametrize("first", [40.0, 44.0, 49.0])
def test_a_grid_s_edges_cut_no_line_above_or_below(first):
    """Upper and lower edges move outwards to where the page is white; where columns leave no white, they stay, and so do sides."""
    lines = [Box(x0=50, y0=first + 14 * row, x1=540, y1=first + 10 + 14 * row) for row in range(50)]
    before = grid(595, 842, 448)
    after = uncut(before, lines, 842)
    for old, new in zip(boxes(before), boxes(after), strict=True):
        assert (new.x0, new.x1) == (old.x0, old.x1)
        assert new.y0 <= old.y0 + 1e-9
        assert new.y1 >= old.y1 - 1e-9
        assert new.height <= old.height + 2 * OVERLAP_PT
        assert not any(line.y0 + 1 < edge < line.y1 - 1 for line in lines for edge in (new.y0, new.y1))
    askew = [*lines, *(Box(x0=50, y0=line.y0 + 7, x1=540, y1=line.y1 + 7) for line in lines)]
    assert boxes(uncut(before, askew, 842))[1].y1 == pytest.approx(boxes(before)[1].y1)


@pytest.mark.parametrize(("resolution", "count"), [(224, 35), (448, 6), (896, 2)])
def test_a_grid_s_tiles_can_be_read(resolution, count):
    """On A4 each tile is large enough in the view for print of 8 points."""
    tiles = boxes(grid(595, 842, resolution))
    assert len(tiles) == count
    assert all(resolution / max(tile.width, tile.height) >= PIXELS_PER_POINT - 1e-9 for tile in tiles)
    assert [(tile.y0, tile.x0) for tile in tiles] == sorted((tile.y0, tile.x0) for tile in tiles)


def columns_of(page: pymupdf.Page, count: int, rows: int) -> list[tuple[str, pymupdf.Rect]]:
    """Print columns under a heading; return each line and where it stands, in reading order."""
    printed = [("A heading over the whole of it", 60.0, 60.0, 16)]
    step = 480 / count
    size = 6.5 if count == 3 else 9
    for column in range(count):
        printed += [(f"{row}: {LINES[row % 3]}", 60 + column * step, 100 + 14.0 * row, size) for row in range(rows)]
    found = []
    for text, x, y, size_pt in printed:
        page.insert_text((x, y), text, fontsize=size_pt)
        width = pymupdf.get_text_length(text, fontsize=size_pt)
        found.append((text, pymupdf.Rect(x, y - 0.7 * size_pt, x + width, y + 0.2 * size_pt)))
    return found


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("resolution", [224, 448, 896])
def test_white_space_cuts_no_line_and_loses_none(columns, resolution):
    """Every line lies in exactly one tile, whole, and tiles follow the columns."""
    with pymupdf.open() as document:
        page = document.new_page()
        lines = columns_of(page, columns, 48)
        regions = cut(picture_of(page), page.rect.width, page.rect.height, resolution)
    owners = []
    for text, rect in lines:
        touching = [
            index for index, box in enumerate(boxes(regions)) if rect.intersects(pymupdf.Rect(box.x0, box.y0, box.x1, box.y1))
        ]
        assert len(touching) == 1, (text, touching)
        box = boxes(regions)[touching[0]]
        assert pymupdf.Rect(box.x0 - 1, box.y0 - 1, box.x1 + 1, box.y1 + 1).contains(rect), text
        owners.append(touching[0])
    assert owners == sorted(owners)
    assert len(regions) == owners[-1] + 1
    assert [region.name for region in regions] == [f"tile-{index:03}" for index in range(len(regions))]


def test_a_ruled_table_is_cut_between_its_rows():
    """Rules are no print: a table is cut in white space too, and its cells come row by row."""
    with pymupdf.open() as document:
        page = document.new_page()
        for row in range(41):
            page.draw_line((60, 60 + 18 * row), (540, 60 + 18 * row))
        for column in range(5):
            page.draw_line((60 + 120 * column, 60), (60 + 120 * column, 780))
        cells = [(60 + 120 * column + 8, 73 + 18.0 * row) for row in range(40) for column in range(4)]
        for number, place in enumerate(cells):
            page.insert_text(place, f"cell {number}", fontsize=9)
        regions = cut(picture_of(page), page.rect.width, page.rect.height, 448)
    assert 1 < len(regions) <= 14
    owners = [
        [index for index, box in enumerate(boxes(regions)) if box.x0 <= x + 10 <= box.x1 and box.y0 <= y - 3 <= box.y1]
        for x, y in cells
    ]
    assert all(len(owner) == 1 for owner in owners)
    assert owners == sorted(owners)


def test_a_blank_page_is_one_tile():
    """Where nothing is printed there is nothing to cut."""
    (box,) = boxes(cut(np.full((896, 896, 3), 255, dtype=np.uint8), 595, 842, 448))
    assert (box.x0, box.y0, box.x1, box.y1) == (0, 0, 595, 842)


def test_the_child_divides_and_renders(tmp_path: Path):
    """Through the process the same tiles come as without it, and can be rendered at once."""
    with pymupdf.open() as document:
        columns_of(document.new_page(), 2, 48)
        document.save(tmp_path / "a.pdf")
        expected = cut(picture_of(document[0]), 595, 842, 448)
    with Child(Limits()) as child:
        child.open(tmp_path / "a.pdf")
        assert [region.name for region in child.regions(0, "none", 448)] == ["page"]
        assert [region.is_slim for region in child.regions(0, "grid", 448)] == [True, *[False] * 6]  # the heading, two columns
        regions = child.regions(0, "whitespace", 448)
        assert regions == expected
        views = child.render(0, regions, 448)
    assert len(views) == len(regions) > 2
    assert all(view.min() < 100 for view in views)


def test_white_tiles_of_a_grid_are_not_shown(tmp_path: Path):
    """A tile in which nothing at all is drawn is left out; one with a faint patch and no line stays, and so does one tile of a page without any."""
    with pymupdf.open() as document:
        document.new_page().insert_text((60, 60), "Words at the top left", fontsize=12)
        document.new_page().insert_text((60, 60), "Words at the top left", fontsize=12)
        document[1].draw_rect(pymupdf.Rect(400, 700, 500, 800), color=None, fill=(0.9, 0.9, 0.9))
        document.new_page()
        document.save(tmp_path / "a.pdf")
    with Child(Limits()) as child:
        child.open(tmp_path / "a.pdf")
        tiles = [boxes(child.regions(page, "grid", 448)) for page in range(3)]
    every = boxes(grid(595, 842, 448))
    (first, *more) = tiles[0]
    assert first.x0 == first.y0 == 0.0
    assert all(box.x0 < 190 and box.y0 < 65 for box in more)
    assert len(tiles[0]) < len(tiles[1]) < len(every)
    assert any(box.x1 > 500 and box.y1 > 800 for box in tiles[1])
    assert tiles[2] == every[:1]


@pytest.mark.parametrize("tiling", ["layout", "whitespace"])
def test_layout_s_tiles_lose_no_line(tmp_path: Path, tiling):
    """Through the process, tiles by PyMuPDF's regions hold every line once, in the order of the columns; a picture has only its white space."""
    with pymupdf.open() as document:
        page = document.new_page()
        lines = columns_of(page, 2, 48)
        document.save(tmp_path / "a.pdf")
        page.get_pixmap(dpi=150).save(tmp_path / "a.png")
    for name in ("a.pdf", "a.png"):
        with Child(Limits()) as child:
            child.open(tmp_path / name)
            tiles = boxes(child.regions(0, tiling, 448))
        owners = []
        for text, rect in lines:
            middle = (rect.x0 + rect.x1) / 2, (rect.y0 + rect.y1) / 2
            holding = [
                index for index, box in enumerate(tiles) if box.x0 <= middle[0] <= box.x1 and box.y0 <= middle[1] <= box.y1
            ]
            assert len(holding) == 1, (name, text, holding)
            owners += holding
        assert owners == sorted(owners)


def picture_of(page: pymupdf.Page) -> np.ndarray:
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(PICTURE_PX / page.rect.width, PICTURE_PX / page.rect.height))
    return np.frombuffer(pixmap.samples, dtype=np.uint8).reshape(pixmap.height, pixmap.width, 3)
