"""When a field's value is the true one, type by type."""

from datetime import date
from decimal import Decimal

import pytest

from jobs.evaluate.values import as_asked, equal
from schemas.field import FieldValue
from schemas.job import AnswerField


def _ok(**parts) -> FieldValue:
    return FieldValue(status="ok", **parts)


@pytest.mark.parametrize(
    ("kind", "said", "true", "right"),
    [
        ("string", _ok(value_text="A  1"), _ok(value_text="A 1"), True),
        ("string", _ok(value_text="a 1"), _ok(value_text="A 1"), False),
        ("enum", _ok(value_text="paid"), _ok(value_text="paid"), True),
        ("decimal", _ok(value_text="1,234.50", value_number=Decimal("1234.5")), _ok(value_number=Decimal("1234.50")), True),
        ("integer", _ok(value_text="7", value_number=Decimal(7)), _ok(value_number=Decimal(8)), False),
        ("money", _ok(value_number=Decimal(5), currency="EUR"), _ok(value_number=Decimal(5), currency="EUR"), True),
        ("money", _ok(value_number=Decimal(5), currency="USD"), _ok(value_number=Decimal(5), currency="EUR"), False),
        ("money", _ok(value_number=Decimal(5), currency="USD"), _ok(value_number=Decimal(5)), True),
        ("money", _ok(value_number=Decimal(5)), _ok(value_number=Decimal(5), currency="EUR"), False),
        ("date", _ok(value_text="3 May 2026", value_date=date(2026, 5, 3)), _ok(value_date=date(2026, 5, 3)), True),
        ("date", _ok(value_text="3/5/2026", value_date=date(2026, 3, 5)), _ok(value_date=date(2026, 5, 3)), False),
        ("boolean", _ok(value_bool=False), _ok(value_bool=False), True),
        ("boolean", _ok(value_bool=True), _ok(value_bool=False), False),
        ("string", FieldValue(status="absent"), FieldValue(status="absent"), True),
        ("string", FieldValue(status="absent"), _ok(value_text="x"), False),
        ("string", _ok(value_text="x"), FieldValue(status="absent"), False),
        ("date", FieldValue(status="invalid", value_text="x"), FieldValue(status="invalid", value_text="x"), False),
        ("string", FieldValue(status="rejected"), FieldValue(status="rejected"), False),
        ("date", _ok(value_text="x"), _ok(value_text="x"), False),  # words without their meaning are no date
    ],
)
def test_values_are_compared_by_their_meaning(kind, said, true, right):
    """Values are right when they mean the same in their type; only ok and absent ever are."""
    assert equal(said, true, kind) is right


def test_a_label_is_read_as_the_field_reads_an_answer():
    """A label's words mean what the run's own decoder would read in them."""
    field = AnswerField(name="total", question="total?", type="money", locale="de_DE")
    assert equal(as_asked("1.234,50 EUR", field, "de"), as_asked("EUR  1.234,50", field, "de"), "money")
