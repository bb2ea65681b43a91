"""Numbers and money as documents print them."""

from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tasks.amounts import Unreadable, decimal, integer, money


def read(reader, text, locale=None):
    try:
        return reader(text, locale)
    except Unreadable as exc:
        return exc.code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1'234.50", "1234.50"),
        ("1’234.50", "1234.50"),
        ("1 234,56", "1234.56"),
        ("1\u202f234,56", "1234.56"),
        ("1 234.56", "1234.56"),
        ("12,34,567.00", "1234567.00"),
        ("1,234,567", "1234567"),
        ("0.125", "0.125"),
        (".50", "0.50"),
        ("12,5", "12.5"),
        ("-12.50", "-12.50"),
        ("−12.50", "-12.50"),
        ("12.50-", "-12.50"),
        ("(12.50)", "-12.50"),
        ("+3", "3"),
        ("19 %", "19"),
        ("0007", "7"),
        ("-0", "0"),
    ],
)
def test_what_can_only_be_one_number_is_read(text, expected):
    """Every common convention is understood without a locale where no other reads it differently."""
    assert str(decimal(text, None)) == expected


@pytest.mark.parametrize("text", ["1,234", "1.234", "12,345", "-1.000", "(1,234)"])
def test_what_conventions_read_differently_is_ambiguous(text):
    """A thousand or a little over one: nobody guesses."""
    assert read(decimal, text) == "ambiguous_number"


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("1,234", "en_US", Decimal(1234)),
        ("1,234", "de_DE", Decimal("1.234")),
        ("1.234", "de_DE", Decimal(1234)),
        ("1.234", "en_US", Decimal("1.234")),
        ("1.234,56", "en_US", "not_a_number"),
        ("12,50", "en_US", "not_a_number"),
        ("12.50", "de_DE", "not_a_number"),
        ("12.50", "fr_FR", "not_a_number"),
        ("1 234,5", "fr_FR", Decimal("1234.5")),
        ("1'234.5", "de_CH", Decimal("1234.5")),
        ("1,23,456", "en_IN", Decimal(123456)),
        ("1,23,456", "en_US", "not_a_number"),
    ],
)
def test_a_locale_decides_and_allows_nothing_else(text, locale, expected):
    """With a locale, its own convention is the only one."""
    assert read(decimal, text, locale) == expected


@pytest.mark.parametrize(
    "text",
    ["", " ", "l2.50", "O.5", "12.", "1,23,4", "1e5", "NaN", "Infinity", "1_000", "٣", "²", "12 kg", "12 or 14", "--1", "(-1)", "- ",
     "1..2", "1,,2", "$5", "1/2", "+-3", "%", "()", "1,2345.6"],
)  # fmt: skip
def test_nothing_is_repaired(text):
    """Misread letters, broken grouping, units and formulas are no numbers, nor are Python's own spellings."""
    assert read(decimal, text) == "not_a_number"


def test_numbers_must_fit_their_column():
    """Up to 29 digits and 9 decimals exactly; more is out of range, never rounded."""
    assert decimal("1" * 29 + ".123456789", None) == Decimal("1" * 29 + ".123456789")
    assert str(decimal("2.50000000000000", None)) == "2.500000000"
    assert decimal("0." + "0" * 60, None) == 0
    assert read(decimal, "1" * 30) == "out_of_range"
    assert read(decimal, "0.1234567891") == "out_of_range"
    assert read(decimal, "1," + ",".join(["234"] * 20) + ".5") == "out_of_range"
    assert read(decimal, "9" * 5000) == "not_a_number"


def test_an_integer_settles_what_a_decimal_cannot():
    """1,234 as a whole number can only be 1234; 1,000 could still be one, to three places."""
    assert integer("1,234", None) == 1234
    assert read(integer, "1,000") == "ambiguous_number"
    assert read(integer, "12.5") == "not_an_integer"
    assert integer("12.00", None) == 12
    assert read(integer, "a dozen") == "not_a_number"


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("EUR 12", None, (Decimal(12), "EUR")),
        ("12 EUR", None, (Decimal(12), "EUR")),
        ("$ 1,200.00", None, (Decimal("1200.00"), "USD")),
        ("US$ 5.00", None, (Decimal("5.00"), "USD")),
        ("US$ 5,00", "de_DE", (Decimal("5.00"), "USD")),
        ("CHF 1'234.50", None, (Decimal("1234.50"), "CHF")),
        ("12,50 €", None, (Decimal("12.50"), "EUR")),
        ("€12.50", None, (Decimal("12.50"), "EUR")),
        ("-$5.00", None, (Decimal("-5.00"), "USD")),
        ("$-5.00", None, (Decimal("-5.00"), "USD")),
        ("($5.00)", None, (Decimal("-5.00"), "USD")),
        ("EUR 12.00-", None, (Decimal("-12.00"), "EUR")),
        ("5.00", None, (Decimal("5.00"), None)),
        ("$5.00", "en_CA", (Decimal("5.00"), "CAD")),
        ("£5,00", "sv_SE", (Decimal("5.00"), "GBP")),
        ("kr 100", "sv_SE", (Decimal(100), "SEK")),
        ("kr 100", "nb_NO", (Decimal(100), "NOK")),
        ("kr 100", None, "unknown_currency"),
        ("Rs. 5", None, "unknown_currency"),
        ("19 %", None, "unknown_currency"),
        ("eur 12", None, "unknown_currency"),
        ("EUR 12 EUR", None, "not_money"),
        ("twelve", None, "not_money"),
        ("", None, "not_money"),
        ("$1,234", None, "ambiguous_number"),
        ("12 or 14", None, "not_a_number"),
    ],
)
def test_money_has_an_amount_and_perhaps_a_currency(text, locale, expected):
    """Codes and symbols count as CLDR has them in the locale or in English; what could be several currencies is refused."""
    assert read(money, text, locale) == expected


@settings(max_examples=100, deadline=None)
@given(
    st.decimals(min_value=-(10**9), max_value=10**9, places=2),
    st.sampled_from(["en_US", "de_DE", "fr_FR", "de_CH", "en_IN", "sv_SE", "pt_BR", "ar_AE"]),
)
def test_what_a_locale_writes_it_reads(value, locale):
    """A number printed by the locale's own rules comes back exactly."""
    printed = format_decimal(value, locale=locale, decimal_quantization=False).replace("\u200e", "").replace("\u061c", "")
    assert decimal(printed, locale) == value


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=40) | st.text(alphabet="0123456789.,'’ -()+%€$\u202f\u00a0", max_size=40),
    st.sampled_from([None, "en_US", "de_DE", "fr_FR", "ar_EG", "hi_IN", "fa_IR"]),
    st.sampled_from([decimal, integer, money]),
)
def test_any_text_is_a_number_or_unreadable(text, locale, reader):
    """Reading raises nothing but Unreadable, and what it returns fits decimal(38, 9)."""
    found = read(reader, text, locale)
    amount = found[0] if isinstance(found, tuple) else found
    if isinstance(amount, Decimal):
        assert amount.is_finite()
        assert abs(amount) < Decimal(10) ** 29
        assert -amount.as_tuple().exponent <= 9
