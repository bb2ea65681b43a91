"""What completions make of a page, and how new answers are laid over rows that were there."""

from datetime import UTC, datetime

import pytest

from pipeline.overlay import combine, readdressed
from pipeline.readings import read, record
from pipeline.settle import Answered, Circumstances, PageFacts, Rows, facts_of, rows
from pipeline.tasks.asks import asks
from pipeline.unsettled import why_unsettled
from schemas.box import Box
from schemas.job import AnswerField, AnswerTask, DetectTask, OcrTask, SpotTask, TableTask
from schemas.page import Failure, Line
from schemas.source import page_identity
from schemas.unit import Origin
from schemas.view import Affine, Completion, Region

PAGE = Region("page", Affine(600, 0, 0, 800, 0, 0))
ORIGIN = Origin(source_id="s" * 64, uri="in/a.pdf", version="1", size_bytes=1)
GIVEN = Circumstances("job", "run", datetime(2026, 1, 1, tzinfo=UTC), "hash", "scripted 1")
(OCR,) = asks(OcrTask(type="ocr"))
(TOTAL,) = asks(AnswerTask(type="answer", fields=(AnswerField(name="total", question="the total?", type="integer"),)))
(STAMP,) = asks(DetectTask(type="detect", labels=("stamp",)))
(TABLE,) = asks(TableTask(type="table"))


def said(ask, text, rung=0, reason="stop"):
    return record(ask, PAGE, rung, Completion(text, (1,), (-0.5,), reason))


def made(facts, *answers):
    return rows(facts, [Answered(ask, f"{ask.key}:1", tuple(kept), 448) for ask, kept in answers], ORIGIN, "d", GIVEN, 1.0)


def seen(**changes):
    return PageFacts(0, 600.0, 800.0, 0, **changes)


def test_an_answer_in_full_makes_an_ok_page() -> None:
    """Text, lines and a field come out of their completions, and the row says which model said so."""
    page, (field,) = (both := made(seen(), (OCR, [said(OCR, "one\ntwo")]), (TOTAL, [said(TOTAL, "42")]))).page, both.fields
    assert (page.status, page.text, page.text_source, page.checkpoint_hash) == ("ok", "one\ntwo", "model", "hash")
    assert [line.text for line in page.lines] == ["one", "two"]
    assert (field.status, field.value_number, field.value_source, field.page_id) == ("ok", 42, "model", page.page_id)


@pytest.mark.parametrize(
    ("ocr", "total", "status"),
    [("text", "no number", "partial"), ("", "no number", "partial"), ("text", "7", "ok"), ("<loc0001>", "no number", "failed")],
)
def test_a_page_is_as_good_as_its_tasks(ocr: str, total: str, status: str) -> None:
    """One task rejected makes it partial, all of them failed; an empty page of text is a result."""
    page = made(seen(), (OCR, [said(OCR, ocr)]), (TOTAL, [said(TOTAL, total)])).page
    assert page.status == status
    assert {failure.task for failure in page.failures} <= {"ocr", "answer.total"}


TILES = [Region(f"tile-{at:03}", Affine(600, 0, 0, 400, 0, 400 * at)) for at in range(2)]


def in_tiles(ask, *texts):
    return [record(ask, tile, 0, Completion(text, (1,), (-0.5,), "stop")) for tile, text in zip(TILES, texts, strict=False)]


STAMPED, BROKEN = "<loc0100><loc0100><loc0200><loc0200> stamp", "<loc0100> stamp"
GRID, RAGGED = "<table><tr><td>a</td><td>b</td></tr></table>", "<table><tr><td>a</td></tr><tr><td>b</td><td>c</td></tr></table>"


def test_what_one_view_does_not_yield_costs_what_it_shows_alone() -> None:
    """Text, tables and things of the other tiles are kept; the task is a reject all the same, which says how many views were refused."""
    answers = ((OCR, ("above", "<loc0001>")), (TABLE, (RAGGED, GRID)), (STAMP, (STAMPED, BROKEN)))
    page = made(seen(), *((ask, in_tiles(ask, *texts)) for ask, texts in answers)).page
    assert (page.status, page.text, page.text_source) == ("partial", "above", "model")
    assert [[cell.text for cell in table.cells] for table in page.tables] == [["a", "b"]]
    assert [box.label for box in page.boxes] == ["stamp"]
    assert [failure.task for failure in page.failures] == ["ocr", "table", "detect"]
    assert all("(1 of 2 views; what the others say is kept)" in failure.message for failure in page.failures)
    assert why_unsettled(OCR, in_tiles(OCR, "above", "<loc0001>"), seen())


