"""Every line, cell, thing and value says where it stands, and who says so."""

from datetime import UTC, datetime

import pytest

from pipeline.columns import Columns
from pipeline.conclude import Rules, concluded
from pipeline.readings import read, record
from pipeline.settle import Answered, Circumstances, PageFacts, facts_of, rows
from pipeline.tasks.asks import asks
from schemas.box import Box
from schemas.job import AnswerField, AnswerTask, DetectTask, OcrTask, ReferTask, SegmentTask, SpotTask, TableTask
from schemas.page import Line
from schemas.table import Cell, Table
from schemas.unit import Origin
from schemas.view import Affine, Completion, Region

PAGE = Region("page", Affine(600, 0, 0, 800, 0, 0))
TOP, BOTTOM = Region("tile-000", Affine(600, 0, 0, 400, 0, 0)), Region("tile-001", Affine(600, 0, 0, 400, 0, 400))
ORIGIN = Origin(source_id="s" * 64, uri="in/a.pdf", version="1", size_bytes=1)
GIVEN = Circumstances("job", "run", datetime(2026, 1, 1, tzinfo=UTC), "hash", "scripted 1")
(OCR,), (SPOT,), (TABLE,) = asks(OcrTask(type="ocr")), asks(SpotTask(type="spot")), asks(TableTask(type="table"))
(TOTAL,) = asks(AnswerTask(type="answer", fields=(AnswerField(name="grand_total", question="the total?", type="integer"),)))
PLACE = "<loc0100><loc0100><loc0200><loc0400>"


def said(ask, text, region=PAGE):
    return record(ask, region, 0, Completion(text, (1,), (-0.5,), "stop"))


def made(*answers, facts=None):
    facts = facts or PageFacts(0, 600.0, 800.0, 0)
    return rows(facts, [Answered(ask, ask.key, tuple(kept), 448) for ask, kept in answers], ORIGIN, "d", GIVEN, 1.0)


def layer(*lines, tables=()):
    return PageFacts(0, 600.0, 800.0, 0).with_text("\n".join(line.text for line in lines), lines, tables)


def box(y0, x0=10.0):
    return Box(x0=x0, y0=y0, x1=x0 + 90, y1=y0 + 10)


def test_a_text_layers_lines_and_cells_stand_where_it_says():
    """Also in rows that were written before anybody said who knew."""
    table = Table(
        table_index=0, n_rows=1, n_cols=1, html="", box=box(20), cells=(Cell(row_index=0, col_index=0, text="a", box=box(20)),)
    )
    page = made((OCR, []), facts=layer(Line(text="a", box=box(20)), tables=(table,))).page
    before = page.model_copy(update={"lines": (Line(text="a", box=box(20)),), "tables": (table,)})
    for lines, tables in ((page.lines, page.tables), (facts_of(before).lines, facts_of(before).tables)):
        assert [line.box_source for line in lines] == ["text_layer"]
        assert [(each.box_source, each.cells[0].box_source) for each in tables] == [("text_layer", "text_layer")]


@pytest.mark.parametrize(
    ("region", "places", "source", "known"),
    [
        (PAGE, (), "page", None),
        (BOTTOM, (), "tile", Box(x0=0, y0=400, x1=600, y1=800)),
        (BOTTOM, (0.1, 0.1, 0.3, 0.13), "print", Box(x0=60, y0=440, x1=180, y1=452)),
    ],
)
def test_text_without_places_stands_where_print_was_seen_or_in_the_tile(region, places, source, known):
    """Of a whole page without print nothing more is known than that it is there."""
    seen = Region(region.name, region.affine, places)
    (line,) = made((OCR, [said(OCR, "some words of a line", seen)])).page.lines
    assert (line.box, line.box_source) == (known, source)


def test_overlapping_tiles_without_places_stand_in_their_row_of_tiles():
    """Their words are joined without knowing where they are; which row of tiles a line came from is known all the same."""
    tiles = [
        Region(f"tile-{n}", Affine(300, 0, 0, 430, x, y)) for n, (x, y) in enumerate([(0, 0), (270, 0), (0, 380), (270, 380)])
    ]
    texts = ["one li", "e line", "two li", "o line"]
    lines = made((OCR, [said(OCR, text, tile) for text, tile in zip(texts, tiles, strict=True)])).page.lines
    assert [(line.text, line.box.y0, line.box.y1, line.box.width, line.box_source) for line in lines] == [
        ("one line", 0, 430, 570, "tile"),
        ("two line", 380, 810, 570, "tile"),
    ]


def test_tasks_that_name_places_say_so():
    """spot, detect, segment and refer; a phrase that was asked for is a thing detected."""
    (detect,), (segment,) = (
        asks(DetectTask(type="detect", labels=("logo",))),
        asks(SegmentTask(type="segment", labels=("stamp",))),
    )
    (refer,) = asks(ReferTask(type="refer", phrase="red seal"))
    mask = "".join(f"<seg{n:03d}>" for n in range(16))
    page = made(
        (SPOT, [said(SPOT, f"{PLACE} words")]),
        (detect, [said(detect, f"{PLACE} logo")]),
        (segment, [said(segment, f"{PLACE} {mask} stamp")]),
        (refer, [said(refer, f"{PLACE} red seal")]),
    ).page
    assert [line.box_source for line in page.lines] == ["spot"]
    assert [(each.label, each.box_source) for each in page.boxes] == [
        ("logo", "detect"),
        ("stamp", "segment"),
        ("red seal", "detect"),
    ]


