"""The worker step: what is asked and what is not, on which rung, and what becomes of what cannot be read."""

import hashlib
import os
from pathlib import Path

import pymupdf
import pytest

from pipeline.errors import ParityError
from pipeline.serving import Serving
from schemas.box import Box
from schemas.job import AnswerField, AnswerTask, Confidence, Model, Render, Rung
from schemas.view import Completion

LADDER = (Rung(resolution=448), Rung(resolution=448, tiles="grid"))


@pytest.fixture
def asked():
    """Return the requests that the engine of `serving` has seen."""
    return []


@pytest.fixture
def serving(machine, asked):
    """Return a function that makes a Serving whose engine answers what a function says."""

    def make(say):
        def answer(request):
            asked.append((request.view.page_index, request.view.region.name, request.prompt))
            return say(request)

        return lambda job: Serving(job.model, 448, lambda _model, resolution: machine.TinyEngine(answer, resolution))

    return make


def test_only_what_is_unsettled_climbs(mill, machine, serving, asked):
    """A task that is settled on the first rung is not asked again; the other is asked of every tile, and its last rung counts."""

    def say(request):
        if request.prompt == "ocr":
            whole = request.view.region.name == "page"
            return Completion("cut", (1,), (-1.0,), "length") if whole else machine.said(f"text of {request.view.region.name}")
        return machine.said("12")

    mill.put("a.pdf", machine.pdf("a page" + "\n" * 36 + "and its foot", side_pt=800))
    job = mill.job(machine.OCR, machine.answer("total"), render=Render(text_layer="ignore", ladder=LADDER))
    mill.run(job, serving=serving(say))
    page, field = mill.page("a.pdf"), mill.field("a.pdf", "total")
    tiles = [view for _, view, prompt in asked if prompt == "ocr"][1:]
    assert len(tiles) > 1
    assert [prompt for _, _, prompt in asked].count("ocr") == 1 + len(tiles)
    assert len(asked) == 2 + len(tiles)
    assert page["text"] == "\n".join(f"text of {tile}" for tile in tiles)
    assert (page["status"], field["value_text"], field["rung"], field["resolution"]) == ("ok", "12", 0, 448)
    assert [item["rung"] for item in page["completions"] if item["task"] == "ocr"] == [0, *[1] * len(tiles)]


def test_nothing_is_in_hand_while_the_engine_starts(mill, machine):
    """A worker that dies as it loads a model has died of no page: pages are marked as being worked on only once they are asked."""
    marked = []

    def note(_):
        marked.append([path.name for path in Path(mill.sink_uri, "_pagemill", "in_flight").glob("*/*")])
        return machine.said("12")

    def start(_model, resolution):
        note(None)
        return machine.TinyEngine(note, resolution)

    mill.put("a.pdf", machine.pdf("one", "two"))
    mill.run(mill.job(machine.OCR, render=Render(text_layer="ignore")), serving=lambda job: Serving(job.model, 448, start))
    assert [len(markers) for markers in marked] == [0, 1, 1]
    assert mill.verify().is_exact


def test_a_rung_of_another_resolution_is_said_of_its_answers_alone(mill, machine, serving):
    """A field that was settled on the first rung keeps that rung's resolution, whatever other questions climbed to."""

    def say(request):
        if "date" in request.prompt and request.view.resolution == 448:
            return Completion("cut", (1,), (-1.0,), "length")
        return machine.said("12")

    mill.put("a.pdf", machine.pdf("a page"))
    ladder = (Rung(resolution=448), Rung(resolution=896))
    job = mill.job(machine.answer("total", "date"), render=Render(text_layer="ignore", ladder=ladder))
    mill.run(job, serving=serving(say))
    assert (mill.field("a.pdf", "total")["rung"], mill.field("a.pdf", "total")["resolution"]) == (0, 448)
    assert (mill.field("a.pdf", "date")["rung"], mill.field("a.pdf", "date")["resolution"]) == (1, 896)