def test_a_page_of_which_all_views_are_refused_failed() -> None:
    """Nothing is kept of it, and the first view's reason stands as it is."""
    page = made(seen(), (OCR, in_tiles(OCR, "<loc0001>", "<loc0001>"))).page
    assert (page.status, page.text, page.lines) == ("failed", None, ())
    assert "views" not in page.failures[0].message


def test_a_field_is_no_surer_than_its_least_view() -> None:
    """A tile whose answer was refused may have shown the one true value: what another tile says does not stand for it."""
    (field,) = made(seen(), (TOTAL, in_tiles(TOTAL, "42", "no number"))).fields
    assert (field.status, field.value_number) == ("invalid", None)


def test_text_that_is_whole_comes_before_text_in_part() -> None:
    """Where `spot` was refused in one tile, the page's text is that of `ocr`, whatever was asked first."""
    (spotted,) = asks(SpotTask(type="spot"))
    line = "left<loc0100><loc0100><loc0200><loc0400>"
    both = [(spotted, in_tiles(spotted, line, "no places")), (OCR, in_tiles(OCR, "above", "below"))]
    assert made(seen(), *both).page.text == "above\nbelow"


def test_what_was_whole_does_not_give_way_to_less() -> None:
    """Of a page that is read again, and this time in part, text, tables and boxes stay as they were; what was never read is taken."""
    asked = ((OCR, ("above", "below"), ("above", "<loc0001>")), (TABLE, (GRID, GRID), (GRID, RAGGED)))
    asked = (*asked, (STAMP, (STAMPED, STAMPED), (STAMPED, BROKEN)))
    whole, part = (made(seen(), *((each[0], in_tiles(each[0], *each[which])) for each in asked)) for which in (1, 2))
    keys = frozenset({"ocr", "table", "detect"})
    both = combine(whole, part, keys).page
    assert (both.status, both.text, both.tables, both.boxes) == ("partial", "above\nbelow", whole.page.tables, whole.page.boxes)
    blank = made(seen(), (TOTAL, [said(TOTAL, "42")]))
    first = combine(blank, part, keys).page
    assert (first.text, first.tables, first.boxes) == (part.page.text, part.page.tables, part.page.boxes)
    again = combine(part, part, keys).page
    assert (again.text, again.tables, again.boxes) == (part.page.text, part.page.tables, part.page.boxes)


def test_blank_and_lost_pages_have_their_fields_too() -> None:
    """On a blank page a field is absent, on a page that could not be opened rejected, with the reason."""
    blank = made(seen(is_blank=True), (TOTAL, []))
    lost = made(PageFacts(0, is_lost=True, notes=(Failure(stage="open", code="crashed", message="it died"),)), (TOTAL, []))
    assert (blank.page.status, blank.fields[0].status, blank.fields[0].reason) == ("blank", "absent", "blank_page")
    assert (lost.page.status, lost.fields[0].status, lost.fields[0].reason) == ("failed", "rejected", "crashed")


def test_only_the_last_rung_counts() -> None:
    """A task that climbed is judged by what its last rung said; what it said before is kept."""
    kept = [said(OCR, "cut", 0, "length"), said(OCR, "whole", 1)]
    assert read(OCR, kept).text == "whole"
    assert why_unsettled(OCR, kept, seen()) is None
    assert why_unsettled(OCR, kept[:1], seen()) == "cut_off"
    assert len(made(seen(), (OCR, kept)).page.completions) == 2


def test_a_value_stands_where_a_line_says_so() -> None:
    """Its box is that of the one line that holds its words, of the text layer or of `spot`; else the tile that was read; a whole page is no box."""
    near, far = Box(x0=10, y0=20, x1=90, y1=30), Box(x0=10, y0=200, x1=90, y1=210)
    lines = (Line(text="total: 42 EUR", box=near), Line(text="421", box=far))
    layer = seen().with_text("total: 42 EUR\n421", lines, ())
    tile = Region("tile-001", Affine(300, 0, 0, 400, 0, 0))
    in_tile = record(TOTAL, tile, 0, Completion("42", (1,), (-0.5,), "stop"))
    (field,) = made(layer, (TOTAL, [in_tile])).fields
    assert (field.box, field.box_source) == (near, "text_layer")
    (field,) = made(seen().with_text("42\n42", (lines[0], lines[0]), ()), (TOTAL, [in_tile])).fields
    assert (field.box, field.box_source) == (Box(x0=0, y0=0, x1=300, y1=400), "tile")
    (spotted,) = asks(SpotTask(type="spot"))
    (field,) = made(
        seen(), (spotted, [said(spotted, "42<loc0100><loc0100><loc0200><loc0400>")]), (TOTAL, [said(TOTAL, "42")])
    ).fields
    assert field.box_source == "spot"
    (field,) = made(seen(), (TOTAL, [said(TOTAL, "42")])).fields
    assert (field.box, field.box_source) == (None, "page")


