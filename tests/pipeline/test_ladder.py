"""The ladder: finer views of what needs them, turned views of what reads as nothing, no more requests than allowed, checkpoints one by one."""

from pathlib import Path

import pytest

from pipeline.confidence import confidence, shipped
from pipeline.coverage import is_covered, touches
from pipeline.ladder import is_final, stages, waiting
from pipeline.questions import questions
from pipeline.readings import chosen, in_need, read, record, voices
from pipeline.serving import Serving
from pipeline.settle import PageFacts
from pipeline.signals import signals
from pipeline.tasks.asks import page_asks
from pipeline.unsettled import Beside, Least, why_unsettled
from pipeline.worker import climber
from schemas.box import Box
from schemas.job import AnswerField, AnswerTask, Job, Model, OcrTask, Render, Rung, Sink, Source
from schemas.view import Affine, Completion, Region

TILES = (Rung(tiles="grid"), Rung(tiles="whitespace"))
OCR = OcrTask(type="ocr")


def _box(x0: float, y0: float, x1: float, y1: float) -> Affine:
    return Affine.of_box(Box(x0=x0, y0=y0, x1=x1, y1=y1))


def _said(text: str, finish: str = "stop", logprob: float = -0.1) -> Completion:
    return Completion(text, (1,), (logprob,), finish)


(ASK,) = page_asks((OCR,))


def _record(text: str, view: str, affine: Affine, rung: int, **more: object):
    return record(ASK, Region(view, affine), rung, _said(text, **more))


@pytest.fixture
def asked():
    """Return the requests that the engine of `serving` has seen, as (page, view, prompt)."""
    return []


@pytest.fixture
def serving(machine, asked):
    """Return a function that makes a Serving whose engine answers what a function says of a request."""

    def make(say):
        def answer(request):
            asked.append(request)
            return say(request)

        return lambda job: Serving(job.model, 448, lambda _model, resolution: machine.TinyEngine(answer, resolution))

    return make


def test_what_was_not_shown_again_stays_as_it_was_read():
    """A finer rung that looked at one tile alone speaks for the page: its words stand where that tile's would have, in reading order."""
    top, middle, end = (_box(0, y, 600, y + 200) for y in (0, 200, 400))
    below = [
        _record("top", "tile-000", top, 0),
        _record("cut", "tile-001", middle, 0, finish="length"),
        _record("end", "tile-002", end, 0),
    ]
    assert in_need(ASK, below) == (middle,)
    finer = [_record("left", "tile-003", _box(0, 200, 300, 400), 1), _record("right", "tile-004", _box(300, 200, 600, 400), 1)]
    voice = chosen(voices(ASK, [*below, *finer]))
    assert [item.raw for item in voice.records] == ["top", "left", "right", "end"]
    assert read(ASK, [*below, *finer]).verdict == "value"
    assert [item.raw for item in voices(ASK, [*below, *finer])[0].records] == ["top", "cut", "end"]


def test_a_whole_page_is_looked_at_again_wholly():
    """Of a page that was shown as a whole nothing tells where the trouble is; and whole tiles replace a whole page."""
    page = _record("cut", "page", _box(0, 0, 600, 600), 0, finish="length")
    assert in_need(ASK, [page]) is None
    tiles = [_record(text, f"tile-{k}", _box(0, 300 * k, 600, 300 * k + 300), 1) for k, text in enumerate(("one", "two"))]
    assert [item.raw for item in chosen(voices(ASK, [page, *tiles])).records] == ["one", "two"]


def test_tiles_that_leave_out_white_paper_replace_what_they_were_cut_from():
    """A page of little print, and a tile of which only the print is shown again, are not read twice; what was not in need stays."""
    page = _record("faded words", "page", _box(0, 0, 600, 600), 0)
    print_alone = _record("faded words", "tile-000", _box(50, 50, 200, 90), 1)
    assert read(ASK, [page, print_alone]).text == "faded words"
    regions = [Region(f"tile-00{k}", _box(0, 300 * k, 600, 300 * k + 300), (0.1, 0.2, 0.3, 0.3)) for k in (0, 1)]
    below = [record(ASK, region, 0, _said(text)) for region, text in zip(regions, ("faded words", "the end"), strict=True)]
    assert [item.raw for item in chosen(voices(ASK, [*below, print_alone])).records] == ["faded words", "the end"]
    assert chosen(voices(ASK, [*below, print_alone])).records[0].rung == 1


