"""Numbers with check digits, in one normal form or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn

from pipeline.tasks.amounts import Unreadable
from pipeline.tasks.numbers import normal_form


@pytest.mark.parametrize(
    ("text", "kind", "locale", "normal"),
    [
        ("+49 (0)30 90 18 20", "phone", None, "+4930901820"),
        ("030 901820", "phone", "de_DE", "+4930901820"),
        ("(212) 555-2368 ext. 7", "phone", "en_US", "+12125552368;ext=7"),
        ("IBAN: DE89 3704 0044 0532 0130 00", "iban", None, "DE89370400440532013000"),
        ("deutdeff", "bic", None, "DEUTDEFF"),
        ("VAT DE 136,695 976", "vat", None, "DE136695976"),
        ("136695976", "vat", "de_DE", "DE136695976"),
        ("EL 094259216", "vat", None, "EL094259216"),
        ("ISBN 978-0-306-40615-7", "isbn", None, "9780306406157"),
        ("4006381 333931", "ean", None, "4006381333931"),
        ("7992-7398-713", "luhn", None, "79927398713"),
    ],
)
def test_every_way_of_writing_a_number_has_one_normal_form(text, kind, locale, normal):
    """Spaces, dashes, labels and national forms go; the digits stay."""
    assert normal_form(text, kind, locale) == normal


@pytest.mark.parametrize(
    ("text", "kind", "locale", "code"),
    [
        ("030 901820", "phone", None, "ambiguous_phone"),
        ("12", "phone", "de_DE", "not_a_phone"),
        ("ring me", "phone", None, "not_a_phone"),
        ("DE89 3704 0044 0532 0130 01", "iban", None, "wrong_check_digit"),
        ("DE89", "iban", None, "wrong_check_digit"),
        ("978-0-306-40615-8", "isbn", None, "wrong_check_digit"),
        ("7992739871", "luhn", None, "wrong_check_digit"),
        ("seven", "luhn", None, "not_a_luhn"),
        ("136695976", "vat", None, "not_a_vat"),
        ("DE136695975", "vat", None, "wrong_check_digit"),
        ("123", "vat", "en_US", "not_a_vat"),
        ("DEUTDEFFX", "bic", None, "not_a_bic"),
    ],
)
def test_a_number_that_does_not_check_is_refused(text, kind, locale, code):
    """A wrong digit, a missing country and words each have a code of their own."""
    with pytest.raises(Unreadable) as refused:
        normal_form(text, kind, locale)
    assert refused.value.code == code


@given(st.text("0123456789", min_size=10, max_size=10), st.integers(0, 9), st.integers(0, 9))
def test_one_wrong_digit_is_always_found(digits, place, wrong):
    """A Luhn number and an IBAN with one digit misread are refused, whichever it is."""
    card = digits + luhn.calc_check_digit(digits)
    account = f"DE{iban.calc_check_digits('DE00' + '3704' + '0044' + digits)}37040044{digits}"
    assert (normal_form(card, "luhn", None), normal_form(account, "iban", None)) == (card, account)
    for number, kind, at in ((card, "luhn", place), (account, "iban", 12 + place)):
        if number[at] == str(wrong):
            continue
        with pytest.raises(Unreadable, match="check digits"):
            normal_form(number[:at] + str(wrong) + number[at + 1 :], kind, None)