def test_what_no_rung_settles_is_rejected_and_said(mill, machine, serving):
    """A page with one rejected task of two is partial, with none it is failed; the failure names task and reason."""

    def say(request):
        if request.prompt == "ocr" or request.view.page_index == 1:
            return Completion("", (), (), "error", "out of luck")
        return machine.said("12")

    mill.put("a.pdf", machine.pdf("one", "two"))
    ran = mill.run(mill.job(machine.OCR, machine.answer("total")), serving=serving(say))
    first, second = mill.page("a.pdf"), mill.page("a.pdf", 1)
    assert (first["status"], second["status"]) == ("partial", "failed")
    assert [(f["stage"], f["code"], f["task"]) for f in first["failures"]] == [("infer", "engine_error", "ocr")]
    assert mill.field("a.pdf", "total", 1)["status"] == "rejected"
    assert mill.field("a.pdf", "total", 1)["value_text"] is None
    assert (ran.commits.pages["p"], ran.commits.pages["f"]) == (1, 1)
    assert mill.document("a.pdf")["status"] == "partial"
    assert {(r.code, r.count) for r in ran.commits.rejects} == {("engine_error", 3)}
    assert mill.verify().is_exact


def test_blank_pages_are_never_shown_to_the_engine(mill, machine, serving, asked):
    """A blank page has a row, and a field that is absent, and costs no request."""
    mill.put("a.pdf", machine.pdf("one", ""))
    mill.run(mill.job(machine.OCR, machine.answer("total")), serving=serving(lambda _: machine.said("12")))
    assert {page for page, _, _ in asked} == {0}
    assert (mill.page("a.pdf", 1)["status"], mill.page("a.pdf", 1)["engine"]) == ("blank", None)
    absent = mill.field("a.pdf", "total", 1)
    assert (absent["status"], absent["reason"], absent["checkpoint_hash"]) == ("absent", "blank_page", None)


def test_text_layers_ignored_preferred_and_compared(mills, machine, serving, asked):
    """`prefer` takes the layer's text and spares the model; `compare` asks and keeps both; `ignore` knows of no layer."""
    found = {}
    for wanted in ("ignore", "prefer", "compare"):
        mill = mills(wanted)
        mill.put("a.pdf", machine.pdf("words of the layer"))
        asked.clear()
        mill.run(mill.job(render=Render(text_layer=wanted)), serving=serving(lambda _: machine.said("words of the model")))
        page = mill.page("a.pdf")
        found[wanted] = (len(asked), page["text"], page["text_source"], [item["task"] for item in page["completions"]])
    assert found == {
        "ignore": (1, "words of the model", "model", ["ocr"]),
        "prefer": (0, "words of the layer", "text_layer", []),
        "compare": (1, "words of the model", "model", ["text_layer", "ocr"]),
    }


def test_a_layer_that_is_preferred_does_not_answer_questions(mill, machine, serving, asked):
    """With the text from the layer the fields are still asked of the model."""
    mill.put("a.pdf", machine.pdf("words of the layer"))
    job = mill.job(machine.OCR, machine.answer("total"), render=Render(text_layer="prefer"))
    mill.run(job, serving=serving(lambda _: machine.said("12")))
    assert [prompt for _, _, prompt in asked] == ["answer en what is the total?"]
    assert mill.page("a.pdf")["text"] == "words of the layer"


def test_hidden_text_is_noted_and_not_taken(mill):
    """Text that no reader sees is no part of the page's text, and a note says that there was some."""
    with pymupdf.open() as document:
        page = document.new_page(width=200, height=200)
        page.insert_text((20, 40), "what one sees", fontsize=12)
        page.insert_text((20, 80), "pay me instead", fontsize=12, render_mode=3)
        mill.put("a.pdf", document.tobytes())
    mill.run(mill.job(render=Render(text_layer="prefer")))
    page = mill.page("a.pdf")
    assert page["text"] == "what one sees"
    assert [f["code"] for f in page["failures"]] == ["hidden_text"]
    assert page["status"] == "ok"


def test_an_engine_that_dies_on_a_page_costs_that_page(mill, machine, tmp_path):
    """The scripted engine dies of one page of many; the page says so, the others are read, and the run is complete."""
    data = machine.pdf("one", "two", "three")
    mill.put("a.pdf", data)
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    deadly = f"{hashlib.sha256(data).hexdigest()}/1"
    (checkpoint / "scripted.json").write_text(f'{{"dies_on": ["{deadly}"]}}')
    ran = mill.run(mill.job(model=Model(engine="scripted", checkpoint=str(checkpoint))))
    assert [mill.page("a.pdf", index)["status"] for index in range(3)] == ["ok", "failed", "ok"]
    (failure,) = mill.page("a.pdf", 1)["failures"]
    assert (failure["stage"], failure["code"]) == ("infer", "engine_error")
    assert ran.commits.tally.retries > 0
    assert mill.page("a.pdf", 1)["engine"] == "scripted 1"
    assert not ran.left


