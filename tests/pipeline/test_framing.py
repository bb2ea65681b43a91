"""Which views of a page's regions questions are shown: squeezed into a square, or padded to one."""

from dataclasses import replace

import pymupdf
import pytest

from pipeline.framing import framed, is_for
from pipeline.readings import read
from pipeline.serving import Serving
from pipeline.tasks.asks import page_asks
from schemas.job import OcrTask, TableTask
from schemas.page import CompletionRecord
from schemas.view import Affine, Region

OCR, TABLE = page_asks([OcrTask(type="ocr"), TableTask(type="table")])
WIDE, SQUARE = Region("tile-000", Affine(150, 0, 0, 100, 0, 0)), Region("tile-001", Affine(100, 0, 0, 100, 0, 100))


def test_a_region_is_drawn_as_often_as_its_questions_need() -> None:
    """Text is read of squeezed views and tables of padded ones, a square view serves both, and nothing is drawn for nobody."""
    assert framed([WIDE, SQUARE], [OCR], 448) == [WIDE, SQUARE]
    assert framed([WIDE, SQUARE], [TABLE], 448) == [WIDE.padded(), SQUARE]
    assert framed([WIDE, SQUARE], [OCR, TABLE], 448) == [WIDE, WIDE.padded(), SQUARE]
    assert framed([WIDE, SQUARE], [], 448) == []


def test_a_slim_tile_is_never_squeezed() -> None:
    """A line that has a tile to itself would be letters as high as the view: it is padded for every question, and drawn once."""
    slim = Region("tile-000", Affine(300, 0, 0, 20, 0, 0))
    assert framed([slim], [OCR, TABLE], 448) == [slim.padded()]
    assert framed([slim], [OCR], 448) == [slim.padded()]
    assert [is_for(view, ask) for view in (slim, slim.padded()) for ask in (OCR, TABLE)] == [False, False, True, True]


def test_text_of_a_dense_tile_is_read_in_strips_and_tables_of_the_tile() -> None:
    """Strips are padded, never squeezed; what else is asked of the page is asked of the whole tile; a sparse tile serves both."""
    places = tuple(number for row in range(24) for number in (0.02, 0.01 + row / 25, 0.98, 0.03 + row / 25))
    dense = replace(SQUARE, affine=Affine(300, 0, 0, 300, 0, 0), places=places)
    text, tables = framed([dense, WIDE], [OCR], 448), framed([dense, WIDE], [TABLE], 448)
    assert len(text) > 3
    assert text[-1] == WIDE
    assert all(view.is_strip and view.is_padded for view in text[:-1])
    assert tables == [dense.divided(), WIDE.padded()]
    both = framed([dense, WIDE], [OCR, TABLE], 448)
    assert [view for view in both if is_for(view, OCR)] == text
    assert [view for view in both if is_for(view, TABLE)] == tables


def test_each_question_sees_its_own_views() -> None:
    """No question is asked of a view that was framed for another."""
    assert [is_for(view, OCR) for view in (WIDE, WIDE.padded(), SQUARE)] == [True, False, True]
    assert [is_for(view, TABLE) for view in (WIDE, WIDE.padded(), SQUARE)] == [False, True, True]


def test_a_table_is_read_of_the_padded_page_and_text_of_the_squeezed_one(mill, machine) -> None:
    """On a page of 200 × 400 points the engine is shown two views; a cell's box is where it stands on the page, and stays so decoded again."""
    seen = {}

    def answer(request):
        seen[request.prompt] = request.view
        quarter = '<table><tr><td coords="<loc0000><loc0256><loc0256><loc0512>">7</td></tr></table>'
        return machine.said(quarter if request.prompt == "table" else "words")

    with pymupdf.open() as document:
        page = document.new_page(width=200, height=400)
        page.draw_rect(pymupdf.Rect(100, 200, 200, 400), color=None, fill=(0, 0, 1))
        page.insert_text((20, 40), "words")
        mill.put("a.pdf", document.tobytes())
    job = mill.job(OcrTask(type="ocr"), TableTask(type="table"))
    mill.run(job, serving=lambda job: Serving(job.model, 448, lambda _model, side: machine.TinyEngine(answer, side)))
    assert {prompt: view.region.name for prompt, view in seen.items()} == {"ocr": "page", "table": "page-padded"}
    assert (seen["ocr"].image[224:, 224:] == (0, 0, 255)).all()
    assert (seen["table"].image[224:, 112:224] == (0, 0, 255)).all()
    assert (seen["table"].image[:, 224:] == 255).all()
    (cell,) = mill.page("a.pdf")["tables"][0]["cells"]
    expected = {"x0": 0.0, "y0": 400 * 256 / 1023, "x1": 400 * 256 / 1023, "y1": 400 * 512 / 1023}
    assert cell["box"] == pytest.approx(expected)
    said = {item["task"]: item for item in mill.page("a.pdf")["completions"]}
    assert said["table"]["affine"] == said["ocr"]["affine"] == [200.0, 0.0, 0.0, 400.0, 0.0, 0.0]
    (again,) = read(TABLE, [CompletionRecord(**said["table"])]).tables
    assert again.cells[0].box.model_dump() == pytest.approx(expected)
    (squeezed,) = read(TABLE, [CompletionRecord(**{**said["table"], "view": "page"})]).tables
    assert squeezed.cells[0].box.x1 == pytest.approx(200 * 256 / 1023), (
        "rows from before views were padded are read as they were shown"
    )
