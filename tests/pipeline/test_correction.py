"""Corrections: a person's values and lines stand in the rows, and stay whatever is read or decoded again."""

from decimal import Decimal

import pytest

from jobs.evaluate.evaluation import evaluate
from jobs.train.labels import read_labels
from pipeline.errors import JobError
from pipeline.flow import correct
from pipeline.progress import Silent
from pipeline.verify import verify
from schemas.correction import Corrections, FieldCorrection, LineCorrection
from schemas.job import AnswerField, AnswerTask, OcrTask

pytestmark = pytest.mark.formats
FIELDS = (
    AnswerField(name="total", question="what is the total?", type="money"),
    AnswerField(name="number", question="what is the number?"),
)
OCR = OcrTask(type="ocr")


def _tasks(*more: AnswerField):
    return OCR, AnswerTask(type="answer", fields=(*FIELDS, *more))


@pytest.fixture
def read_once(mill, machine):
    """Return a mill that has read a document of two pages; the scripted engine knows no totals, and says what is no money."""
    mill.put("a.pdf", machine.pdf("one two", "three four"))
    mill.run(mill.job(*_tasks()))
    return mill


def _field(mill, name: str, value: str | None, page: int = 0) -> FieldCorrection:
    row = mill.field("a.pdf", name, page)
    return FieldCorrection(source_id=row["source_id"], page_index=page, source_uri=row["source_uri"], name=name, value=value)


def _line(mill, before: str, after: str, line: int = 0) -> LineCorrection:
    row = mill.page("a.pdf")
    return LineCorrection(source_id=row["source_id"], page_index=0, line=line, before=before, after=after)


def test_a_value_becomes_the_persons(read_once):
    """It is typed as the field is, sure, and the page that failed for it alone is whole; other fields and pages are as they were."""
    mill, job = read_once, read_once.job(*_tasks())
    before = mill.field("a.pdf", "total", 1)
    assert mill.field("a.pdf", "total")["status"] == "invalid"
    assert mill.page("a.pdf")["status"] == "partial"
    summary = correct(job, Corrections(fields=(_field(mill, "total", " 1,234.50 EUR "), _field(mill, "number", None))))
    row = mill.field("a.pdf", "total")
    assert (row["status"], row["value_number"], row["currency"]) == ("ok", Decimal("1234.5"), "EUR")
    assert (row["value_source"], row["confidence"], row["reason"]) == ("human", 1.0, None)
    assert mill.field("a.pdf", "number")["status"] == "absent"
    assert (mill.page("a.pdf")["status"], mill.page("a.pdf")["failures"]) == ("ok", [])
    assert mill.field("a.pdf", "total", 1) == before
    assert summary.pages_ok == 1
    assert verify(mill.sink_uri).is_exact


def test_corrections_survive_new_questions_and_new_decoders(read_once):
    """A field that is added, a task that is asked anew and rows decoded again leave a person's values and lines alone."""
    mill, job = read_once, read_once.job(*_tasks())
    said = mill.page("a.pdf")["lines"][0]["text"]
    fields = (_field(mill, "total", "7 EUR"),)
    correct(job, Corrections(fields=fields, lines=(_line(mill, said, "one, two"),)))
    more = mill.job(*_tasks(AnswerField(name="date", question="what is the date?")))
    mill.run(more, backfill=True)
    mill.redecode(more)
    longer = mill.job(OcrTask(type="ocr", max_tokens=99), AnswerTask(type="answer", fields=FIELDS, max_tokens=50))
    assert mill.run(longer, backfill=True).requests == 2 * 3
    assert mill.field("a.pdf", "total")["value_source"] == "human"
    assert mill.field("a.pdf", "total")["value_number"] == 7
    page = mill.page("a.pdf")
    assert (page["text"], page["text_source"]) == ("one, two", "human")
    assert page["lines"][0]["text"] == "one, two"
    assert mill.field("a.pdf", "date")["value_source"] == "model"
    assert mill.field("a.pdf", "total", 1)["value_source"] == "model"