def cells(html, region):
    (table,) = read(TABLE, [said(TABLE, html, region)]).tables
    return table, {(cell.row_index, cell.col_index): cell for cell in table.cells}


def test_a_cell_without_a_place_stands_where_its_row_meets_its_column():
    """The model names no place for empty cells; their neighbours do."""
    at = [f'coords="<loc0{x}><loc0{y}><loc0{x + 90}><loc0{y + 40}>"' for y in (100, 200) for x in (100, 300)]
    html = f"<table><tr><td {at[0]}>a</td><td {at[1]}>b</td></tr><tr><td {at[2]}>c</td><td></td></tr></table>"
    table, found = cells(html, PAGE)
    empty = found[1, 1]
    assert (empty.box.x0, empty.box.x1) == (found[0, 1].box.x0, found[0, 1].box.x1)
    assert (empty.box.y0, empty.box.y1) == (found[1, 0].box.y0, found[1, 0].box.y1)
    assert {cell.box_source for cell in table.cells} == {table.box_source} == {"table"}


@pytest.mark.parametrize(("region", "source"), [(PAGE, "page"), (BOTTOM, "tile")])
def test_a_table_without_any_place_stands_in_what_was_shown(region, source):
    """The tile, as far as that goes; of a whole page, nothing more is known."""
    table, found = cells("<table><tr><td>a</td></tr></table>", region)
    assert {table.box_source, found[0, 0].box_source} == {source}
    assert table.box == found[0, 0].box == (None if source == "page" else Box(x0=0, y0=400, x1=600, y1=800))


def place(*answers, facts=None):
    (field,) = made(*answers, facts=facts).fields
    return field.box, field.box_source


def test_a_value_stands_in_the_line_that_says_it():
    """A wrong value was read somewhere too; an absent one nowhere."""
    facts = layer(Line(text="sum 42", box=box(20)), Line(text="sum many", box=box(60)))
    assert place((TOTAL, [said(TOTAL, "42")]), facts=facts) == (box(20), "text_layer")
    assert place((TOTAL, [said(TOTAL, "many")]), facts=facts) == (box(60), "text_layer")
    assert place((TOTAL, [said(TOTAL, "unanswerable")]), facts=facts) == (None, None)


def test_of_several_lines_the_one_in_the_tile_that_gave_it_is_meant():
    """Twice the same sum: what the model saw tells which; where it saw both, the tile is all that is known."""
    facts = layer(Line(text="42", box=box(20)), Line(text="42", box=box(500)), Line(text="42", box=box(600, 300.0)))
    nothing = said(TOTAL, "unanswerable", BOTTOM)
    assert place((TOTAL, [said(TOTAL, "42", TOP), nothing]), facts=facts) == (box(20), "text_layer")
    nothing = said(TOTAL, "unanswerable", TOP)
    assert place((TOTAL, [nothing, said(TOTAL, "42", BOTTOM)]), facts=facts) == (Box(x0=0, y0=400, x1=600, y1=800), "tile")
    assert place((TOTAL, [said(TOTAL, "42")]), facts=facts) == (None, "page")


def test_a_value_stands_in_the_cell_that_says_it():
    """Where there is a table and no text."""
    html = f'<table><tr><td coords="{PLACE}">42</td><td>41</td></tr></table>'
    found, source = place((TABLE, [said(TABLE, html)]), (TOTAL, [said(TOTAL, "42")]))
    assert source == "table"
    assert found is not None


def test_what_is_detected_under_a_fields_name_is_its_place():
    """A line within it is nearer; lines elsewhere with the same words are not meant."""
    (detect,) = asks(DetectTask(type="detect", labels=("Grand total",)))
    thing = (detect, [said(detect, "<loc0000><loc0000><loc0512><loc1023> Grand total")])
    answer = (TOTAL, [said(TOTAL, "42")])
    assert place(answer, thing)[1] == "detect"
    assert place(answer, thing, facts=layer(Line(text="42", box=box(20)), Line(text="42", box=box(500)))) == (
        box(20),
        "text_layer",
    )
    assert place(answer, thing, facts=layer(Line(text="42", box=box(500))))[1] == "detect"


def ended(found):
    """Return a page's rows at the very end."""
    (told,) = concluded([found], [frozenset()], Rules(Columns((), "en"), (), None), is_whole=True)
    return told


def test_what_nothing_places_stands_on_its_page_in_the_end():
    """Lines, cells and values of which no more is known have the whole page for their box, and say so; others keep theirs."""
    html = f'<table><tr><td>a</td></tr></table><table><tr><td coords="{PLACE}">b</td></tr></table>'
    read_whole = made((OCR, [said(OCR, "one line")]), (TABLE, [said(TABLE, html)]), (TOTAL, [said(TOTAL, "42")]))
    told = ended(read_whole)
    whole = Box(x0=0, y0=0, x1=600, y1=800)
    (line,), (rough, placed) = told.page.lines, told.page.tables
    for each in (line, rough, rough.cells[0], told.fields[0]):
        assert (each.box, each.box_source) == (whole, "page")
    assert placed == read_whole.page.tables[1]
    assert ended(told) == told


def test_where_nothing_is_there_is_no_place():
    """An absent value, and one of a page that could not be opened, stand nowhere."""
    absent = made((TOTAL, [said(TOTAL, "unanswerable")]))
    lost = made((TOTAL, []), facts=PageFacts(0, is_lost=True))
    for each in (absent, lost):
        (field,) = ended(each).fields
        assert (field.box, field.box_source) == (None, None)