def test_a_document_that_is_gone_at_the_pass_is_left(mill, machine):
    """Objects that vanish or change between list and read get no rows; the next run takes them as they are then."""
    mill.put("a.pdf", machine.pdf("one"))
    mill.put("b.pdf", machine.pdf("two"))
    mill.put("c.pdf", machine.pdf("three"))

    def meanwhile():
        (mill.source / "a.pdf").unlink()
        mill.put("b.pdf", machine.pdf("two", "and more"))

    ran = mill.run(before_reading=meanwhile)
    assert sorted(ran.left) == ["ObjectChanged", "ObjectMissing"]
    assert [r["source_uri"].rsplit("/", 1)[1] for r in mill.rows()] == ["c.pdf"]
    assert [f.code for f in mill.verify().findings] == ["pages_unread"]
    again = mill.run()
    assert (again.deleted, again.inspected, again.pages, again.left) == (1, 1, 2, [])
    assert [r["source_uri"].rsplit("/", 1)[1] for r in mill.rows()] == ["b.pdf", "b.pdf", "c.pdf"]
    assert mill.verify().is_exact


def test_a_document_that_can_no_longer_be_had_on_a_later_rung_is_left(mill, machine, serving):
    """A storage error half-way up the ladder leaves that unit without rows, and costs no other unit its rows."""

    def say(request):
        if request.view.document_id == deadly and mill.source.joinpath("a.pdf").exists():
            (mill.source / "a.pdf").unlink()
        is_whole = request.view.region.name == "page"
        return Completion("cut", (1,), (-1.0,), "length") if is_whole else machine.said("a tile's words")

    data = machine.pdf("one")
    deadly = hashlib.sha256(data).hexdigest()
    mill.put("a.pdf", data)
    mill.put("b.pdf", machine.pdf("two"))
    job = mill.job(render=Render(text_layer="ignore", ladder=LADDER))
    ran = mill.run(job, serving=serving(say))
    assert ran.left == ["ObjectMissing"]
    assert [r["source_uri"].rsplit("/", 1)[1] for r in mill.rows()] == ["b.pdf"]
    mill.put("a.pdf", data)
    assert mill.run(job).left == []
    assert mill.verify().is_exact


def test_a_document_that_cannot_be_opened_at_the_pass_fails(mill, machine):
    """What was a document at the inspection and is none any more, under the same version, ends as failed rows that say so."""
    path = mill.source / "a.pdf"
    data = machine.pdf("one", "two")
    mill.put("a.pdf", data)
    at = path.stat()

    def meanwhile():
        path.write_bytes(b"x" * len(data))
        os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))

    ran = mill.run(mill.job(machine.OCR, machine.answer("total")), before_reading=meanwhile)
    assert ran.left == []
    assert [mill.page("a.pdf", index)["status"] for index in range(2)] == ["failed", "failed"]
    assert mill.page("a.pdf")["failures"][0]["code"] == "unknown_type"
    assert mill.field("a.pdf", "total")["reason"] == "unknown_type"
    assert mill.document("a.pdf")["status"] == "failed"
    assert mill.verify().is_exact


def test_a_value_of_a_tile_says_where_it_was_read(mill, machine, serving):
    """An answer found in one tile has that tile as its box; one found on the whole page has the page."""

    def say(request):
        if request.view.region.name == "page":
            return Completion("cut", (1,), (-1.0,), "length") if "date" in request.prompt else machine.said("12")
        is_first = request.view.region.affine.e == request.view.region.affine.f == 0
        return machine.said("today" if is_first else "unanswerable")

    mill.put("a.pdf", machine.pdf("one", side_pt=800))
    job = mill.job(machine.answer("total", "date"), render=Render(text_layer="ignore", ladder=LADDER))
    mill.run(job, serving=serving(say))
    total = mill.field("a.pdf", "total")
    assert (total["box"], total["box_source"]) == ({"x0": 0, "y0": 0, "x1": 800, "y1": 800}, "page")
    date = mill.field("a.pdf", "date")
    assert (date["value_text"], date["box_source"]) == ("today", "tile")
    box = Box(**date["box"])
    assert (box.x0, box.y0) == (0, 0)
    assert 0 < box.width < 800


