"""The truth of a drawn page lies on its ink: lines, glyphs, fields, tables, things, and what they mean."""

from collections.abc import Callable
from itertools import count, islice, product

import numpy as np
import pymupdf
import pytest
from numpy.typing import NDArray

from jobs.synth import KINDS, generate
from pipeline.checkpoints.alphabet import ALPHABET
from pipeline.tasks.values import typed
from schemas.box import Box
from schemas.job import AnswerField
from schemas.truth import DocumentTruth, PageTruth

Render = Callable[[bytes, DocumentTruth], list[NDArray[np.uint8]]]

DRAWN = tuple(kind for kind in KINDS if kind != "blank")
OTHERS = ("png", "jpeg", "jp2", "rotated", "encrypted")
SEEDS = range(4)
SCALE = 3.0


def squeezed(text: str) -> str:
    return "".join(text.split())


def holds(outer: Box, inner: Box, slack: float = 0.05) -> bool:
    within_x = outer.x0 - slack <= inner.x0 and inner.x1 <= outer.x1 + slack
    return within_x and outer.y0 - slack <= inner.y0 and inner.y1 <= outer.y1 + slack


def born_digital(kind: str) -> list[tuple[bytes, DocumentTruth]]:
    return [generate(kind, seed) for seed in SEEDS]


@pytest.mark.parametrize("kind", DRAWN)
def test_lines_are_the_text_layer_in_its_own_order(kind):
    """The PDF's text layer, read as PyMuPDF reads it, is the truth's lines one after the other."""
    for data, truth in born_digital(kind):
        with pymupdf.open(stream=data) as document:
            for page, expected in zip(document, truth.pages, strict=True):
                assert squeezed(page.get_text()) == squeezed(expected.text)


@pytest.mark.parametrize("kind", DRAWN)
def test_glyphs_stand_where_the_text_layer_has_them(kind):
    """Each glyph's box is that of the PDF's own character, to a quarter of a point."""
    for data, truth in born_digital(kind):
        with pymupdf.open(stream=data) as document:
            for page, expected in zip(document, truth.pages, strict=True):
                for character, x0, x1, middle in _characters(page):
                    boxes = (box for box in _boxes_of(expected, character) if box.y0 < middle < box.y1)
                    assert any(abs(box.x0 - x0) < 0.25 and abs(box.x1 - x1) < 0.25 for box in boxes), (character, x0)


def _characters(page: pymupdf.Page) -> list[tuple[str, float, float, float]]:
    """Return the layer's upright characters: left, right, and the height of their middle, 0.28 of the size over the baseline."""
    spans = [
        span
        for block in page.get_text("rawdict")["blocks"]
        for line in block["lines"]
        if abs(line["dir"][1]) < 0.001  # a stamp's letters lean
        for span in line["spans"]
    ]
    return [
        (character["c"], character["bbox"][0], character["bbox"][2], character["origin"][1] - 0.28 * span["size"])
        for span in spans
        for character in span["chars"]
        if character["c"] != " "
    ]


def _boxes_of(page: PageTruth, character: str) -> list[Box]:
    return [page.glyphs.box(index) for index, glyph in enumerate(page.glyphs.text) if glyph == character]


@pytest.mark.parametrize(("kind", "finish"), [*product(DRAWN, ["pdf", "scan", "tiff"]), *product(["invoice", "text"], OTHERS)])
def test_every_glyph_leaves_ink_in_its_box(kind, finish, pages_as_seen: Render):
    """Whatever the finish, what is rendered is darker within each glyph's box than the paper around."""
    data, truth = generate(kind, 11, finish)
    for gray, page in zip(pages_as_seen(data, truth), truth.pages, strict=True):
        paper = float(np.median(gray))
        assert page.glyphs.text
        for index, glyph in enumerate(page.glyphs.text):
            box = page.glyphs.box(index)
            # The advance of a narrow glyph may be narrower than its ink: half a point around it.
            ink = gray[
                int((box.y0 - 0.5) * SCALE) : int((box.y1 + 0.5) * SCALE),
                int((box.x0 - 0.5) * SCALE) : int((box.x1 + 0.5) * SCALE),
            ]
            assert ink.min() < paper - 25, (glyph, box)


@pytest.mark.parametrize("kind", DRAWN)
def test_glyphs_are_the_lines_without_their_spaces(kind):
    """Glyphs come in the lines' order, and each lies in its line's box."""
    for _, truth in born_digital(kind):
        for page in truth.pages:
            assert page.glyphs.text == squeezed(page.text)
            index = 0
            for line in page.lines:
                for _ in squeezed(line.text):
                    assert line.box is not None
                    assert holds(line.box, page.glyphs.box(index))
                    index += 1


@pytest.mark.parametrize("kind", DRAWN)
def test_nothing_lies_over_another_line_or_off_the_page(kind):
    """No two lines' boxes overlap, and all that is known of a page lies on it."""
    for seed in range(25):
        for page in generate(kind, seed)[1].pages:
            sheet = Box(x0=0, y0=0, x1=page.width_pt, y1=page.height_pt)
            lines = [line.box for line in page.lines if line.box]
            for index, box in enumerate(lines):
                assert holds(sheet, box, slack=-6.0)
                assert all(box.intersection(other) < 0.3 * min(box.width, other.width) for other in lines[index + 1 :])
            assert all(holds(sheet, thing.box, slack=0.0) for thing in page.boxes)
            for mark in (thing for thing in page.boxes if thing.label in ("logo", "signature", "stamp")):
                over = [box for box in lines if mark.box.intersection(box) > 0.3]
                assert all(mark.label == "stamp" and holds(mark.box, box) for box in over)


