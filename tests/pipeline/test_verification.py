"""On request, the place of a value is read again, and whether the value stands there is a signal."""

from datetime import UTC, datetime

import pytest

from pipeline import read
from pipeline.ascent import Ascent
from pipeline.redecode import Redecoder
from pipeline.serving import Serving
from pipeline.settle import PageFacts, Rows
from pipeline.verification import crop
from schemas.arrow import from_table
from schemas.box import Box
from schemas.field import FieldRow
from schemas.job import AnswerField, AnswerTask, OcrTask, Render
from schemas.page import CompletionRecord, PageRow
from schemas.unit import Origin, Unit
from schemas.view import Affine

TOTAL = AnswerField(name="total", question="total?", type="integer", verify=True)


@pytest.fixture
def reads(mill, machine):
    """Return a function that runs a job over a page of a text layer, and gives the views that were asked to be read, and the field's row.

    The model answers 42, and reads what it is told to read in the value's place.
    """

    def run(place, field=TOTAL, words="the total is 42\nother words", **render):
        mill.put("a.pdf", machine.pdf(words))
        seen = []

        def say(request):
            if request.prompt == "ocr":
                seen.append(request.view.region)
                return machine.said(place)
            return machine.said("42")

        job = mill.job(AnswerTask(type="answer", fields=(field,)), render=Render(text_layer="prefer", **render))
        mill.run(
            job, serving=lambda job: Serving(job.model, 448, lambda _model, resolution: machine.TinyEngine(say, resolution))
        )
        return seen, mill.field("a.pdf", field.name)

    return run


@pytest.mark.parametrize(("place", "least", "most"), [("the total is 42", 1, 1), ("the total is 47", 0, 0.9), ("", 0, 0)])
def test_the_place_of_a_value_is_read_again(reads, mill, place, least, most):
    """What stands there speaks for the value or against it, and changes none; what was said is kept."""
    (region,), row = reads(place)
    assert (row["value_number"], row["status"], row["box_source"]) == (42, "ok", "text_layer")
    assert least <= row["signals"]["box"] <= most
    shown, box = region.affine.box(0, 0, 1, 1), row["box"]
    assert shown.x0 <= box["x0"] <= box["x1"] <= shown.x1
    assert shown.y0 <= box["y0"] <= box["y1"] <= shown.y1
    assert shown.height < 100
    page = mill.page("a.pdf")
    assert [(item["task"], item["raw"]) for item in page["completions"]] == [
        ("answer.total", "42"),
        ("verify.answer.total", place),
    ]
    assert page["status"] == "ok"


@pytest.mark.parametrize(
    ("field", "words", "render"),
    [
        (TOTAL.model_copy(update={"verify": False}), "the total is 42", {}),
        (TOTAL, "nowhere to be seen", {}),
        (TOTAL, "the total is 42", {"max_requests_per_page": 1}),
    ],
    ids=["not asked for", "no place", "no request left"],
)
def test_nothing_is_read_again_without_need(reads, field, words, render):
    """Nobody asked for it, the value has no place, or its page may not be asked more: then nothing is known of its place."""
    seen, row = reads("anything", field, words, **render)
    assert seen == []
    assert (row["status"], row["signals"]["box"]) == ("ok", None)


def test_decoding_again_remembers_it(reads, mill):
    """The signal is made from what was kept."""
    reads("the total is 42")
    before = mill.field("a.pdf", "total")
    job = mill.job(AnswerTask(type="answer", fields=(TOTAL,)), OcrTask(type="ocr"), render=Render(text_layer="prefer"))
    redecoder = Redecoder(job, "again", ())
    (page,) = from_table(read(mill.sink_uri), PageRow)
    (field,) = from_table(read(mill.sink_uri, "fields"), FieldRow)
    unit = Unit(document_id=page.document_id, media_type="application/pdf", origins=(_origin(page),), first_page=0, n_pages=1)
    made, _ = redecoder._again(Rows(page, (field,)), unit, datetime(2026, 1, 1, tzinfo=UTC))
    assert made.fields[0].signals.box == before["signals"]["box"] == 1.0
    assert [item.task for item in made.page.completions] == ["answer.total", "verify.answer.total"]


def _origin(page):
    return Origin(source_id=page.source_id, uri=page.source_uri, version="1", size_bytes=1)


def placed(box, affine):
    """Return the crop of a value with this box, of a page of 600 by 800 points that was read in such a view."""
    said = CompletionRecord(
        task="answer.total", prompt="", view="page", affine=affine, rung=0, raw="42", finish_reason="stop", tokens=1
    )
    unit = Unit(document_id="d", media_type="", origins=(), first_page=0, n_pages=1)
    page = Ascent(unit, PageFacts(0, 600.0, 800.0, 0), (), records={"answer.total": [said]})
    now = datetime(2026, 1, 1, tzinfo=UTC)
    row = FieldRow(
        status="ok", field_id="f", page_id="p", source_id="s", source_uri="u", page_index=0, name="total", question="", box=box,
        task_fingerprint="t", run_id="r", processed_at=now,
    )  # fmt: skip
    return crop(row, page).affine


def test_a_crop_is_no_sliver_and_lies_on_the_page():
    """A long line is shown with some of what is around it; at the page's edge there is no more to show."""
    shown = placed(Box(x0=100, y0=400, x1=388, y1=410), (600, 0, 0, 800, 0, 0)).box(0, 0, 1, 1)
    assert (shown.width, shown.height, (shown.y0 + shown.y1) / 2) == (300, 100, 405)
    shown = placed(Box(x0=0, y0=0, x1=288, y1=10), (600, 0, 0, 800, 0, 0)).box(0, 0, 1, 1)
    assert (shown.x0, shown.y0, shown.x1) == (0, 0, 294)


def test_a_crop_of_a_turned_page_is_upright():
    """The view is turned as the one in which the value was read, and shows its place."""
    quarter = Affine(0, 800, -600, 0, 600, 0)
    affine = placed(Box(x0=100, y0=400, x1=110, y1=688), (quarter.a, quarter.b, quarter.c, quarter.d, quarter.e, quarter.f))
    assert (affine.a, affine.b > 0, affine.c < 0, affine.d) == (pytest.approx(0), True, True, pytest.approx(0))
    shown = affine.box(0, 0, 1, 1)
    assert (shown.x0 < 100, shown.x1 > 110, shown.y0 < 400, shown.y1 > 688) == (True, True, True, True)
    assert (shown.width, shown.height) == (pytest.approx(100), pytest.approx(300))