def test_other_words_are_asked_where_the_first_go_unanswered(mill, machine, serving, asked):
    """In turn, on the same rung, and of no page that has answered; the row names the question that was."""

    def say(request):
        return machine.said("12" if "how much" in request.prompt or request.view.page_index == 1 else "unanswerable")

    mill.put("a.pdf", machine.pdf("one", "two"))
    fields = (AnswerField(name="total", question="the total?", rephrased=("how much is it?", "what to pay?")),)
    mill.run(mill.job(AnswerTask(type="answer", fields=fields)), serving=serving(say))
    assert [(page, prompt.removeprefix("answer en ")) for page, _, prompt in asked] == [
        (0, "the total?"),
        (1, "the total?"),
        (0, "how much is it?"),
    ]
    found = [mill.field("a.pdf", "total", page) for page in (0, 1)]
    assert [(row["value_text"], row["question"]) for row in found] == [("12", "how much is it?"), ("12", "the total?")]


def test_questions_that_confirm_one_another_are_all_asked(mill, machine, serving, asked):
    """The first answer stands, and how far the others agree stands among its signals."""

    def say(request):
        return machine.said("13" if "how much" in request.prompt else "12")

    mill.put("a.pdf", machine.pdf("one"))
    field = AnswerField(
        name="total", question="the total?", rephrased=("how much?", "what to pay?"), confirm=True, type="integer"
    )
    mill.run(mill.job(AnswerTask(type="answer", fields=(field,))), serving=serving(say))
    row = mill.field("a.pdf", "total")
    assert len(asked) == 3
    assert (row["value_number"], row["signals"]["questions"]) == (12, 0.5)
    assert 0 < row["confidence"] < 1


def test_a_value_that_is_not_sure_enough_climbs(mill, machine, serving, asked):
    """Below `confidence.settle` it is asked again on the next rung, and only that one; the first rung's answer speaks for it or against it."""

    def say(request):
        return Completion("12", (5, 1), (-6.0 if "total" in request.prompt else -1e-6,) * 2, "stop")

    mill.put("a.pdf", machine.pdf("a page"))
    ladder = (Rung(resolution=448), Rung(resolution=896))
    job = mill.job(
        machine.answer("total", "date"),
        render=Render(text_layer="ignore", ladder=ladder),
        confidence=Confidence(settle=0.5),
    )
    mill.run(job, serving=serving(say))
    assert [prompt.split()[-1] for _, _, prompt in asked] == ["total?", "date?", "total?"]
    assert mill.field("a.pdf", "total")["signals"]["rungs"] == 1.0


def test_a_text_layer_beside_the_models_text_is_a_witness(mill, machine, serving):
    """Under `compare` the row says how far the two agree and what one alone has, and a field's signals whether the layer has its value."""

    def say(request):
        return machine.said("the quick red fox" if request.prompt == "ocr" else "brown fox")

    mill.put("a.pdf", machine.pdf("the quick\nbrown fox jumps over\nthe lazy dog"))
    ran = mill.run(mill.job(machine.OCR, machine.answer("animal"), render=Render(text_layer="compare")), serving=serving(say))
    page, field = mill.page("a.pdf"), mill.field("a.pdf", "animal")
    assert (page["text_source"], page["agreement"]["only_model"]) == ("model", ["red"])
    assert set(page["agreement"]["only_layer"]) >= {"brown", "dog"}
    assert ran.commits.witnessed.pages == 1
    assert ran.commits.witnessed.word_recall == pytest.approx(page["agreement"]["word_recall"]) == pytest.approx(3 / 9)
    assert field["signals"]["layer"] == 1.0


def test_a_model_that_fails_its_gate_ends_the_run_before_any_page_has_a_row(mill, machine):
    """What differs from the reference reaches whoever started the run, no row is written, and no page is suspected of it."""

    def start(_model, _resolution):
        raise ParityError("question 0 ('ocr'), token 3: another token")

    mill.put("a.pdf", machine.pdf("one", "two"))
    job = mill.job(machine.OCR, render=Render(text_layer="ignore"))
    with pytest.raises(ParityError, match="token 3: another token"):
        mill.run(job, serving=lambda job: Serving(job.model, 448, start))
    assert mill.rows() == []
    assert not list(Path(mill.sink_uri, "_pagemill", "in_flight").glob("*/*"))
