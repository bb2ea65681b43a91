"""Single answers judged, from rows that are made up: what is right, wrong, rejected, missing or cannot be judged."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from jobs.evaluate.expected import Expected, Place
from jobs.evaluate.judge import Case, judge
from jobs.evaluate.said import Sink, sink
from jobs.evaluate.scores import scores
from pipeline.errors import JobError
from schemas.box import Box, LabelledBox
from schemas.field import FieldRow
from schemas.job import AnswerField, AnswerTask, DetectTask, Job, OcrTask, RawTask, Render, Rung, Source, TableTask
from schemas.job import Sink as Place_of_results
from schemas.page import CompletionRecord, Failure, PageRow
from schemas.source import DocumentRow

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUN = {"run_id": "r1", "processed_at": NOW}
TOTAL = AnswerField(name="total", question="what is the total?", type="decimal", locale="en_US")


def _job(*tasks) -> Job:
    render = Render(ladder=(Rung(resolution=224), Rung(resolution=448)))
    return Job(name="j", source=Source(uri="in"), sink=Place_of_results(uri="out"), tasks=tasks, render=render)


def _page(**parts) -> PageRow:
    whole = {"page_id": "p", "source_id": "s", "document_id": "d", "source_uri": "/in/a.png", "page_index": 0, "status": "ok"}
    return PageRow.model_validate(whole | {"seconds": 0, "job_name": "j", "width_pt": 1024, "height_pt": 1024} | RUN | parts)


def _said(task: str, raw: str, rung: int = 0) -> CompletionRecord:
    return CompletionRecord(
        task=task, prompt="p", view="page", affine=(1, 0, 0, 1, 0, 0), rung=rung, raw=raw, finish_reason="stop", tokens=1
    )


def _field(**parts) -> FieldRow:
    whole = {"field_id": "f", "page_id": "p", "source_id": "s", "source_uri": "/in/a.png", "page_index": 0, "name": "total"}
    return FieldRow.model_validate(whole | {"question": TOTAL.question, "task_fingerprint": "t", "status": "ok"} | RUN | parts)


def _sink(job: Job, *rows: PageRow, fields: tuple[FieldRow, ...] = (), uris: tuple[str, ...] = ("/in/a.png",)) -> Sink:
    documents = [
        DocumentRow(
            source_id="s", document_id="d", source_uri=uri, source_version="1", size_bytes=1, status="ok", job_name="j", **RUN
        )
        for uri in uris
    ]
    return sink("out", {"r1": job}, documents, rows, {"p": {row.name: row for row in fields}})


def _judge(expected: Expected, held: Sink) -> Case | str:
    return judge(expected, held.page(expected.place))


HERE = Place(0, uri="/in/a.png")


def test_a_label_is_read_in_the_runs_own_type():
    """A label's 1,234.5 is the run's 1234.50; the rung and resolution are those of the value."""
    job = _job(AnswerTask(type="answer", fields=(TOTAL,)))
    row = _field(value_text="1234.50", value_number=Decimal("1234.5"), rung=1, resolution=448)
    case = _judge(Expected(HERE, "k", "answer", name="Total", answers=("1,234.5",)), _sink(job, _page(), fields=(row,)))
    assert isinstance(case, Case)
    assert dict(case.shares)["exact"] == (1, 1)
    traits = dict(case.traits)
    assert (traits["rung"], traits["resolution"], traits["type"], traits["field"]) == ("2", "448", "decimal", "total")


@pytest.mark.parametrize(
    ("row", "state"),
    [(None, "missing"), (_field(status="invalid", value_text="l2"), "rejected"), (_field(status="rejected"), "rejected")],
)
def test_an_answer_without_a_value_is_wrong(row, state):
    """A value that is not there, or that could not be taken, is wrong, and counted as what it is."""
    job = _job(AnswerTask(type="answer", fields=(TOTAL,)))
    fields = () if row is None else (row,)
    case = _judge(Expected(HERE, "k", "answer", name="total", answers=("12",)), _sink(job, _page(), fields=fields))
    assert isinstance(case, Case)
    assert (case.state, dict(case.shares)["exact"]) == (state, (0, 1))


def test_what_cannot_be_judged_says_why():
    """A label that its type cannot read, a part of a page, and a question that was not asked are no errors of the run."""
    job = _job(AnswerTask(type="answer", fields=(TOTAL,)), OcrTask(type="ocr"), DetectTask(type="detect", labels=("logo",)))
    held = _sink(job, _page())
    region = Box(x0=0, y0=0, x1=1, y1=1)
    assert _judge(Expected(HERE, "k", "answer", name="total", answers=("about ten",)), held) == (
        "labels that cannot be read as a field of type decimal"
    )
    assert _judge(Expected(HERE, "k", "ocr", answers=("x",), region=region), held) == "labels of a part of a page"
    assert _judge(Expected(HERE, "k", "answer", name="date", answers=("x",)), held) == "the run does not ask for it: answer"
    assert _judge(Expected(HERE, "k", "table"), held) == "the run does not ask for it: table"
    assert _judge(Expected(HERE, "k", "detect", labels=("stamp",)), held) == "the run asks for other labels: detect"


def test_free_answers_are_those_of_the_last_rung():
    """A raw answer is judged as it was said last, by its prompt; one that failed is wrong."""
    job = _job(RawTask(type="raw", name="toc", prompt="list it"))
    wanted = Expected(HERE, "k", "raw", prompt="list it", answers=("a b",))
    for completions, right in [
        ((_said("raw.toc", "x"), _said("raw.toc", "a b", 1)), 1),
        ((_said("raw.toc", "a b"), _said("raw.toc", "", 1)), 0),
        ((), 0),
    ]:
        case = _judge(wanted, _sink(job, _page(completions=completions)))
        assert isinstance(case, Case)
        assert dict(case.shares)["exact"] == (right, 1)


def test_boxes_in_a_models_words_have_the_pages_size():
    """`<loc>` tokens, y first, are 1024ths of the page."""
    job = _job(DetectTask(type="detect", labels=("logo",)))
    found = (LabelledBox(label="logo", box=Box(x0=20, y0=10, x1=40, y1=30)),)
    wanted = Expected(HERE, "k", "detect", labels=("logo",), target="<loc0010><loc0020><loc0030><loc0040> logo")
    case = _judge(wanted, _sink(job, _page(boxes=found)))
    assert isinstance(case, Case)
    assert dict(case.shares)["iou"][0] == pytest.approx(1, abs=0.01)
    lost = _judge(
        Expected(Place(1, uri="/in/a.png"), "k", "detect", labels=("logo",), target=wanted.target), _sink(job, _page())
    )
    assert isinstance(lost, Case)
    assert (lost.state, dict(lost.shares)["iou"]) == ("missing", (0, 1))


def test_a_page_rightly_without_a_table_is_no_score():
    """No table in truth and none found says nothing of tables; a rejected answer there is wrong all the same."""
    job = _job(TableTask(type="table"))
    none = Expected(HERE, "k", "table")
    assert _judge(none, _sink(job, _page())) == "pages without a table, on which none was found"
    failure = Failure(stage="decode", code="malformed", message="m", task="table")
    case = _judge(none, _sink(job, _page(status="partial", failures=(failure,))))
    assert isinstance(case, Case)
    assert (case.state, dict(case.shares)["teds"]) == ("rejected", (0, 1))


def test_documents_are_found_by_name():
    """A label's file name finds its document in any folder, its suffix aside; two that could be meant are an error."""
    job = _job(OcrTask(type="ocr"))
    held = _sink(job, uris=("/in/a.png", "/in/b/c.jpg"))
    assert held.find(Place(0, name="documents/a.png")) == "/in/a.png"
    assert held.find(Place(0, name="c.png")) == "/in/b/c.jpg"
    assert held.find(Place(0, stem="c")) == "/in/b/c.jpg"
    assert held.find(Place(0, document_id="d")) == "/in/a.png"
    assert held.find(Place(0, name="z.png")) is None
    with pytest.raises(JobError, match="could mean"):
        _sink(job, uris=("/in/a.png", "/in2/a.png")).find(Place(0, stem="a"))


