"""Dates as documents print them: whole or not at all."""

from datetime import date

import pytest
from babel.dates import format_date
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tasks.amounts import Unreadable
from pipeline.tasks.dates import read_date


def read(text, locale=None, lang="en"):
    try:
        return read_date(text, locale, lang)
    except Unreadable as exc:
        return exc.code


@pytest.mark.parametrize(
    "text",
    ["2026-01-05", "2026/1/5", "2026.01.05.", "20260105", "5 January 2026", "January 5, 2026", "Jan. 5th, 2026", "5th of January 2026",
     "Mon, 5 Jan 2026", "05-JAN-2026", "5 Jan '26", "2026 Jan 5", "2026-01-05T23:59:00Z", "2026-01-05 11:30 pm", "2026年1月5日",
     "  5   January\n2026 "],
)  # fmt: skip
def test_one_day_has_many_spellings(text):
    """Whole dates are read in all the common forms; a time of day beside them is left aside."""
    assert read(text) == date(2026, 1, 5)


@pytest.mark.parametrize("text", ["Jan 2026", "January 5", "2026", "5/2026", "10/10", "May", "5 Jan"])
def test_missing_parts_are_never_filled_in(text):
    """A date without its day, month or year is incomplete, whatever day it is today."""
    assert read(text) == "incomplete_date"


@pytest.mark.parametrize(
    "text",
    ["", "today", "yesterday", "in 3 days", "Monday", "12:30", "31/02/2026", "30 Feb 2026", "2026-13-01", "0000-00-00", "12345",
     "5 January 2026 to 6 January 2026", "Invoice 2026-01-05", "５/１/2026", "5 Jan 2O26", "1/1/1", "2026-W01", "Mai 5 2026", "1.2.3"],
)  # fmt: skip
def test_what_is_no_day_is_not_made_one(text):
    """Words for days, impossible days, ranges and misread letters are no dates."""
    assert read(text) == "not_a_date"


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("03/04/2026", None, "ambiguous_date"),
        ("03/04/2026", "en_US", date(2026, 3, 4)),
        ("03/04/2026", "en_GB", date(2026, 4, 3)),
        ("03.04.2026", "de_DE", date(2026, 4, 3)),
        ("03/03/2026", None, date(2026, 3, 3)),
        ("25/12/2026", None, date(2026, 12, 25)),
        ("12/25/2026", None, date(2026, 12, 25)),
        ("25/12/2026", "en_US", "not_a_date"),
        ("25/12/26", None, "ambiguous_date"),
        ("25/12/26", "en_GB", date(2026, 12, 25)),
        ("26-01-05", "sv_SE", date(2026, 1, 5)),
        ("05/01/2026", "sv_SE", "ambiguous_date"),
        ("12/12/12", None, date(2012, 12, 12)),
        ("01/01/70", "en_US", date(1970, 1, 1)),
        ("01/01/68", "en_US", date(2068, 1, 1)),
    ],
)
def test_the_locale_decides_the_order(text, locale, expected):
    """Day and month stand in the locale's order; without one, all orders must agree."""
    assert read(text, locale) == expected


@pytest.mark.parametrize(
    ("text", "locale", "lang"),
    [
        ("5. Januar 2026", "de_DE", "en"),
        ("5. Januar 2026", None, "de"),
        ("5 janvier 2026", None, "fr"),
        ("1er janvier 2026", "fr_FR", "en"),
        ("5 de enero de 2026", None, "es"),
        ("5 January 2026", "de_DE", "en"),
    ],
)
def test_months_are_named_in_the_documents_language(text, locale, lang):
    """Month names are those of the locale, else of the question's language, and English."""
    assert read(text, locale, lang) == date(2026, 1, 1 if text.startswith("1er") else 5)


def test_an_unknown_language_leaves_english():
    """A language that CLDR does not have is no error."""
    assert read("5 January 2026", None, "xx") == date(2026, 1, 5)


@settings(max_examples=120, deadline=None)
@given(
    st.dates(min_value=date(1970, 1, 1), max_value=date(2068, 12, 31)),
    st.sampled_from(["en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "pt_BR", "sv_SE", "pl_PL", "nl_NL"]),
    st.sampled_from(["short", "medium", "long", "yyyy-MM-dd", "EEEE d MMMM y"]),
)
def test_what_a_locale_writes_it_reads(day, locale, form):
    """A date printed by the locale's own rules comes back."""
    assert read(format_date(day, form, locale=locale), locale) == day


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from(["1", "31", "2026", "/", "-", ".", " ", "Jan", "May", "mar", "of", ",", "T", ":", "年"]), max_size=9).map("".join),
    st.sampled_from([None, "en_US", "ja_JP", "ar_EG", "th_TH"]),
    st.sampled_from(["en", "de", "zz"]),
)  # fmt: skip
def test_any_text_is_a_date_or_unreadable(text, locale, lang):
    """Reading raises nothing but Unreadable."""
    assert isinstance(read(text, locale, lang), date | str)
