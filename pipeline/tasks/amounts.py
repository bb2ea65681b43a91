"""Numbers and money as documents print them, read by CLDR's rules (babel); never through a float.

A locale, where one is named, is the only convention; without one every common convention is tried, and what two of them read
differently is ambiguous: 1,234 is a thousand in Ohio and a little over one in Ulm. Nothing is repaired: `l2.50` is no number.
A percent sign says what the number counts and does not change it: 19 % is 19. Babel is strict about grouping, which
price-parser is not: it reads `12 or 14` as 12 and loses the sign of (12.50).
"""

import re
from decimal import Context, Decimal, localcontext
from functools import cache

from babel.numbers import (
    NumberFormatError,
    get_currency_symbol,
    get_decimal_symbol,
    get_group_symbol,
    list_currencies,
    parse_decimal,
)

CONVENTIONS = ("en_US", "de_DE", "fr_FR", "de_CH", "xh_ZA", "en_IN")
"""As they write them: 1,234.5 · 1.234,5 · 1 234,5 · 1'234.5 · 1 234.5 · 1,23,456.5."""

_DIGITS = 38
_DECIMALS = 9
_LONGEST = 100
_SPACES = re.compile(r"[\u00a0\u2007\u2009\u202f ]")
_APOSTROPHES = re.compile(r"['’ʼ]")
_MINUS = "[-−–]"
_SIGNED = re.compile(rf"(?P<paren>\()?\s*(?P<lead>[+]|{_MINUS})?\s*(?P<body>[^\s()+].*?)\s*(?P<trail>{_MINUS})?\s*(?(paren)\))")
_SIGNS = re.compile(rf"[()+\s]|{_MINUS}")
_MONEY = re.compile(r"(?P<before>[^\d]*?)(?P<body>\d(?:.*\d)?|[.,]\d+)(?P<after>[^\d]*)")


class Unreadable(ValueError):
    """What was read has no meaning of its type; `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def decimal(text: str, locale: str | None) -> Decimal:
    """Return the one number that `text` is. Raises Unreadable: not_a_number, ambiguous_number, out_of_range."""
    return _one(text, _readings(text.strip().removesuffix("%").strip(), locale))


def integer(text: str, locale: str | None) -> Decimal:
    """Return the one whole number that `text` is: 1,234 can only be 1234. Raises Unreadable, not_an_integer besides."""
    readings = _readings(text, locale)
    whole = {value for value in readings if value == value.to_integral_value()}
    if readings and not whole:
        raise Unreadable("not_an_integer", f"{text!r} is not a whole number")
    return _one(text, whole).to_integral_value()


def money(text: str, locale: str | None) -> tuple[Decimal, str | None]:
    """Return the amount and its ISO 4217 code, None where no currency was written.

    A symbol means what CLDR says in the locale, or else in English: $ is USD there, and CAD in en_CA; `kr`
    without a locale could be several and is refused. Raises Unreadable: not_money, unknown_currency, and decimal()'s.
    """
    amount, mark = _split_money(text)
    currency = _currency(mark, locale) if mark else None
    return _one(text, _readings(amount, locale)), currency


def _one(text: str, readings: set[Decimal]) -> Decimal:
    if not readings:
        raise Unreadable("not_a_number", f"{text!r} is not a number")
    if len(readings) > 1:
        either = " or ".join(str(value) for value in sorted(readings))
        raise Unreadable("ambiguous_number", f"{text!r} may be {either}; a `locale` on the field decides")
    return _in_range(next(iter(readings)))


def _in_range(value: Decimal) -> Decimal:
    """Return the value if decimal(38, 9) holds it exactly."""
    if not value:
        return Decimal(0)
    sign, digits, exponent = value.as_tuple()
    decimals = -int(exponent)
    while decimals > _DECIMALS and digits[-1] == 0:  # by hand: arithmetic rounds to the context's 28 digits
        digits, decimals = digits[:-1], decimals - 1
    if decimals > _DECIMALS or value.adjusted() >= _DIGITS - _DECIMALS:
        raise Unreadable("out_of_range", f"more than {_DECIMALS} decimals or {_DIGITS - _DECIMALS} digits before them")
    return Decimal((sign, digits, -decimals))


def _readings(text: str, locale: str | None) -> set[Decimal]:
    """Return every number that `text` is under the allowed conventions; equal numbers are one."""
    signed = _SIGNED.fullmatch(text.strip())
    if not signed or sum(1 for mark in ("paren", "lead", "trail") if signed[mark]) > 1:
        return set()
    negative = bool(signed["paren"] or signed["trail"] or (signed["lead"] and signed["lead"] != "+"))
    found = {_under(signed["body"], convention) for convention in ((locale,) if locale else CONVENTIONS)}
    return {value.copy_negate() if negative and value else value for value in found if value is not None}


def _under(body: str, locale: str) -> Decimal | None:
    group, point = get_group_symbol(locale), get_decimal_symbol(locale)
    body = _with_symbols_of(group, body)
    if (
        len(body) > _LONGEST
        or not re.fullmatch(rf"[0-9]*(?:{re.escape(group)}[0-9]+)*(?:{re.escape(point)}[0-9]+)?", body)
        or not body
    ):
        return None
    with localcontext(
        Context(prec=2 * _LONGEST)
    ):  # babel checks the grouping by arithmetic, which rounds to the context's digits
        try:
            return parse_decimal(body, locale, strict=True)
        except NumberFormatError:
            return None


def _with_symbols_of(group: str, body: str) -> str:
    """Write the spaces or apostrophes between digits as the convention's own: documents and models use any of them."""
    if _SPACES.fullmatch(group):
        return _SPACES.sub(group, body)
    return _APOSTROPHES.sub(group, body) if _APOSTROPHES.fullmatch(group) else body


def _split_money(text: str) -> tuple[str, str]:
    """Return the amount with its sign or parentheses, and what else was written beside it."""
    match = _MONEY.fullmatch(text.strip())
    if not match:
        raise Unreadable("not_money", f"{text!r} is not an amount")
    before, after = match["before"], match["after"]
    amount = "".join(_SIGNS.findall(before)) + match["body"] + "".join(_SIGNS.findall(after))
    marks = [mark for mark in (_SIGNS.sub("", before), _SIGNS.sub("", after)) if mark]
    if len(marks) > 1:
        raise Unreadable("not_money", f"{text!r} has words on both sides of its amount")
    return amount, marks[0] if marks else ""


def _currency(mark: str, locale: str | None) -> str:
    if mark in list_currencies():
        return mark
    if code := _symbols(locale or "en").get(mark) or _symbols("en").get(mark):
        return code
    raise Unreadable("unknown_currency", f"{mark!r} is no currency that is known here; a `locale` on the field may tell")


@cache
def _symbols(locale: str) -> dict[str, str]:
    """Return CLDR's symbols of the locale that stand for one currency only."""
    owners: dict[str, list[str]] = {}
    for code in sorted(list_currencies()):
        owners.setdefault(get_currency_symbol(code, locale), []).append(code)
    return {symbol: codes[0] for symbol, codes in owners.items() if len(codes) == 1} | {"US$": "USD"}