def test_an_answer_from_a_sparse_tile_gives_way_to_a_finer_look_at_its_print():
    """Whether it was rejected there or too unsure: of a tile that is mostly white, finer tiles show the print alone. Other tiles' answers stay."""
    (total,) = page_asks((AnswerTask(type="answer", fields=(AnswerField(name="total", question="what?", type="integer"),)),))
    top, end = (Region(f"tile-00{k}", _box(0, 300 * k, 600, 300 * k + 300), (0.1, 0.2, 0.2, 0.25)) for k in (0, 1))
    finer = record(total, Region("tile-000", _box(50, 350, 130, 390)), 1, _said("42"))
    nothing = record(total, top, 0, _said("unanswerable"))
    for said in (_said("cut", "length"), _said("47")):
        below = [nothing, record(total, end, 0, said)]
        assert in_need(total, below) == (end.affine,)
        assert chosen(voices(total, [*below, finer])).records == (nothing, finer)
        assert read(total, [*below, finer]).value.value_number == 42
    beside = [record(total, top, 0, _said("42")), record(total, end, 0, _said("cut", "length"))]
    absent = record(total, Region("tile-000", _box(50, 350, 130, 390)), 1, _said("unanswerable"))
    assert read(total, [*beside, absent]).value.value_number == 42


def test_faint_text_is_looked_at_again_where_it_is_faint():
    """Of tiles whose text settles but for how unlikely its letters are, those alone; a field's one word tells no such thing."""
    sure, faint_ = (_record("words", f"tile-{k}", _box(0, 300 * k, 600, 300 * k + 300), 0, logprob=-k / 2) for k in (0, 1))
    facts = PageFacts(0, 600.0, 600.0)
    assert why_unsettled(ASK, [sure, faint_], facts) is None
    assert why_unsettled(ASK, [sure, faint_], facts, least=Least(text=0.8)) == "low_confidence"
    assert why_unsettled(ASK, [sure], facts, least=Least(text=0.8)) is None
    assert in_need(ASK, [sure, faint_], 0.8) == (_box(0, 300, 600, 600),)


def test_what_else_was_said_of_a_page_settles_a_value_or_not():
    """A value that stands in the text of its page is surer than one that does not, on its way up as in its row."""
    (total,) = page_asks((AnswerTask(type="answer", fields=(AnswerField(name="total", question="what?"),)),))
    said = [record(total, Region("page", _box(0, 0, 600, 600)), 0, Completion("1,234.56", (1,) * 9, (-0.3,) * 9, "stop"))]
    facts, model = PageFacts(0, 600.0, 600.0), shipped()
    known = [
        signals(total, voices(total, said), read(total, said).value, None, text) for text in ("total 1,234.56", "total 9.00")
    ]
    sure, unsure = (confidence(each, read(total, said).value, model) for each in known)
    between = Least(value=(sure + unsure) / 2)
    assert why_unsettled(total, said, facts, model, between, Beside("total 1,234.56")) is None
    assert why_unsettled(total, said, facts, model, between, Beside("total 9.00")) == "low_confidence"
    assert why_unsettled(total, said, facts, model, between, Beside("total 1,234.56", logprob=-2.0)) == "low_confidence"


def test_views_cover_and_touch_as_they_lie():
    """Neighbours that overlap by a margin neither cover nor touch; a view inside another touches it; turned views count as they lie."""
    left, right = _box(0, 0, 310, 600), _box(300, 0, 600, 600)
    assert not is_covered(left, [right])
    assert not touches(right, [left])
    assert touches(_box(100, 100, 120, 120), [left])
    assert is_covered(_box(0, 0, 600, 600), [left, right])
    turned = Affine(0, 600, -310, 0, 310, 0)  # the left part, its print running down
    assert is_covered(left, [turned])


def test_of_a_page_that_was_turned_the_surest_reading_counts():
    """Turned views are voices of their own: what reads as nothing gives way, and of two ways in which something is read the surer counts."""
    upright, down = _box(0, 0, 600, 600), Affine(-600, 0, 0, -600, 600, 600)
    aside = Affine(0, 600, -600, 0, 600, 0)
    records = [_record("", "page", upright, 0), _record("wov", "page", aside, 0, logprob=-2.0), _record("now", "page", down, 0)]
    assert read(ASK, records).text == "now"
    assert read(ASK, records[:1]).verdict == "absent"