def test_the_same_bytes_elsewhere_are_correct_too(read_once, machine):
    """A copy of a corrected document gets the rows that are known of its bytes, a person's among them."""
    mill = read_once
    correct(mill.job(*_tasks()), Corrections(fields=(_field(mill, "total", "7 EUR"),)))
    mill.put("copy.pdf", machine.pdf("one two", "three four"))
    assert mill.run(mill.job(*_tasks())).requests == 0
    assert mill.field("copy.pdf", "total")["value_source"] == "human"


def test_corrections_teach_and_judge(read_once):
    """They are labels, and they alone; held against the sink that they stand in, they judge what the model had read there."""
    mill, job = read_once, read_once.job(*_tasks())
    said, read_number = mill.page("a.pdf")["lines"][0]["text"], mill.field("a.pdf", "number")["value_text"]
    fields = (_field(mill, "total", "7 EUR"), _field(mill, "number", read_number))
    correct(job, Corrections(fields=fields, lines=(_line(mill, said, "one two"),)))
    labels = read_labels(mill.sink_uri)
    assert {(each.task, each.target, each.page) for each in labels} == {
        ("answer", "7 EUR", 0),
        ("answer", read_number, 0),
        ("ocr", "one two", 0),
    }
    report = evaluate(mill.sink_uri, mill.sink_uri, resamples=2)
    totals = {f"{each.task}.{each.metric}": each.value for each in report.totals}
    assert totals["fields.exact"] == 0.5
    assert totals["text.cer"] > 0


def test_what_is_no_value_changes_nothing(read_once):
    """A value that is not of its field's type, or of no field, is refused with all others, each named."""
    mill, job = read_once, read_once.job(*_tasks())
    before = mill.values("fields")
    source = mill.page("a.pdf")["source_id"]
    nameless = FieldCorrection(source_id=source, page_index=0, name="colour", value="red")
    with pytest.raises(JobError, match=r"(?s)total: .*colour: the job has no such field|colour.*total"):
        correct(job, Corrections(fields=(_field(mill, "total", "much"), _field(mill, "number", "17"), nameless)))
    assert mill.values("fields") == before


def test_what_no_longer_stands_there_is_said_and_left(read_once):
    """A page of an older version, or a line that reads otherwise now, is not corrected; the rest is."""
    mill, heard = read_once, []

    class Ear(Silent):
        def note(self, text: str) -> None:
            heard.append(text)

    gone = FieldCorrection(source_id="0" * 64, page_index=0, name="number", value="9")
    corrections = Corrections(fields=(gone, _field(mill, "number", "17")), lines=(_line(mill, "no such line", "x"),))
    correct(mill.job(*_tasks()), corrections, progress=Ear())
    assert mill.field("a.pdf", "number")["value_text"] == "17"
    assert [text.split()[:3] for text in heard] == [
        ["1", "corrected", "pages"],
        ["not", "corrected:", mill.page("a.pdf")["source_uri"]],
    ]


def test_a_line_is_taken_out_by_saying_nothing(read_once, machine):
    """Of lines that say the same, the one that is meant goes, from the lines and from the text."""
    mill = read_once
    mill.put("b.pdf", machine.pdf("alpha beta gamma\nsame\nsame\nomega omega omega"))
    job = mill.job(OCR, name="layer", render=mill.job().render.model_copy(update={"text_layer": "prefer"}))
    mill.run(job)
    page = mill.page("b.pdf")
    assert page["text"].splitlines() == ["alpha beta gamma", "same", "same", "omega omega omega"]
    out = LineCorrection(source_id=page["source_id"], page_index=0, line=2, before="same", after="")
    changed = out.model_copy(update={"line": 3, "before": "omega omega omega", "after": "the end"})
    correct(job, Corrections(lines=(out, changed)))
    page = mill.page("b.pdf")
    assert page["text"].splitlines() == ["alpha beta gamma", "same", "the end"]
    assert [line["text"] for line in page["lines"]] == page["text"].splitlines()
