"""Values of one page, and columns of its tables, held against one another. Pure.

Where a check fails, everything in it is invalid, as nobody can tell which is wrong; what was read and what it means stays beside the
reason. A check of which a value is missing on the page says nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal, localcontext

from pipeline.confidence import confidence
from pipeline.settle import Rows, judged
from schemas.crosscheck import CrossCheck, Value, cross_check, sum_of
from schemas.field import FieldRow, FieldValue
from schemas.job import Task
from schemas.page import Failure
from schemas.signals import ConfidenceModel
from schemas.table import Cell, Table

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
    cells = {name: _lines(made.page.tables, name) for check in wanted for name in check.columns}
    values |= {sum_of(name): total for name, lines in cells.items() if (total := _total(lines)) is not None}
    known = [check for check in wanted if check.names | set(map(sum_of, check.columns)) <= values.keys()]
    faults = [(check, fault) for check in known if (fault := _fault(check, fields, cells, values))]
    for check in known:
        for name in check.names:
            fields[name] = _said(fields[name], next((fault for each, fault in faults if name in each.names), None), model)
    failures = tuple(each for each in made.page.failures if each.code != CODE)
    failures += tuple(
        Failure(stage="settle", code=CODE, message=row.reason or "", task=f"answer.{row.name}")
        for row in fields.values()
        if _is_faulty(row)
    )
    failures += tuple(
        Failure(stage="settle", code=CODE, message=fault, task="table") for check, fault in faults if check.columns
    )
    wrong = frozenset().union(*(check.columns for check, _ in faults))
    page = judged(made.page.model_copy(update={"tables": _doubted(made.page.tables, wrong, faults)}), failures)
    return replace(made, page=page, fields=tuple(fields.values()))


def _lines(tables: Sequence[Table], column: str) -> list[FieldValue]:
    """Return the values of a column that are not empty."""
    cells = [cell.value for table in tables for cell in table.cells if cell.value and cell.column_name == column]
    return [value for value in cells if value.status != "absent"]


def _total(lines: Sequence[FieldValue]) -> Decimal | None:
    """Return the sum of a column; None where nothing is in it, or anything that is no number."""
    numbers = [value.value_number for value in lines if value.status == "ok" and value.value_number is not None]
    if not numbers or len(numbers) < len(lines):
        return None
    with localcontext(prec=80):
        return sum(numbers, Decimal(0))


def _doubted(tables: Sequence[Table], columns: frozenset[str], faults: Sequence[tuple[CrossCheck, str]]) -> tuple[Table, ...]:
    """Return tables with the lines of some columns invalid, as nobody can tell which of them is wrong."""
    reasons = {name: f"{CODE}: {next(fault for check, fault in faults if name in check.columns)}" for name in columns}
    return tuple(
        table.model_copy(update={"cells": tuple(_in_doubt(cell, reasons.get(cell.column_name or "")) for cell in table.cells)})
        for table in tables
    )


def _in_doubt(cell: Cell, reason: str | None) -> Cell:
    if reason is None or cell.value is None or cell.value.status != "ok":
        return cell
    return cell.model_copy(update={"value": cell.value.model_copy(update={"status": "invalid", "reason": reason})})


def _fault(
    check: CrossCheck, fields: dict[str, FieldRow], cells: dict[str, list[FieldValue]], values: dict[str, Value]
) -> str | None:
    currencies = {fields[name].currency for name in check.names} - {None}
    currencies |= {value.currency for name in check.columns for value in cells[name]} - {None}
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