def test_only_the_tile_in_need_is_read_again(mill, machine, serving, asked):
    """One tile of a page is cut off on the first rung; on the second, views that touch it alone are asked, for that task alone."""
    mill.put(
        "a.pdf", machine.pdf("\n".join(f"line {k} of the page{' ' * 60}and{' ' * 60}so on" for k in range(36)), side_pt=800)
    )

    def say(request):
        if request.prompt == "ocr" and request.view.region.name == "tile-003" and len(asked) < 20:
            return _said("cut", "length")
        return machine.said("7" if request.prompt != "ocr" else f"read in {request.view.region.name}")

    job = mill.job(
        OCR, machine.answer("total"), render=Render(text_layer="ignore", ladder=(TILES[0], Rung(tiles="grid", resolution=896)))
    )
    mill.run(job, serving=serving(say))
    first = [r for r in asked if r.view.resolution == 448]
    second = [r for r in asked if r.view.resolution == 896]
    tiles = {r.view.region.name for r in first}
    needy = next(r.view.region.affine for r in first if r.view.region.name == "tile-003")
    assert len(tiles) > 4
    assert second
    assert {r.prompt for r in second} == {"ocr"}
    assert all(touches(r.view.region.affine, [needy]) for r in second)
    assert len(second) < 4
    page = mill.page("a.pdf")
    assert page["status"] == "ok"
    assert "cut" not in page["text"]
    assert "read in tile-000" in page["text"]


def test_a_page_that_reads_as_nothing_is_turned(mill, machine, serving, asked):
    """A page that is not blank and gives no text is shown on its head, and on its sides only where that gives none either; text ends it."""
    mill.put("a.pdf", machine.pdf("some words on the page", "more words on the next", ""))

    def say(request):
        a, _ = request.view.region.affine.a, request.view.region.affine.b
        upside_down = a < 0
        return machine.said("words" if upside_down and request.view.page_index == 0 else "")

    mill.run(mill.job(OCR), serving=serving(say))
    by_page = [[r for r in asked if r.view.page_index == k] for k in range(3)]
    assert [len(each) for each in by_page] == [2, 4, 0]
    page = mill.page("a.pdf")
    assert (page["text"], page["status"]) == ("words", "ok")
    assert len(page["completions"]) == 2
    assert (mill.page("a.pdf", 1)["text"], mill.page("a.pdf", 1)["status"]) == (None, "ok")
    quarters = {(round(r.view.region.affine.a), round(r.view.region.affine.b)) for r in by_page[1]}
    assert quarters == {(200, 0), (-200, 0), (0, 200), (0, -200)}


def test_a_page_takes_no_more_requests_than_allowed(mill, machine, serving, asked):
    """What would go over is not asked, and a task that was never asked for that is a reject that names the key; others stand."""
    mill.put("a.pdf", machine.pdf("some words"))
    render = Render(text_layer="ignore", ladder=(Rung(), Rung(tiles="whitespace")), max_requests_per_page=2)
    job = mill.job(machine.answer("total", "date", "number"), render=render)
    mill.run(job, serving=serving(lambda _: machine.said("12")))
    assert len(asked) == 2
    assert [mill.field("a.pdf", name)["status"] for name in ("total", "date", "number")] == ["ok", "ok", "rejected"]
    page = mill.page("a.pdf")
    assert (page["status"], page["failures"][0]["code"]) == ("partial", "too_many_requests")
    assert "max_requests_per_page" in page["failures"][0]["message"]
    asked.clear()
    cut = mill.job(machine.answer("sum"), name="cut", render=render)
    mill.run(cut, serving=serving(lambda _: _said("x", "length")), backfill=True)
    assert len(asked) == 2


def _two(mill, *tasks) -> Job:
    """Return a job whose ladder ends with another checkpoint."""
    return mill.job(*tasks, render=Render(text_layer="ignore", ladder=(Rung(), Rung(checkpoint="better", resolution=896))))


