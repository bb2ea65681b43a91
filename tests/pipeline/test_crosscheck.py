"""Values of a page are held against one another."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from pipeline.confidence import shipped
from pipeline.crosscheck import checks, cross_checked
from pipeline.readings import record
from pipeline.settle import Answered, Circumstances, PageFacts, rows
from pipeline.tasks.asks import asks
from schemas.crosscheck import cross_check
from schemas.job import AnswerField, AnswerTask
from schemas.unit import Origin
from schemas.view import Affine, Completion, Region

FIELDS = tuple(AnswerField(name=name, question=f"{name}?", type="money", locale="en_US") for name in ("net", "tax", "total"))
TASK = AnswerTask(type="answer", fields=FIELDS, cross_check=("net + tax = total", "total >= 0"))
PAGE = Region("page", Affine(600, 0, 0, 800, 0, 0))
GIVEN = Circumstances("job", "run", datetime(2026, 1, 1, tzinfo=UTC), "hash", "scripted 1", shipped())


def made(*said: str):
    answers = [
        Answered(ask, ask.key, (record(ask, PAGE, 0, Completion(text, (1,), (-0.1,), "stop")),), 448)
        for ask, text in zip(asks(TASK), said, strict=True)
    ]
    origin = Origin(source_id="s" * 64, uri="in/a.pdf", version="1", size_bytes=1)
    return rows(PageFacts(0, 600.0, 800.0, 0), answers, origin, "d", GIVEN, 1.0)


def checked(found):
    (told,) = cross_checked([found], checks((TASK,)), GIVEN.confidence)
    return told


def test_values_that_fit_are_surer() -> None:
    """Sums that hold leave the values as they are, and speak for each of them."""
    before = made("100.00", "19.00", "119.00")
    after = checked(before)
    assert {row.status for row in after.fields} == {"ok"}
    assert {row.signals.cross_check for row in after.fields} == {True}
    assert (after.page.status, after.page.failures) == ("ok", ())
    assert all(late.confidence >= early.confidence for early, late in zip(before.fields, after.fields, strict=True))


def test_values_that_do_not_fit_are_invalid_and_stay_beside_the_reason() -> None:
    """Nobody can tell which of them is wrong, so all of them are; the page is partial and says why."""
    after = checked(made("100.00", "19.00", "190.00"))
    assert {row.status for row in after.fields} == {"invalid"}
    assert {row.reason for row in after.fields} == {"cross_check: net + tax = total does not hold: 119.00 and 190.00"}
    assert [row.value_number for row in after.fields] == [100, 19, 190]
    assert {row.confidence for row in after.fields} == {None}
    assert after.page.status == "partial"
    assert {failure.task for failure in after.page.failures} == {"answer.net", "answer.tax", "answer.total"}


def test_what_was_found_wrong_before_is_judged_anew() -> None:
    """A corrected value frees the others, and a check said twice says the same."""
    wrong = checked(made("100.00", "19.00", "190.00"))
    assert checked(wrong) == wrong
    fields = tuple(
        row.model_copy(update={"value_number": Decimal(119), "status": "ok", "value_source": "human"})
        if row.name == "total"
        else row
        for row in wrong.fields
    )
    right = checked(type(wrong)(wrong.page, fields))
    assert {row.status for row in right.fields} == {"ok"}
    assert (right.page.status, right.page.failures) == ("ok", ())


def test_what_is_missing_or_in_two_currencies_is_told_apart() -> None:
    """Without one of the values a check says nothing; euros and dollars never add up."""
    lacking = checked(made("100.00", "unanswerable", "190.00"))
    assert [row.status for row in lacking.fields] == ["ok", "absent", "ok"]
    mixed = checked(made("USD 100.00", "EUR 19.00", "USD 119.00"))
    assert "several currencies" in mixed.fields[0].reason


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ("net * 0.19 = tax", {"net": Decimal("99.99"), "tax": Decimal("19.00")}, True),
        ("net * 0.19 = tax", {"net": Decimal("99.99"), "tax": Decimal("19.01")}, False),
        ("a - b <= 3", {"a": Decimal(7), "b": Decimal(4)}, True),
        ("a > b", {"a": Decimal("4.004"), "b": Decimal(4)}, False),
        ("issued <= due", {"issued": date(2026, 1, 2), "due": date(2026, 1, 1)}, False),
        ("issued <= due", {"issued": date(2026, 1, 2), "due": date(2026, 2, 1)}, True),
    ],
)
def test_a_check_is_arithmetic(text, values, holds) -> None:
    """Numbers are exact but for half a cent, which rounding may take; dates are compared."""
    assert (cross_check(text).fault(values) is None) == holds


@pytest.mark.parametrize(
    "text", ["total", "a = b = c", "__import__('os') = 1", "a / b = 1", "a == 'x'", "(lambda: 1)() = 1", "a.b = 1", "a +"]
)
def test_anything_else_is_no_check(text) -> None:
    """Calls, attributes, texts and chains are refused as the job file is read."""
    with pytest.raises(ValueError, match=r"a|b"):
        cross_check(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [("net + nett = total", "no field nett"), ("number = total", "only numbers"), ("due + due = due", "only numbers")],
)
def test_a_check_is_of_its_tasks_numbers_and_dates(text, said) -> None:
    """Misspelled names and fields of other types are found before anything starts."""
    more = (AnswerField(name="number", question="?"), AnswerField(name="due", question="due?", type="date"))
    with pytest.raises(ValidationError, match=said):
        AnswerTask(type="answer", fields=(*FIELDS, *more), cross_check=(text,))
