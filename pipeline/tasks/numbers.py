"""Numbers that check themselves, by python-stdnum and phonenumbers: phone, IBAN, BIC, VAT, ISBN, EAN and Luhn numbers, in one normal form.

A check digit that does not fit rejects the number and nothing is repaired: which digit was misread, nobody can tell.
"""

from typing import Protocol

import phonenumbers
from babel.core import Locale
from stdnum import bic, ean, iban, isbn, luhn
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.util import clean, get_cc_module

from pipeline.tasks.amounts import Unreadable

_SEPARATORS = " -./"


class _Numbers(Protocol):
    """A module of python-stdnum for one kind of number."""

    def validate(self, number: str) -> str:
        """Return the number without separators, or raise ValidationError."""


def normal_form(text: str, kind: str, locale: str | None) -> str:
    """Return the normal form of a number of a kind: E.164 of a phone, the others without separators.

    A national phone or VAT number means the country of the locale. Raises Unreadable: not_a_phone, not_an_iban and so on, wrong_check_digit.
    """
    if kind == "phone":
        return _phone(text, _country(locale))
    if kind == "vat":
        return _vat(text, _country(locale))
    return _checked(text, kind, {"iban": iban, "bic": bic, "isbn": isbn, "ean": ean, "luhn": luhn}[kind])


def _checked(text: str, kind: str, module: _Numbers) -> str:
    bare = text.upper().removeprefix(f"{kind.upper()}:").removeprefix(kind.upper()).strip()
    try:
        return str(module.validate(clean(bare, _SEPARATORS)))
    except InvalidChecksum as exc:
        raise Unreadable("wrong_check_digit", f"the check digits of {text!r} do not fit") from exc
    except ValidationError as exc:
        article = "an" if kind in ("iban", "isbn", "ean") else "a"
        raise Unreadable(f"not_{article}_{kind}", f"{text!r} is no {kind.upper()} number: {exc}") from exc


def _vat(text: str, country: str | None) -> str:
    """Return a VAT number after its country's letters; Greece writes EL, whatever its country code is."""
    prefix = clean(text, _SEPARATORS).strip().upper().removeprefix("VAT")[:2]
    for letters in (prefix, country):
        module = get_cc_module("GR" if letters == "EL" else letters, "vat") if letters and letters.isalpha() else None
        if letters and module:
            number = _checked(text, "vat", module)
            return number if number.startswith(letters) else letters + number
    raise Unreadable("not_a_vat", f"{text!r} names no country whose VAT numbers are known; a `locale` on the field may tell")


def _phone(text: str, country: str | None) -> str:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as exc:
        if exc.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE and country is None:
            message = f"{text!r} names no country; a `locale` with one on the field decides"
            raise Unreadable("ambiguous_phone", message) from exc
        raise Unreadable("not_a_phone", f"{text!r} is no phone number") from exc
    if not phonenumbers.is_valid_number(number):
        raise Unreadable("not_a_phone", f"{text!r} is no phone number that anybody can have")
    normal: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{normal};ext={number.extension}" if number.extension else normal


def _country(locale: str | None) -> str | None:
    return Locale.parse(locale).territory if locale else None
