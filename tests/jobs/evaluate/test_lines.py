"""Lines held against a page's true text: those that stand in rows, and those of the completions behind them."""

from datetime import UTC, datetime

import pytest

from jobs.evaluate.calibrate import calibrated
from jobs.evaluate.lines import lines_judged, parts_judged
from jobs.evaluate.reliability import Judged
from pipeline.confidence import shipped
from pipeline.errors import JobError
from pipeline.readings import record
from pipeline.settle import Answered, Circumstances, PageFacts, rows
from pipeline.tasks.asks import asks
from schemas.field import FieldValue
from schemas.job import OcrTask
from schemas.page import PageRow
from schemas.signals import Signals
from schemas.unit import Origin
from schemas.view import Affine, Completion, Region

(OCR,) = asks(OcrTask(type="ocr"))
TRUE = "Invoice 17\nTotal 4.00"


def page(*lines: tuple[str, float]) -> PageRow:
    """Return a page whose lines were read, each with one log-probability."""
    words = [f"{text}\n" for text, _ in lines]
    logprobs = tuple(logprob for _, logprob in lines)
    said = Completion("".join(words), tuple(range(len(words))), logprobs, "stop", pieces=tuple(words))
    region = Region("page", Affine(600, 0, 0, 800, 0, 0))
    given = Circumstances("job", "run", datetime(2026, 1, 1, tzinfo=UTC), "hash")
    answered = Answered(OCR, "ocr", (record(OCR, region, 0, said),))
    origin = Origin(source_id="s", uri="a.pdf", version="1", size_bytes=1)
    return rows(PageFacts(0, 600.0, 800.0, 0), [answered], origin, "d", given, 0.0).page


def test_a_line_is_right_where_its_words_stand_in_the_truth():
    """A part of a line is, as tiles cut lines; and one without confidence is not counted."""
    row = page(("Invoice 17", -0.1), ("Tolal 4.00", -2.0), ("4.00", -0.1))
    sure = [line.model_copy(update={"confidence": 0.5}) for line in row.lines]
    row = row.model_copy(update={"lines": (*sure, row.lines[0].model_copy(update={"confidence": None}))})
    assert lines_judged(row, TRUE) == [(0.5, True), (0.5, False), (0.5, True)]
    assert lines_judged(row.model_copy(update={"text_source": "text_layer"}), TRUE) == []


def test_parts_know_what_speaks_for_them():
    """Each with its own tokens' probabilities, the page's mean, and which checkpoint said it."""
    right, wrong = parts_judged("a.pdf", page(("Invoice 17", -0.1), ("Tolal 4.00", -2.1)), TRUE)
    assert (right.is_right, wrong.is_right) == (True, False)
    assert [each.signals.least_logprob for each in (right, wrong)] == [-0.1, -2.1]
    assert {each.signals.page_logprob for each in (right, wrong)} == {-1.1}
    assert (right.document, right.checkpoint) == ("a.pdf", "hash")


def test_lines_have_weights_of_their_own_where_they_are_enough():
    """Of few, those that ship serve, and so of fields."""
    field = FieldValue(status="ok", value_raw="x")
    answers = [Judged(f"{number}", field, Signals(least_logprob=-0.1), number % 4 > 0) for number in range(200)]
    lines = [Judged(f"{number}", field, Signals(least_logprob=-0.1 - number % 2), number % 2 == 0) for number in range(200)]
    fitted = calibrated(answers, parts=lines).parts
    assert fitted is not None
    assert fitted.fitted_on.wrong == 100
    assert fitted.weights["least_margin"] > 0
    assert calibrated(answers, parts=lines[:20]).parts is None
    alone = calibrated(answers[:20], parts=lines)
    assert alone.parts == fitted
    assert alone.weights == shipped().weights
    with pytest.raises(JobError, match="too few to learn from"):
        calibrated(answers[:20], parts=lines[:20])
