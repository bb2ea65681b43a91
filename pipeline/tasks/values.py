"""What a short answer means as a field's type: a value, or why it is invalid.

Knows the types of schemas.job.AnswerField and nothing of models or pages. What was read is kept as it was read in `value_raw`, an
invalid answer's too; `value_text` holds the normal form of types that have one (an enum's choice as the job spells it, a number with
check digits), and else the same. The typed columns hold its meaning only where the whole answer has exactly one.
"""

import re

from pipeline.tasks.amounts import Unreadable, decimal, integer, money
from pipeline.tasks.dates import read_date
from pipeline.tasks.numbers import normal_form
from schemas.field import FieldValue
from schemas.job import AnswerField

_LONGEST = 200
YES = frozenset({"yes", "y", "true", "ja", "oui", "sí", "si", "sì", "sim"})
NO = frozenset({"no", "n", "false", "nein", "nee", "non", "nej", "não"})


def typed(text: str, field: AnswerField, lang: str) -> FieldValue:
    """Return the value that `text` (not empty) is, or status `invalid` with a reason that begins with its stable code."""
    try:
        value = _typed(text, field, lang).model_copy(update={"value_raw": text})
        _match(value.value_text or "", field.pattern)
    except Unreadable as exc:
        return FieldValue(status="invalid", reason=f"{exc.code}: {exc}", value_raw=text, value_text=text)
    return value


def _match(text: str, pattern: str | None) -> None:
    if pattern is not None and not re.fullmatch(pattern, text):
        raise Unreadable("pattern", f"{text!r} does not match {pattern}")


def _typed(text: str, field: AnswerField, lang: str) -> FieldValue:
    if len(text) > _LONGEST and field.type not in {"string", "enum"}:
        raise Unreadable("too_long", f"{len(text)} characters are no {field.type}")
    match field.type:
        case "string":
            return FieldValue(status="ok", value_text=text)
        case "integer":
            return FieldValue(status="ok", value_text=text, value_number=integer(text, field.locale))
        case "decimal":
            return FieldValue(status="ok", value_text=text, value_number=decimal(text, field.locale))
        case "money":
            amount, currency = money(text, field.locale)
            return FieldValue(status="ok", value_text=text, value_number=amount, currency=currency)
        case "date":
            return FieldValue(status="ok", value_text=text, value_date=read_date(text, field.locale, lang))
        case "boolean":
            return FieldValue(status="ok", value_text=text, value_bool=_boolean(text))
        case "enum":
            return FieldValue(status="ok", value_text=_choice(text, field.choices))
        case "phone" | "iban" | "bic" | "vat" | "isbn" | "ean" | "luhn":
            return FieldValue(status="ok", value_text=normal_form(text, field.type, field.locale))


def _boolean(text: str) -> bool:
    word = _folded(text).rstrip(".!")
    if word in YES or word in NO:
        return word in YES
    raise Unreadable("not_a_boolean", f"{text!r} is neither yes nor no")


def _choice(text: str, choices: tuple[str, ...]) -> str:
    """Return the choice that `text` is but for case and spaces; nothing is guessed from a near miss."""
    for choice in choices:
        if _folded(choice) == _folded(text):
            return choice
    raise Unreadable("not_a_choice", f"{text!r} is none of {', '.join(choices)}")


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
