"""Task answer: typed fields, and what is never passed on as one."""

from datetime import date
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import JobError
from pipeline.tasks.asks import asks
from pipeline.tasks.base import Ask
from schemas.job import AnswerField, AnswerTask, FieldType
from schemas.view import Affine, Completion

AFFINE = Affine(100.0, 0.0, 0.0, 200.0, 0.0, 0.0)
TYPES = get_args(FieldType)


def ask(type: str = "string", *, locale: str | None = None, prompt: str | None = None, lang: str = "en") -> Ask:  # noqa: A002
    choices = ("Net 30", "On receipt") if type == "enum" else ()
    field = AnswerField(name="total", question="what is the total?", type=type, choices=choices, locale=locale)
    return asks(AnswerTask(type="answer", lang=lang, prompt=prompt, fields=(field,)))[0]


def said(text: str, finish_reason: str = "stop", error: str | None = None) -> Completion:
    return Completion(text, (), (), finish_reason, error)


def test_each_field_is_asked_its_own_question():
    """A task of two fields becomes two asks, in the job's order, named by their fields."""
    fields = (
        AnswerField(name="number", question="what is the invoice number?"),
        AnswerField(name="total", question="what is the total?", type="money"),
    )
    number, total = asks(AnswerTask(type="answer", lang="de", fields=fields))
    assert (number.key, number.prompt) == ("answer.number", "answer de what is the invoice number?")
    assert (total.key, total.answer_field) == ("answer.total", fields[1])
    assert total.max_tokens == 64


def test_the_prompt_is_a_template():
    """`{question}` alone asks the bare question, and braces of the question's own are left alone."""
    assert ask(prompt="{question}").prompt == "what is the total?"
    field = AnswerField(name="a", question="what stands in {lang}?")
    assert (
        asks(AnswerTask(type="answer", fields=(field,), prompt="q {question} {lang}"))[0].prompt
        == "q what stands in {lang}? en"
    )


def test_a_value_must_match_its_pattern():
    """The whole value counts, in its normal form; what was read is kept beside the reason."""
    field = AnswerField(name="number", question="the number?", pattern=r"INV-\d{4}")
    (number,) = asks(AnswerTask(type="answer", fields=(field,)))
    assert number.decode(said("INV-0042"), AFFINE).value.status == "ok"
    value = number.decode(said("INV-0042x"), AFFINE).value
    assert (value.status, value.value_raw) == ("invalid", "INV-0042x")
    assert value.reason.startswith("pattern: ")


def test_an_unknown_locale_is_refused_at_once():
    """A locale that CLDR does not have is an error of the job, before any page is read."""
    with pytest.raises(JobError, match="xx_YY"):
        ask("money", locale="xx_YY")


def test_values_carry_their_meaning():
    """Each type fills its own column and keeps what was read."""
    money = ask("money").decode(said("EUR 1.234,50"), AFFINE)
    assert (money.verdict, money.text) == ("value", "EUR 1.234,50")
    assert money.value is not None
    assert (money.value.value_number, money.value.currency) == (Decimal("1234.50"), "EUR")
    day = ask("date").decode(said(" 5 January 2026\n"), AFFINE).value
    assert day is not None
    assert (day.value_text, day.value_date) == ("5 January 2026", date(2026, 1, 5))
    assert ask("boolean").decode(said("Yes."), AFFINE).value.value_bool is True
    assert ask("enum").decode(said("net  30"), AFFINE).value.value_text == "Net 30"
    assert ask("integer").decode(said("1,234"), AFFINE).value.value_number == 1234


@pytest.mark.parametrize(
    ("type_", "text", "code"),
    [
        ("integer", "12.5", "not_an_integer"),
        ("decimal", "l2.50", "not_a_number"),
        ("decimal", "1,234", "ambiguous_number"),
        ("money", "19 or 20", "not_a_number"),
        ("money", "kr 100", "unknown_currency"),
        ("date", "Jan 2026", "incomplete_date"),
        ("date", "03/04/2026", "ambiguous_date"),
        ("boolean", "perhaps", "not_a_boolean"),
        ("enum", "Net 3O", "not_a_choice"),
        ("decimal", "1" * 30, "out_of_range"),
        ("decimal", "1" * 300, "too_long"),
        ("date", " ".join(str(day) for day in range(100)), "too_long"),
    ],
)
def test_what_is_not_of_its_type_is_invalid(type_, text, code):
    """An invalid answer is a reject with a stable code; its row keeps what was read and holds no typed value."""
    reading = ask(type_).decode(said(text), AFFINE)
    assert (reading.verdict, reading.code, reading.text) == ("reject", code, None)
    row = reading.value
    assert (row.status, row.value_text) == ("invalid", text)
    assert row.value_raw == text
    assert row.reason.startswith(f"{code}: ")
    assert (row.value_number, row.value_date, row.value_bool, row.currency) == (None, None, None, None)


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize(
    ("completion", "code"),
    [
        (said("Sorry, as a base VLM I am not trained to answer this question."), "refusal"),
        (said(""), "empty"),
        (said(" \n "), "empty"),
        (said("12.50", "length"), "cut_off"),
        (said("the total of the total of the total of the total of the total of", "length"), "loop"),
        (said("what is the total?"), "echo"),
        (said("answer en what is the total? 12.50"), "echo"),
        (said("", "error", "out of memory"), "engine_error"),
        (said("<loc0001> 12.50"), "malformed"),
        (said("nick nick nick nick nick nick nick"), "loop"),
    ],
)
def test_what_is_no_answer_is_rejected_and_told_apart(type_, completion, code):
    """Refusals, empty, cut-off, looping, echoed and failed answers of every type are rejects whose row carries no value."""
    reading = ask(type_).decode(completion, AFFINE)
    assert (reading.verdict, reading.code) == ("reject", code)
    assert (reading.value.status, reading.value.value_text) == ("rejected", None)
    assert reading.value.reason.startswith(f"{code}: ")


@pytest.mark.parametrize("type_", TYPES)
def test_unanswerable_is_a_result(type_):
    """PaliGemma's own word for "not on this page" is absence, not a reject."""
    reading = ask(type_).decode(said("unanswerable"), AFFINE)
    assert (reading.verdict, reading.code, reading.value.status) == ("absent", "unanswerable", "absent")


SOUP = st.text(max_size=60) | st.lists(
    st.sampled_from(
        ["1", "12", "2026", "1,234", ".", ",", "-", "(", ")", "/", " ", "€", "$", "kr", "EUR", "May", "Jan", "%", "'", "\u202f", "٣", "\n",
         "<loc0001>", "<seg001>", "<eos>", "unanswerable", "Sorry", "yes", "Net 30", "T12:00", "\ud800", "\x00", "e9", "_", "NaN", "²"],
    ),
    max_size=8,
).map("".join)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    SOUP,
    st.sampled_from(TYPES),
    st.sampled_from([None, "en_US", "de_DE", "sv_SE", "ar_EG"]),
    st.sampled_from(["stop", "length"]),
)
def test_any_string_has_a_verdict(text, type_, locale, finish_reason):
    """Decoding never raises, always fills the row, and the row agrees with the verdict."""
    reading = ask(type_, locale=locale, lang="xx").decode(said(text, finish_reason), AFFINE)
    expected = {"value": {"ok"}, "absent": {"absent"}, "reject": {"invalid", "rejected"}}[reading.verdict]
    assert reading.value.status in expected
    assert (reading.code is None) == (reading.verdict == "value")
