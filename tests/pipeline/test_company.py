"""A value in the company of its page."""

from datetime import UTC, datetime

import pytest

from pipeline.company import in_company, page_logprob
from pipeline.confidence import confidence, shipped
from pipeline.readings import record
from pipeline.settle import Answered, Circumstances, PageFacts, rows
from pipeline.tasks.asks import asks
from schemas.job import AnswerField, AnswerTask
from schemas.unit import Origin
from schemas.view import Affine, Completion, Region

TASK = AnswerTask(type="answer", fields=tuple(AnswerField(name=name, question=f"{name}?") for name in ("one", "two", "three")))
PAGE = Region("page", Affine(600, 0, 0, 800, 0, 0))
ASKED = frozenset(f"answer.{name}" for name in ("one", "two", "three"))
GIVEN = Circumstances("job", "run", datetime(2026, 1, 1, tzinfo=UTC), "hash", "scripted 1", shipped())


def made(*said: str, logprob: float = -0.1, given: Circumstances = GIVEN):
    answers = [
        Answered(ask, ask.key, (record(ask, PAGE, 0, Completion(text, (1, 2), (logprob, logprob), "stop")),), 448)
        for ask, text in zip(asks(TASK), said, strict=False)
    ]
    origin = Origin(source_id="s" * 64, uri="in/a.pdf", version="1", size_bytes=1)
    return rows(PageFacts(0, 600.0, 800.0, 0), answers, origin, "d", given, 1.0)


def repeated(*said: str) -> list[bool | None]:
    return [row.signals.repeated for row in in_company(made(*said), ASKED, shipped()).fields]


def test_one_value_for_two_questions_is_less_sure() -> None:
    """Both of those that share it are, and none of the others, however it is spelled."""
    alone, together = (
        in_company(made(*said), ASKED, shipped()).fields for said in (("A-1234", "B-99", "x"), ("A-1234", "a-1234", "x"))
    )
    assert repeated("A-1234", "a-1234", "x") == [True, True, None]
    assert together[0].confidence < alone[0].confidence


@pytest.mark.parametrize("said", [("7.5", "7.5"), ("unanswerable", "unanswerable")])
def test_what_comes_twice_by_chance_tells_nothing(said) -> None:
    """Short values, and that there is none, say nothing of one another."""
    assert repeated(*said) == [None, None]


def test_a_value_is_as_sure_as_its_page_is_legible() -> None:
    """The mean is of all tokens of the page, the value's own among them; a page that nobody told of has none."""
    clear, faint = (made("A-1234", "B-99", logprob=each) for each in (-0.01, -1.0))
    assert page_logprob(faint.page.completions) == pytest.approx(-1.0)
    assert page_logprob(()) is None
    (own,) = {row.signals.page_logprob for row in in_company(faint, ASKED, shipped()).fields}
    assert own == pytest.approx(-1.0)
    signals = in_company(clear, ASKED, shipped()).fields[0].signals
    worse = signals.model_copy(update={"page_logprob": -1.0})
    assert confidence(worse, clear.fields[0], shipped()) < confidence(signals, clear.fields[0], shipped())


def test_rows_that_were_not_asked_for_keep_what_was_said_of_them() -> None:
    """A field that was read before is weighed by the weights of its own run, and tells of the new ones all the same."""
    earlier = made("A-1234")
    later = made("A-1234", "A-1234")
    kept = [row.model_copy(update={"name": "old"}) for row in earlier.fields]
    found = in_company(type(later)(later.page, (*kept, *later.fields)), ASKED, shipped()).fields
    assert found[0] == kept[0]
    assert found[1].signals.repeated
