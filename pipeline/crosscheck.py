"""Values of one page held against one another: where a check fails, every value in it is invalid, as nobody can tell which is wrong. Pure.

What was read and what it means stays in the row beside the reason. A check of which a value is missing on the page says nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.confidence import confidence
from pipeline.settle import Rows
from schemas.crosscheck import CrossCheck, Value, cross_check
from schemas.field import FieldRow
from schemas.job import Task
from schemas.page import Failure
from schemas.signals import ConfidenceModel

CODE = "cross_check"


def checks(tasks: Iterable[Task]) -> tuple[CrossCheck, ...]:
    """Return the checks of a job's tasks."""
    return tuple(cross_check(text) for task in tasks if task.type == "answer" for text in task.cross_check)


def cross_checked(made: Rows, wanted: Sequence[CrossCheck], model: ConfidenceModel | None) -> Rows:
    """Return a page's rows with what its checks say, and nothing of what they said before."""
    if not wanted:
        return made
    fields = {row.name: _unchecked(row) for row in made.fields}
    values = {name: value for name, row in fields.items() if (value := _value(row)) is not None}
    known = [check for check in wanted if check.names <= values.keys()]
    faults = [(check, fault) for check in known if (fault := _fault(check, fields, values))]
    for check in known:
        for name in check.names:
            fields[name] = _said(fields[name], next((fault for each, fault in faults if name in each.names), None), model)
    failures = tuple(each for each in made.page.failures if each.code != CODE)
    failures += tuple(
        Failure(stage="settle", code=CODE, message=row.reason or "", task=f"answer.{row.name}")
        for row in fields.values()
        if _is_faulty(row)
    )
    page = made.page.model_copy(update={"failures": failures, "status": _status(made, failures)})
    return replace(made, page=page, fields=tuple(fields.values()))


def _fault(check: CrossCheck, fields: dict[str, FieldRow], values: dict[str, Value]) -> str | None:
    currencies = {fields[name].currency for name in check.names} - {None}
    if len(currencies) > 1:
        return f"{check.text} is in several currencies: {', '.join(sorted(filter(None, currencies)))}"
    return check.fault(values)


def _unchecked(row: FieldRow) -> FieldRow:
    return row.model_copy(update={"status": "ok", "reason": None}) if _is_faulty(row) else row


def _said(row: FieldRow, fault: str | None, model: ConfidenceModel | None) -> FieldRow:
    signals = row.signals and row.signals.model_copy(update={"cross_check": fault is None})
    if fault is not None:
        return row.model_copy(
            update={"status": "invalid", "reason": f"{CODE}: {fault}", "confidence": None, "signals": signals}
        )
    sure = confidence(signals, row, model) if signals and model and row.value_source == "model" else row.confidence
    return row.model_copy(update={"confidence": sure, "signals": signals})


def _value(row: FieldRow) -> Value | None:
    if row.status != "ok":
        return None
    return row.value_number if row.value_number is not None else row.value_date


def _is_faulty(row: FieldRow) -> bool:
    return row.status == "invalid" and (row.reason or "").startswith(f"{CODE}: ")


def _status(made: Rows, failures: Sequence[Failure]) -> str:
    if made.page.status not in ("ok", "partial"):
        return made.page.status
    return "partial" if any(each.task for each in failures) else "ok"
