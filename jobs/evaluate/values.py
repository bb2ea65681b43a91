"""Whether a field's value is the true one: equal in its type, so that 1,234.50 is 1234.5 and 3 May is 2026-05-03."""

from decimal import Decimal

from jobs.evaluate.text import plain
from pipeline.tasks.values import typed
from schemas.field import FieldValue
from schemas.job import AnswerField, FieldType


def equal(said: FieldValue, true: FieldValue, kind: FieldType) -> bool:
    """Return whether two values mean the same. Only ok and absent can be right: an invalid or rejected value never is.

    A money value's currency counts where the truth names one.
    """
    if said.status != true.status or said.status not in ("ok", "absent"):
        return False
    if said.status == "absent":
        return True
    match kind:
        case "string" | "enum" | "phone" | "iban" | "bic" | "vat" | "isbn" | "ean" | "luhn":
            return said.value_text is not None and plain(said.value_text) == plain(true.value_text or "")
        case "integer" | "decimal":
            return _same_number(said.value_number, true.value_number)
        case "money":
            return _same_number(said.value_number, true.value_number) and true.currency in (None, said.currency)
        case "date":
            return said.value_date is not None and said.value_date == true.value_date
        case "boolean":
            return said.value_bool is not None and said.value_bool == true.value_bool


def as_asked(answer: str, field: AnswerField, lang: str) -> FieldValue:
    """Return a label's words as the field's type reads them, as the run's decoder does."""
    return typed(plain(answer), field, lang)


def _same_number(said: Decimal | None, true: Decimal | None) -> bool:
    return said is not None and said == true
