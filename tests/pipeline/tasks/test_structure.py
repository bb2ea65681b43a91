"""The form that a field's type gives its answer."""

import pytest

from pipeline.engines.following import has_form
from pipeline.questions import questions
from pipeline.tasks.asks import asks
from pipeline.tasks.structure import form
from pipeline.tasks.values import typed
from schemas.job import AnswerField, AnswerTask, Job, Sink, Source


def field(kind: str, **more: object) -> AnswerField:
    return AnswerField(name="it", question="what is it?", type=kind, **more)


WRITTEN = {
    "integer": ("7", "1,234", "1 234", "-12"),
    "decimal": ("0.5", "1.234,50", "1'234.50", "19 %", "19%"),
    "money": ("€ 1,234.56", "1.234,56 €", "$12", "CHF 1'234.50", "12 EUR", "-£3.20", "US$ 4.00", "100 kr", "12,50 Kč", "5 zł"),
    "date": (
        "2026-03-04",
        "04.03.2026",
        "3/4/26",
        "4 March 2026",
        "March 4, 2026",
        "4. März 2026",
        "Dec. 24, 2025",
        "4 févr. 2026",
    ),
    "phone": ("+49 30 1234567", "(030) 123-4567", "0301234567"),
    "iban": ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
    "bic": ("DEUTDEFF", "DEUTDEFF500"),
    "vat": ("DE136695976", "ATU12345675", "FR 83 404 833 048"),
    "isbn": ("978-3-16-148410-0", "080442957X"),
    "ean": ("4006381333931", "73513537"),
    "luhn": ("4539 1488 0343 6467", "79927398713"),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_documents_print_has_the_form_of_its_type(kind) -> None:
    """All the usual ways, and that the page does not say; words do not have it."""
    wanted = form(field(kind))
    assert all(has_form(wanted, text) for text in (*WRITTEN[kind], "unanswerable"))
    assert not any(has_form(wanted, text) for text in ("the total", "", "unanswerable 7", "n/a"))


@pytest.mark.parametrize("kind", ["integer", "decimal", "money", "date"])
def test_what_has_the_form_is_a_value(kind) -> None:
    """The examples are values of the type under one locale or another, but for currencies that only their own countries' read."""
    where = ("en_US", "de_DE", "fr_FR", "de_CH")
    read = [typed(text, field(kind, locale=each), "de") for text in WRITTEN[kind] for each in where]
    assert {each.value_raw for each in read if each.status == "ok"} >= set(WRITTEN[kind]) - {"100 kr", "12,50 Kč", "5 zł"}


def test_choices_are_the_jobs_own_words() -> None:
    """An enum's as they stand in the job, a boolean's in the languages that are understood; a string may say anything."""
    assert form(field("enum", choices=("open", "paid"))).choices == ("open", "paid", "unanswerable")
    assert {"yes", "no", "ja", "nein", "unanswerable"} <= set(form(field("boolean")).choices)
    assert form(field("string")) is None


def test_it_is_off_until_it_is_asked_for() -> None:
    """And a job that asks for it asks another question: what was answered freely is not taken for it."""
    free, bound = (AnswerTask(type="answer", fields=(field("money"),), structured=each) for each in (False, True))
    assert [ask.form for ask in asks(free)] == [None]
    assert [ask.form for ask in asks(bound)] == [form(field("money"))]
    jobs = [Job(name="j", source=Source(uri="in"), sink=Sink(uri="out"), tasks=(task,)) for task in (free, bound)]
    assert questions(jobs[0])[0].fingerprint != questions(jobs[1])[0].fingerprint
