"""Tables longer or wider than a tile are one table: pieces are put together, each cell once."""

import io
from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest

from jobs.synth.canvas import Canvas
from jobs.synth.document import stream
from jobs.synth.faces import Pen
from jobs.synth.grid import Column, Look, draw_table
from jobs.synth.pdf import pdf
from jobs.synth.scanner import Wear, picture, scanned
from pipeline.engines.reader import read as answer
from pipeline.readings import read, record
from pipeline.tables import whole_tables
from pipeline.tasks.asks import asks
from schemas.box import Box
from schemas.job import TableTask
from schemas.table import Cell, Table
from schemas.truth import PageTruth
from schemas.view import Completion

(TABLE,) = asks(TableTask(type="table"))


WORDS = ("paint", "rope", "bolt", "lamp", "chain", "valve", "hinge", "plug")


def drawn(columns: int, rows: int, degrees: float = 0.0) -> tuple[bytes, PageTruth]:
    """Draw a table over most of a page and, where it is to lie askew, scan it; return the file and the truth."""
    rng, canvas = stream("table"), Canvas(612, 792)
    titles = [
        Column("Day"),
        Column("Item"),
        *(Column(name, "right") for name in ("Hours", "Rate", "Amount", "Net sum")[: columns - 2]),
    ]
    texts = [
        [
            f"{row + 1} May",
            f"{WORDS[row % 8]} {rng.randrange(10, 99)} mm",
            *(f"{rng.randrange(10**4) / 100:.2f}" for _ in titles[2:]),
        ]
        for row in range(rows)
    ]
    draw_table(canvas, (40, 60), 530, titles, texts, (Pen(size=9.0), Pen(size=9.0)), Look("rows", None, zebra=False, pad=3.5))
    if not degrees:
        return pdf([canvas]), canvas.truth(0)
    wear, data = replace(Wear.draw(stream("wear")), degrees=degrees), io.BytesIO()
    with pymupdf.open(stream=pdf([canvas])) as document:
        scanned(picture(document, 0, 144).convert("L"), canvas, wear, stream("scan")).save(data, "PNG", dpi=(144, 144))
    return data.getvalue(), wear.skew(612, 792).truth(canvas.truth(0))


def words_of(table: Table) -> list[list[str]]:
    return [[cell.text for cell in table.cells if cell.row_index == row] for row in range(table.n_rows)]


@pytest.mark.parametrize(("columns", "rows", "degrees"), [(3, 34, 0.0), (4, 12, -1.5), (6, 30, 0.0), (6, 30, 2.5)])
def test_a_table_longer_than_a_tile_is_read_whole(tmp_path: Path, children, columns, rows, degrees):
    """Whatever the tiles, drawn or askew: one table, every cell once, in its row and column, near its place on the page."""
    data, page = drawn(columns, rows, degrees)
    (tmp_path / "a").write_bytes(data)
    child, (true,) = children[1], page.tables
    child.open(tmp_path / "a")
    for tiling in ("grid", "whitespace"):
        regions = child.regions(0, tiling, 448)
        said = [Completion(answer(page, region.affine, "table", torn=True) or "", (), (), "stop") for region in regions]
        assert tiling == "whitespace" or sum(bool(each.text) for each in said) > 1
        (found,) = read(TABLE, [record(TABLE, region, 0, each) for region, each in zip(regions, said, strict=True)]).tables
        assert words_of(found) == words_of(true), tiling
        assert found.html.count("<td") == len(true.cells)
        for cell, was in zip(found.cells, true.cells, strict=True):
            middle = (was.box.x0 + was.box.x1) / 2, (was.box.y0 + was.box.y1) / 2
            slack = was.box.width / 2  # a cell's text may be all that a view shows of it
            assert cell.box.x0 - slack < middle[0] < cell.box.x1 + slack, tiling
            assert cell.box.y0 < middle[1] < cell.box.y1, tiling


