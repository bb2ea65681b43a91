"""How a country writes dates and amounts, and what the same amount or date means.

Nothing ambiguous is written, so that a value can be told from its text alone: a date in figures has a day past the twelfth or its
year first, months are spelt out in English only, an amount always has two decimals.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

from schemas.field import FieldValue

Language = Literal["en", "de", "fr", "es"]


@dataclass(frozen=True, slots=True)
class Locale:
    """One country's conventions. `money` is a pattern of symbol, code and number."""

    code: str
    language: Language
    currency: str
    symbol: str
    decimal: str
    group: str
    money: tuple[str, ...]
    dates: tuple[str, ...]


LOCALES = (
    Locale(
        "en-GB", "en", "GBP", "£", ".", ",", ("{symbol}{number}",), ("{d} {month} {y}", "{d:02}/{m:02}/{y}", "{d:02} {mon} {y}")
    ),
    Locale(
        "en-US", "en", "USD", "$", ".", ",", ("{symbol}{number}",), ("{month} {d}, {y}", "{m:02}/{d:02}/{y}", "{mon} {d}, {y}")
    ),
    Locale("en-IE", "en", "EUR", "€", ".", ",", ("{symbol}{number}", "EUR {number}"), ("{d} {month} {y}", "{y}-{m:02}-{d:02}")),
    Locale(
        "de-DE", "de", "EUR", "€", ",", ".", ("{number} {symbol}", "{number} EUR"), ("{d:02}.{m:02}.{y}", "{y}-{m:02}-{d:02}")
    ),
    Locale("fr-FR", "fr", "EUR", "€", ",", " ", ("{number} {symbol}",), ("{d:02}/{m:02}/{y}",)),
    Locale("es-ES", "es", "EUR", "€", ",", ".", ("{number} {symbol}",), ("{d:02}/{m:02}/{y}", "{d:02}-{m:02}-{y}")),
)
_WEIGHTS = (4, 4, 2, 2, 1, 1)

_ISO = "{y}-{m:02}-{d:02}"
_MONTHS = "January February March April May June July August September October November December".split()

DateWriter = Callable[[date], FieldValue]
MoneyWriter = Callable[[Decimal], FieldValue]


def locale(rng: Random) -> Locale:
    """Draw a locale; English ones are the most."""
    return rng.choices(LOCALES, _WEIGHTS)[0]


def a_date(rng: Random) -> date:
    """Draw a day of the years 2015 to 2029."""
    return date(2015, 1, 1) + timedelta(days=rng.randrange(5478))


def date_writer(rng: Random, place: Locale, *, steady: bool = False) -> DateWriter:
    """Draw one of the locale's date forms, for a whole document; ISO where that form would be ambiguous.

    `steady` is for columns of dates: they are all in one form, so ISO instead of any that may be ambiguous.
    """
    pattern = rng.choice(place.dates)
    if steady and "mon" not in pattern:
        pattern = _ISO
    return lambda day: _written_date(day, pattern)


def money_writer(rng: Random, place: Locale) -> MoneyWriter:
    """Draw one of the locale's forms of an amount with its currency."""
    pattern = rng.choice(place.money)

    def write(amount: Decimal) -> FieldValue:
        text = pattern.format(symbol=place.symbol, number=number(amount, place))
        return FieldValue(status="ok", value_text=text, value_number=amount, currency=place.currency)

    return write


def number(amount: Decimal, place: Locale) -> str:
    """Write an amount with two decimals and no currency."""
    plain = f"{amount:,.2f}"
    return plain.translate({ord(","): place.group, ord("."): place.decimal})


def string(text: str) -> FieldValue:
    """Return the value of a field that is plain text."""
    return FieldValue(status="ok", value_text=text)


def integer(value: int) -> FieldValue:
    """Return the value of a field that is a whole number."""
    return FieldValue(status="ok", value_text=str(value), value_number=Decimal(value))


def boolean(text: str, *, value: bool) -> FieldValue:
    """Return the value of a field that is yes or no, in the document's words."""
    return FieldValue(status="ok", value_text=text, value_bool=value)


ABSENT = FieldValue(status="absent")


def _written_date(day: date, pattern: str) -> FieldValue:
    if "mon" not in pattern and day.day <= 12:  # 03/04 is two different days
        pattern = _ISO
    month = _MONTHS[day.month - 1]
    text = pattern.format(y=day.year, m=day.month, d=day.day, month=month, mon=month[:3])
    return FieldValue(status="ok", value_text=text, value_date=day)