@pytest.mark.parametrize("kind", DRAWN)
def test_text_is_written_in_the_alphabet(kind):
    """No document has a character that the embedded checkpoint cannot write."""
    written = "".join(page.text for seed in range(20) for page in generate(kind, seed)[1].pages)
    assert set(written) <= set(ALPHABET)


def test_training_text_uses_the_whole_alphabet():
    """In a few hundred pieces of text every character comes up."""
    pages = (generate("text", seed)[1].pages[0].text for seed in count())
    assert set("".join(islice(pages, 300))) == set(ALPHABET)


@pytest.mark.parametrize("kind", DRAWN)
def test_field_values_stand_on_the_page_in_their_boxes(kind):
    """A value's text is on the page, its box is on a line that has it, and an absent value has neither."""
    for _, truth in born_digital(kind):
        for page in truth.pages:
            for field in page.fields:
                if field.value.status == "absent":
                    assert field.value.value_text is None
                    assert field.box is None
                    continue
                assert field.value.value_text
                assert field.box
                assert squeezed(field.value.value_text) in squeezed(page.text)
                inside = "".join(
                    glyph for index, glyph in enumerate(page.glyphs.text) if holds(field.box, page.glyphs.box(index), slack=0.2)
                )
                assert squeezed(field.value.value_text) == inside


@pytest.mark.parametrize("kind", DRAWN)
def test_fields_are_asked_once_a_page(kind):
    """A page answers no question twice, and the same name always asks the same question for the same type."""
    asked = {}
    for _, truth in born_digital(kind):
        for page in truth.pages:
            names = [field.name for field in page.fields]
            assert len(names) == len(set(names))
            for field in page.fields:
                assert asked.setdefault(field.name, (field.question, field.type)) == (field.question, field.type)


@pytest.mark.parametrize("kind", DRAWN)
def test_values_mean_what_the_pipeline_reads_from_their_text(kind):
    """A value's text alone is enough for the pipeline's own decoder to come to the same value, in any locale."""
    for seed in range(40):
        for page in generate(kind, seed)[1].pages:
            for field in page.fields:
                if field.value.status == "ok":
                    asked = AnswerField(name=field.name, question=field.question, type=field.type)
                    read = typed(field.value.value_text or "", asked, "en")
                    assert (
                        read.model_copy(update={"value_raw": None}) == field.value
                    )  # a truth is not read, letter for letter, from anything


@pytest.mark.parametrize("kind", ["invoice", "receipt", "statement", "form"])
def test_cells_fill_their_table_and_hold_their_text(kind):
    """Cells lie in the table's box, fill each slot once, and a cell's text is that of the glyphs in its box."""
    for _, truth in born_digital(kind):
        for page in truth.pages:
            assert page.tables or kind == "form"
            for table in page.tables:
                slots = []
                for cell in table.cells:
                    assert table.box
                    assert cell.box
                    assert holds(table.box, cell.box)
                    slots += [(cell.row_index, cell.col_index + across) for across in range(cell.col_span)]
                    inside = (index for index in range(len(page.glyphs.text)) if holds(cell.box, page.glyphs.box(index)))
                    assert "".join(page.glyphs.text[index] for index in inside) == squeezed(cell.text)
                assert sorted(slots) == [(row, column) for row in range(table.n_rows) for column in range(table.n_cols)]


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("invoice", {"title", "table", "total", "signature", "logo", "stamp"}),
        ("receipt", {"title", "table", "total", "logo"}),
        ("letter", {"title", "signature", "logo", "stamp"}),
        ("form", {"title", "table", "signature", "logo", "stamp"}),
        ("statement", {"title", "table", "total", "logo"}),
        ("article", {"title", "logo"}),
    ],
)
def test_kinds_have_their_things(kind, labels):
    """Over some seeds each kind shows every thing that it can have, and no other."""
    seen = {thing.label for seed in range(60) for page in generate(kind, seed)[1].pages for thing in page.boxes}
    assert seen == labels


def test_a_list_ends_above_the_page_s_foot():
    """Cells of several lines make a table longer than its rows say: what has no room on the first page goes to the second."""
    for seed in (2011, *range(20)):  # 2011 had a cell beside the page's number
        for page in generate("statement", seed)[1].pages:
            foot = page.lines[-1].box
            assert all(line.box.y1 <= foot.y0 for line in page.lines[:-1]), seed


def test_a_blank_page_has_nothing_on_it(pages_as_seen: Render):
    """Its truth is empty, and born-digital it is white all over."""
    data, truth = generate("blank", 1)
    assert truth.pages[0].blank
    assert truth.pages[0].text == ""
    assert pages_as_seen(data, truth)[0].min() == 255


def test_letters_of_training_text_are_12_to_24_pixels_high():
    """At 1.4 pixels a point, as tiles are seen, a glyph's box is between 12 and 24 pixels high."""
    heights = [box.height * 1.4 for seed in range(30) for line in generate("text", seed)[1].pages[0].lines if (box := line.box)]
    assert 12 - 0.05 <= min(heights) < 14
    assert 18 < max(heights) <= 24 + 0.05


def test_sums_are_right():
    """An invoice's lines add up to its subtotal, and with the tax to its total; a receipt's cash less its total is the change."""
    for seed in range(30):
        page = generate("invoice", seed)[1].pages[0]
        value = {field.name: field.value.value_number for field in page.fields}
        if value["tax"] is not None:
            assert value["subtotal"] + value["tax"] == value["total"]
        page = generate("receipt", seed)[1].pages[0]
        value = {field.name: field.value.value_number for field in page.fields}
        if value["cash"] is not None:
            assert value["cash"] - value["total"] == value["change"]