def test_rows_made_again_from_themselves_are_the_same() -> None:
    """What a row keeps is enough to make it anew: facts and completions go round."""
    answers = ((OCR, [said(OCR, "one")]), (STAMP, [said(STAMP, "<loc0100><loc0100><loc0200><loc0200> stamp")]))
    first = made(seen(), *answers)
    assert first.page.boxes[0].label == "stamp"
    kept = [(ask, [item for item in first.page.completions if item.task == ask.key]) for ask, _ in answers]
    assert made(facts_of(first.page), *kept) == first


def test_another_object_with_the_same_bytes_gets_rows_of_its_own() -> None:
    """Ids and uri are the other object's, the values the same."""
    first = made(seen(), (OCR, [said(OCR, "one")]), (TOTAL, [said(TOTAL, "42")]))
    other = Origin(source_id="t" * 64, uri="in/b.pdf", version="1", size_bytes=1)
    second = readdressed(first, other, GIVEN)
    assert second.page.page_id == second.fields[0].page_id == page_identity(other.source_id, 0)
    assert (second.page.source_uri, second.page.text, second.fields[0].value_number) == ("in/b.pdf", "one", 42)
    assert second.fields[0].field_id != first.fields[0].field_id


def test_new_answers_leave_old_ones_alone() -> None:
    """A task that is added brings its own values and failures; text, fields and boxes of other tasks stay."""
    old = made(seen(), (OCR, [said(OCR, "one")]), (TOTAL, [said(TOTAL, "no number")]))
    new = made(facts_of(old.page), (STAMP, [said(STAMP, "<loc0100><loc0100><loc0200><loc0200> stamp")]))
    both = combine(old, new, frozenset({"detect"}))
    assert (both.page.text, both.page.status, len(both.page.boxes), both.fields) == ("one", "partial", 1, old.fields)
    assert {item.task for item in both.page.completions} == {"ocr", "answer.total", "detect"}


def test_an_answer_asked_anew_replaces_the_old_one() -> None:
    """Its failure goes with it, and a page that only failed there is well."""
    old = made(seen(), (OCR, [said(OCR, "one")]), (TOTAL, [said(TOTAL, "no number")]))
    both = combine(old, made(facts_of(old.page), (TOTAL, [said(TOTAL, "42")])), frozenset({"answer.total"}))
    assert (both.page.status, both.page.failures, both.page.text) == ("ok", (), "one")
    assert [field.value_number for field in both.fields] == [42]


def test_text_that_nobody_asked_anew_stays() -> None:
    """A table added under `prefer` brings a text layer to light; the model's text, which another job asked for, is not overwritten."""
    old = made(seen(), (OCR, [said(OCR, "read by the model")]))
    layer = seen(
        text="of the layer", text_source="text_layer", lines=(Line(text="of the layer", box=Box(x0=0, y0=0, x1=1, y1=1)),)
    )
    kept = combine(old, made(layer, (TABLE, [])), frozenset({"table"}))
    replaced = combine(old, made(layer, (OCR, [])), frozenset({"ocr"}))
    assert (kept.page.text, kept.page.text_source) == ("read by the model", "model")
    assert (replaced.page.text, replaced.page.text_source) == ("of the layer", "text_layer")


def test_a_page_that_is_lost_later_keeps_what_it_had() -> None:
    """When a page can no longer be opened for a new question, its old rows stand, in part."""
    old = made(seen(), (OCR, [said(OCR, "one")]))
    gone = PageFacts(0, is_lost=True, notes=(Failure(stage="open", code="damaged", message="broken"),))
    both = combine(old, made(gone, (TOTAL, [])), frozenset({"answer.total"}))
    assert isinstance(both, Rows)
    assert (both.page.status, both.page.text, both.page.width_pt, both.fields[0].status) == (
        "partial",
        "one",
        600.0,
        "rejected",
    )
