"""The form that a field's type gives its answer: choices, or a regular expression, for engines that write nothing else.

It goes by what values.py reads, and lets every page say that it has no such thing. Expressions hold what both xgrammar (in vLLM) and the
`regex` package understand: classes, groups and bounded repeats. A string may say anything, so it has none.
"""

from pipeline.tasks.unanswerable import UNANSWERABLE
from pipeline.tasks.values import NO, YES
from schemas.job import AnswerField
from schemas.view import Form

_NUMBER = r"-?[0-9]([0-9.,' ]{0,22}[0-9])?"
_CURRENCY = r"([A-Z]{3}|[A-Z]{0,3}[$£€¥₹₩₽₺]|[A-Z]?[a-zčł]{1,2}\.?)"
_MONTH = r"[A-Za-zÀ-ÿ]{3,10}\.?"
_EXPRESSIONS = {
    "integer": _NUMBER,
    "decimal": rf"{_NUMBER} ?%?",
    "money": rf"-?({_CURRENCY} ?)?{_NUMBER}( ?{_CURRENCY})?",
    "date": rf"[0-9]{{1,4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,4}}|[0-9]{{1,2}}\.? {_MONTH},? [0-9]{{4}}|{_MONTH} [0-9]{{1,2}},? [0-9]{{4}}",
    "phone": r"\+?[0-9(][0-9() /.-]{4,22}[0-9]",
    "iban": r"[A-Z]{2}[0-9]{2}( ?[A-Z0-9]){11,30}",
    "bic": r"[A-Z]{4} ?[A-Z]{2} ?[A-Z0-9]{2}( ?[A-Z0-9]{3})?",
    "vat": r"([A-Z]{2,3} ?)?[A-Z0-9]([A-Z0-9 .-]{5,16})[A-Z0-9]",
    "isbn": r"[0-9]([0-9 -]{8,16})[0-9X]",
    "ean": r"[0-9]{8}([0-9]{5})?",
    "luhn": r"[0-9]([0-9 -]{0,30}[0-9])?",
}


def form(field: AnswerField) -> Form | None:
    """Return the form of a field's answers, or None where its type lets them be anything."""
    if field.type == "enum":
        return Form(choices=(*field.choices, UNANSWERABLE))
    if field.type == "boolean":
        return Form(choices=(*sorted(YES | NO), UNANSWERABLE))
    expression = _EXPRESSIONS.get(field.type)
    return Form(expression=f"{expression}|{UNANSWERABLE}") if expression else None