def test_another_checkpoints_rung_is_a_later_pass(mill, machine, serving, asked):
    """It is asked what the first did not settle, of those pages alone; rows say who answered, and every page is counted once."""
    mill.put("a.pdf", machine.pdf("one one one", "two two two", "three three three"))

    def say(request):
        if request.view.resolution == 448 and request.view.page_index == 1 and "total" in request.prompt:
            return _said("cut", "length")
        return machine.said(f"{request.view.resolution}")

    ran = mill.run(_two(mill, machine.answer("total", "date")), serving=serving(say))
    assert len(asked) == 6 + 1
    assert (asked[-1].view.resolution, asked[-1].view.page_index) == (896, 1)
    assert [mill.field("a.pdf", "total", page)["value_text"] for page in range(3)] == ["448", "896", "448"]
    assert [mill.field("a.pdf", "total", page)["rung"] for page in range(3)] == [0, 1, 0]
    assert mill.field("a.pdf", "total", 1)["resolution"] == 896
    assert [row["status"] for row in mill.rows()] == ["ok"] * 3
    assert (ran.pages, ran.commits.tally.rungs, ran.commits.rejects, ran.commits.fields) == (3, (6, 1), (), 6)
    assert mill.verify().is_exact
    assert mill.run(_two(mill, machine.answer("total", "date")), serving=serving(say)).requests == 0


def test_a_run_that_was_killed_between_checkpoints_goes_on_with_the_second(mill, machine, serving, asked):
    """Nothing of the first pass is asked again, and what it said is kept beside what the second says."""
    mill.put("a.pdf", machine.pdf("one one one", "two two two"))
    job = _two(mill, OCR)
    say = lambda request: _said("cut", "length") if request.view.resolution == 448 else machine.said("all of it")  # noqa: E731
    mill.run(job, serving=serving(say), until="commit", until_stage=1)
    assert {request.view.resolution for request in asked} == {448}
    asked.clear()
    ran = mill.run(job, serving=serving(say))
    assert [request.view.resolution for request in asked] == [896, 896]
    assert ran.pages == 2
    page = mill.page("a.pdf")
    assert (page["text"], page["status"]) == ("all of it", "ok")
    assert [item["rung"] for item in page["completions"]] == [0, 1]


def test_what_waits_for_the_second_checkpoint_and_is_gone_by_then_is_waited_for_no_more(mill, machine, serving, asked):
    """Its rows stay what the first made of it, and the run is complete; each run would fall short else, for ever."""
    gone = mill.put("a.pdf", machine.pdf("one one one"))
    mill.put("b.pdf", machine.pdf("two two two"))
    job = _two(mill, OCR)
    say = lambda request: _said("cut", "length") if request.view.resolution == 448 else machine.said("all of it")  # noqa: E731
    mill.run(job, serving=serving(say), until="commit", until_stage=1)
    Path(gone).unlink()
    asked.clear()
    ran = mill.run(job, serving=serving(say))
    assert (ran.left, len(asked)) == ([], 1)
    assert (mill.page("a.pdf")["status"], mill.page("b.pdf")["text"]) == ("failed", "all of it")
    assert mill.document("a.pdf")["status"] == "deleted"
    assert mill.verify().is_exact


def test_stages_are_neighbouring_rungs_of_one_checkpoint():
    """Each stage has its rungs by their number on the whole ladder and the model of its own checkpoint, whose revision is not the other's."""
    ladder = (
        Rung(),
        Rung(tiles="grid"),
        Rung(resolution=896, checkpoint="big"),
        Rung(resolution=896, checkpoint="big", tiles="grid"),
    )
    job = Job(
        name="j",
        source=Source(uri="s3://b"),
        sink=Sink(uri="out"),
        model=Model(checkpoint="small/model", revision="v1", adapter="mine"),
        render=Render(ladder=ladder),
        tasks=(AnswerTask(type="answer", fields=(AnswerField(name="total", question="what?"),)),),
    )
    small, big = stages(job)
    assert [index for index, _ in (*small.rungs, *big.rungs)] == [0, 1, 2, 3]
    assert (small.model, big.model.checkpoint, big.model.revision, big.model.adapter) == (job.model, "big", None, None)
    (question,) = questions(job)
    assert is_final([question.fingerprint])
    assert not is_final([question.fingerprint, waiting(question.fingerprint, 1)])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own
def test_a_later_stages_worker_travels_as_ray_sends_it(mill, machine):
    """What makes it is pickled with the stage that it is for, and unpickled makes a worker of that stage and no other."""
    from ray import cloudpickle

    job = _two(mill, machine.answer("total"))
    made = [cloudpickle.loads(cloudpickle.dumps(climber(stage)))(job, "run", ()) for stage in (0, 1)]
    assert [worker._stage for worker in made] == list(stages(job))
    assert [worker._serving._model.checkpoint for worker in made] == ["embedded", "better"]