ABOVE, BELOW = Box(x0=0, y0=0, x1=100, y1=50), Box(x0=0, y0=52, x1=100, y1=100)


def table(first_y: float, *rows: tuple[str, ...], across: float = 0.0, places: bool = True) -> Table:
    cells = tuple(
        Cell(
            row_index=row,
            col_index=col,
            text=text,
            box=Box(x0=across + 30 * col, y0=first_y + 14 * row, x1=across + 30 * col + 24, y1=first_y + 14 * row + 10)
            if text and places
            else None,
        )
        for row, texts in enumerate(rows)
        for col, text in enumerate(texts)
    )
    return Table(table_index=0, n_rows=len(rows), n_cols=len(rows[0]), html="", cells=cells)


def test_a_head_that_is_said_again_counts_once():
    """A piece may repeat the head, or may not: the rows follow one another either way."""
    above = table(10, ("Item", "Price"), ("rope", "1.00"), ("bolt", "2.00"))
    for below in (table(54, ("Item", "price"), ("lamp", "3.00")), table(54, ("lamp", "3.00"))):
        (found,) = whole_tables([([above], ABOVE), ([below], BELOW)])
        assert words_of(found) == [["Item", "Price"], ["rope", "1.00"], ["bolt", "2.00"], ["lamp", "3.00"]]


def test_rows_that_two_views_show_count_once_and_whole():
    """Of a row that an edge cuts the view counts that shows more of it."""
    upper, lower = Box(x0=0, y0=0, x1=100, y1=60), Box(x0=0, y0=36, x1=100, y1=100)
    above = table(10, ("Item", "Price"), ("rope", "1.00"), ("bolt", "2.00"), ("--m-", "-.--"))
    cut = above.model_copy(
        update={
            "cells": tuple(
                cell.model_copy(update={"box": cell.box.model_copy(update={"y1": min(cell.box.y1, 60)})})
                for cell in above.cells
            )
        }
    )
    below = table(38, ("bolt", "2.00"), ("lamp", "3.00"), ("plug", "4.00"))
    (found,) = whole_tables([([cut], upper), ([below], lower)])
    assert words_of(found) == [["Item", "Price"], ["rope", "1.00"], ["bolt", "2.00"], ["lamp", "3.00"], ["plug", "4.00"]]


def test_tables_that_are_none_of_one_another_stay_apart():
    """A wider gap than rows have, other columns, or a view that would have shown the row: two tables are two."""
    above = table(10, ("Item", "Price"), ("rope", "1.00"))
    far = table(74, ("Date", "Hours"), ("1 May", "7"))
    narrow = table(54, ("a", "b", "c"), ("d", "e", "f"), across=15)
    whole = Box(x0=0, y0=0, x1=100, y1=100)
    assert len(whole_tables([([above], ABOVE), ([far], BELOW)])) == 2
    assert len(whole_tables([([above], ABOVE), ([narrow], BELOW)])) == 2
    assert len(whole_tables([([above], whole), ([table(40, ("lamp", "3.00"))], BELOW)])) == 2


def test_two_tables_of_one_view_are_two():
    """A model that was shown all of both says so itself."""
    one, other = table(10, ("a", "b")), table(24, ("c", "d"))
    assert whole_tables([([one, other], ABOVE)]) == (one, other)


def test_an_empty_column_takes_nothing_away():
    """A piece in which a column is empty, or has no places, still fits the others."""
    above = table(10, ("Item", "Note", "Price"), ("rope", "", "1.00"), ("bolt", "red", "2.00"))
    below = table(54, ("lamp", "", "3.00"), ("plug", "", "4.00"))
    (found,) = whole_tables([([above], ABOVE), ([below], BELOW)])
    assert words_of(found)[3:] == [["lamp", "", "3.00"], ["plug", "", "4.00"]]
    bare = table(54, ("lamp", "x", "3.00"), places=False)
    assert whole_tables([([above], ABOVE), ([bare], BELOW)]) == (above, bare)
