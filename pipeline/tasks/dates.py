"""Dates as documents print them; whole or not at all, and no clock is read.

A date needs its day, month and year as written: `Jan 2026` is incomplete, never the first of January. 2026-01-05 is always year,
month, day. Of 03/04/2026 the locale's own order decides; without a locale every order is tried and a difference is ambiguous, so that
25/12/26, which may begin with its year, needs a locale.
Years of two digits are 1969 to 2068, as POSIX has it. Month names are CLDR's (babel), of the locale's language or else of the
question's, and English. dateparser was tried and not taken: it reads the wall clock, silently tries another order when the asked one
fails, and makes 13 January of `2026-13-01`.
"""

import re
from datetime import date
from functools import cache

from babel import localedata
from babel.core import Locale

from pipeline.tasks.amounts import Unreadable

_TIME = r"(?:[T ,]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[ap]\.?m\.?)?\s*(?:z|utc|[+-]\d{2}:?\d{2})?)?"
_ISO = re.compile(rf"([0-9]{{4}})([-/. ])([0-9]{{1,2}})\2([0-9]{{1,2}})\.?{_TIME}", re.IGNORECASE)
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_NUMERIC = re.compile(rf"([0-9]{{1,2}})\s?([-/.])\s?([0-9]{{1,2}})\s?\2\s?([0-9]{{4}}|[0-9]{{2}}){_TIME}", re.IGNORECASE)
_EAST_ASIAN = re.compile(r"([0-9]{4})\s*[年년]\s*([0-9]{1,2})\s*[月월]\s*([0-9]{1,2})\s*[日일]")
_WORD = re.compile(r"[^\W\d_]+|[0-9]+|\S")
_ORDINALS = frozenset({"st", "nd", "rd", "th", "er", "º", "ª", "o"})
_FILLERS = frozenset({"of", "de", "del", "den", "the", ".", ",", "-", "/", "'", "’"})


def read_date(text: str, locale: str | None, lang: str) -> date:
    """Return the one date that `text` is. Raises Unreadable: not_a_date, incomplete_date, ambiguous_date."""
    text = " ".join(text.split())
    if match := _ISO.fullmatch(text):
        return _date(text, int(match[1]), int(match[3]), int(match[4]))
    if match := _COMPACT.fullmatch(text) or _EAST_ASIAN.fullmatch(text):
        return _date(text, int(match[1]), int(match[2]), int(match[3]))
    if match := _NUMERIC.fullmatch(text):
        return _by_order(text, (match[1], match[3], match[4]), locale)
    return _in_words(text, languages(locale, lang))


def languages(locale: str | None, lang: str) -> tuple[str, ...]:
    """Return the languages whose month names count."""
    own = Locale.parse(locale).language if locale else lang
    return (own, "en") if own != "en" and localedata.exists(own) else ("en",)


def _by_order(text: str, numbers: tuple[str, str, str], locale: str | None) -> date:
    """Read three numbers in the locale's order, or in every order and they must agree."""
    found = {day for order in _orders(locale, len(numbers[2])) if (day := _in_order(numbers, order))}
    if not found:
        raise Unreadable("not_a_date", f"{text!r} is no day of the calendar")
    if len(found) > 1:
        either = " or ".join(day.isoformat() for day in sorted(found))
        raise Unreadable("ambiguous_date", f"{text!r} may be {either}; a `locale` on the field decides")
    return found.pop()


def _orders(locale: str | None, year_digits: int) -> tuple[str, ...]:
    """Return the orders to try; a year of four digits that stands last cannot stand first."""
    allowed = ("dmy", "mdy") if year_digits == 4 else ("dmy", "mdy", "ymd")
    own = _locale_order(locale) if locale else ""
    return (own,) if own in allowed else allowed


def _in_order(numbers: tuple[str, str, str], order: str) -> date | None:
    parts = dict(zip(order, numbers, strict=True))
    try:
        return date(_full_year(parts["y"]), int(parts["m"]), int(parts["d"]))
    except ValueError:
        return None


@cache
def _locale_order(locale: str) -> str:
    """Return the order of the locale's short dates: dmy, mdy, ymd."""
    pattern = str(Locale.parse(locale).date_formats["short"].pattern).lower()
    return "".join(sorted("dmy", key=pattern.index))


def _in_words(text: str, of_languages: tuple[str, ...]) -> date:
    """Read a date whose month is named: 5 January 2026, Jan. 5th, 2026, Mon 05-JAN-26."""
    months, others = [], []
    for word in _WORD.findall(text.casefold()):
        if month := _months(of_languages).get(word):
            months.append(month)
        elif word not in _FILLERS and word not in _ORDINALS and word not in _weekdays(of_languages):
            others.append(word)
    if len(months) != 1 or len(others) > 2 or not all(re.fullmatch(r"[0-9]{1,4}", word) for word in others):
        code = "incomplete_date" if _is_part(months, others) else "not_a_date"
        raise Unreadable(code, f"{text!r} is not a whole date")
    if len(others) < 2:
        raise Unreadable("incomplete_date", f"{text!r} lacks its day or its year")
    day, year = others if len(others[0]) <= 2 else reversed(others)
    if len(day) > 2 or len(year) not in {2, 4}:
        raise Unreadable("not_a_date", f"{text!r} is not a date")
    return _date(text, _full_year(year), months[0], int(day))


def _is_part(months: list[int], others: list[str]) -> bool:
    """Say whether these are parts of a date with some missing: 2026, 5/2026, 10/10."""
    numbers = len(others) in {1, 2} and all(re.fullmatch(r"[0-9]{1,2}|[12][0-9]{3}", word) for word in others)
    return not months and numbers and (len(others) == 2 or len(others[0]) == 4)


def _full_year(year: str) -> int:
    if len(year) == 4:
        return int(year)
    return int(year) + (2000 if int(year) <= 68 else 1900)


def _date(text: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as exc:
        raise Unreadable("not_a_date", f"{text!r} is no day of the calendar") from exc


@cache
def _months(of_languages: tuple[str, ...]) -> dict[str, int]:
    """Return the numbers of month names and abbreviations, folded, without their closing dots."""
    names: dict[str, int] = {"sept": 9}
    for language in reversed(of_languages):
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in Locale.parse(language).months[form][width].items():
                    if re.fullmatch(r"[^\W\d_]+\.?", name):
                        names[name.casefold().rstrip(".")] = number
    return names


@cache
def _weekdays(of_languages: tuple[str, ...]) -> frozenset[str]:
    words = {
        word
        for language in of_languages
        for width in ("wide", "abbreviated")
        for name in Locale.parse(language).days["format"][width].values()
        for word in _WORD.findall(name.casefold())
    }
    return frozenset(words)