def test_text_from_the_text_layer_is_told_apart():
    """What no model read stands in a group of its own, so that it flatters none."""
    job = _job(OcrTask(type="ocr"))
    wanted = Expected(HERE, "k", "ocr", answers=("words",))
    layer = _judge(wanted, _sink(job, _page(text="words", text_source="text_layer")))
    model = _judge(wanted, _sink(job, _page(text="word", text_source="model", completions=(_said("ocr", "word", 1),))))
    assert isinstance(layer, Case)
    assert isinstance(model, Case)
    found = {
        (score.by, score.group): score.value for score in scores([layer, model], resamples=5, seed=0) if score.metric == "cer"
    }
    assert found["rung", "text layer"] == 0
    assert found["rung", "2"] == found["resolution", "448"] == pytest.approx(1 / 5)
    assert found["all", "all"] == pytest.approx(1 / 10)


def test_words_on_a_blank_page_are_errors():
    """A page without text has a rate of its own: each character said is one error."""
    job = _job(OcrTask(type="ocr"))
    case = _judge(Expected(HERE, "k", "ocr", answers=("",)), _sink(job, _page(text="abc", text_source="model")))
    assert isinstance(case, Case)
    assert [score.value for score in scores([case], resamples=5, seed=0) if score.by == "all"] == [3, 1]
