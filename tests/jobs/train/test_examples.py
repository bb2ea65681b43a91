"""Examples show what a run would show, and their answers count in it."""

import numpy as np
import pymupdf
import pytest

from jobs.synth.document import stream
from jobs.train.asked import asked
from jobs.train.examples import prepared
from jobs.train.glyphs import glyph_grid
from jobs.train.views import views
from pipeline.tasks import table
from schemas.box import Box
from schemas.label import Label
from schemas.page import Line
from schemas.table import Cell, Table
from schemas.view import Affine, Completion

BOX = Box(x0=20, y0=100, x1=80, y1=120)
CELL = Cell(row_index=0, col_index=0, text="7", box=BOX)


def test_tables_are_taught_on_padded_views(tmp_path) -> None:
    """Of a page of 200 × 400 points the right half of a table's view is white, and the cell's place counts in the square; text is squeezed."""
    with pymupdf.open() as document:
        page = document.new_page(width=200, height=400)
        page.draw_rect(pymupdf.Rect(0, 0, 200, 400), color=None, fill=(0, 0, 1))
        document.save(tmp_path / "a.pdf")
    uri, tables = str(tmp_path / "a.pdf"), (Table(table_index=0, n_rows=1, n_cols=1, html="", cells=(CELL,)),)
    labels = [
        Label(uri=uri, page=0, task="table", tables=tables),
        Label(uri=uri, page=0, task="spot", lines=(Line(text="7", box=BOX),)),
    ]
    of_table, of_text = prepared(labels, 224, "none", tmp_path / "views", print)
    assert (of_table.image(tmp_path / "views")[:, :112] == (0, 0, 255)).all()
    assert (of_table.image(tmp_path / "views")[:, 112:] == 255).all()
    assert (of_text.image(tmp_path / "views") == (0, 0, 255)).all()
    assert of_table.target.startswith('<table><tr><td coords="<loc0051><loc0256><loc0205><loc0307>">')
    (read,) = table.decode(Completion(of_table.target, (), (), "stop"), Affine(*of_table.affine)).tables
    assert read.cells[0].box.x1 == pytest.approx(80, abs=0.4)


def test_made_up_pages_are_padded_too_where_a_table_is_asked_for() -> None:
    """The view is drawn anew, its answer counts in it, and no glyph is said to stand in the white."""
    found = None
    for seed in range(200):
        for seen in views("tiles", seed, 448, drawn=False, tilings=("none",)):
            _, prompt, answer = asked(stream("test", seed), seen, "tiles", 448, [("table", 1), ("detect", 0)])
            if prompt == "table" and answer:
                found = seed, answer
        if found:
            break
    assert found, "no page with a table"
    for seen in views("tiles", found[0], 448, tilings=("none",)):
        padded, prompt, _ = asked(stream("test", found[0]), seen, "tiles", 448, [("table", 1), ("detect", 0)])
        assert prompt == "table"
        along, down = padded.region.part
        assert min(along, down) < 0.9
        assert (padded.image[round(down * 448) :] == 255).all()
        assert (padded.image[:, round(along * 448) :] == 255).all()
        assert not np.array_equal(padded.image, seen.image)
        (read, *_) = table.decode(Completion(found[1], (), (), "stop"), padded.affine).tables
        assert any(true.box.intersection(read.box) > 0.9 * read.box.area for true in seen.page.tables if true.box)
        grid = glyph_grid(padded.page, padded.affine, 448, padded.region.part).reshape(32, 32, 3)
        assert grid.any()
        assert not grid[round(down * 32) + 1 :].any()
        assert not grid[:, round(along * 32) + 1 :].any()
        break
