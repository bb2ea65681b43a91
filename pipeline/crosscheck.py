"""Values of a document, and columns of its tables, held against one another. Pure.

A page that has a value for each field of a check is judged by its own values, as one file may hold many invoices. The lines that are summed
may stand on that page, or begin on pages before it, since the last that was judged, or go on behind the last of all. Where no page has all
the fields, the document's answers are judged: of each field what most confidence is behind.

Where a check fails, everything in it is invalid, as nobody can tell which is wrong; what was read and what it means stays beside the
reason, and a person's word stands. A check of which a value is missing says nothing, nor does one of which lines may be missing: those of a page that
could not be read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from pipeline.answers import agreeing
from pipeline.columns import CODE as INVALID_CELLS
from pipeline.confidence import confidence
from pipeline.settle import Rows, judged
from schemas.crosscheck import CrossCheck, Value, cross_check, sum_of
from schemas.field import FieldRow, FieldValue
from schemas.job import Task
from schemas.page import Failure, PageRow
from schemas.signals import ConfidenceModel, Signals
from schemas.table import Cell, Table

CODE = "cross_check"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a check says of values and lines; pages by their positions. `fault` is None where it holds."""

    check: CrossCheck
    fault: str | None
    fields: frozenset[tuple[int, str]]
    lines: frozenset[int]


def checks(tasks: Iterable[Task]) -> tuple[CrossCheck, ...]:
    """Return the checks of a job's tasks."""
    return tuple(cross_check(text) for task in tasks if task.type == "answer" for text in task.cross_check)


def cross_checked(pages: Sequence[Rows], wanted: Sequence[CrossCheck], model: ConfidenceModel | None) -> tuple[Rows, ...]:
    """Return all pages of a document, in their order, with what the checks say and nothing of what they said before."""
    if not wanted:
        return tuple(pages)
    fresh = [replace(made, fields=tuple(_unchecked(row, model) for row in made.fields)) for made in pages]
    verdicts = [verdict for check in wanted for verdict in _verdicts(check, fresh)]
    return tuple(_told(made, position, verdicts, model) for position, made in enumerate(fresh))


def _verdicts(check: CrossCheck, pages: Sequence[Rows]) -> Iterator[_Verdict]:
    judges = [position for position, made in enumerate(pages) if check.names and check.names <= _values(made).keys()]
    if not judges:
        chosen = {name: _answer(name, pages) for name in check.names}
        whole = range(len(pages))
        if all(chosen.values()) and (verdict := _verdict(check, pages, chosen, [whole], whole)):
            yield verdict
        return
    for before, position in zip([-1, *judges], judges, strict=False):
        last = len(pages) if position == judges[-1] else position + 1
        blamed = range(before + 1, last)
        reaches = [range(position, position + 1), range(before + 1, position + 1), range(position + 1), range(len(pages))]
        places = dict.fromkeys(check.names, (position,))
        if verdict := _verdict(check, pages, places, [*reaches, blamed], blamed):
            yield verdict


def _verdict(
    check: CrossCheck, pages: Sequence[Rows], places: Mapping[str, tuple[int, ...]], reaches: Sequence[range], blamed: range
) -> _Verdict | None:
    """Return what a check says of fields, each on some pages, and of the lines on any of several ranges of pages; None where that is nothing.

    It fails by the lines of the range `blamed`.
    """
    said = frozenset((position, name) for name, found in places.items() for position in found)
    values = {name: pages[found[0]] for name, found in places.items()}
    known = {name: _values(made)[name] for name, made in values.items()}
    rows = [row for name, made in values.items() for row in made.fields if row.name == name]
    for reach in reaches if check.columns else [range(0)]:
        fault = _fault(check, known, rows, pages[reach.start : reach.stop])
        if fault is None:
            return _Verdict(check, None, said, frozenset())
    part = pages[blamed.start : blamed.stop] if check.columns else []
    fault = _fault(check, known, rows, part)
    if not fault or not all(_is_legible(made.page) for made in part):
        return None
    lines = frozenset(position for position in blamed if check.columns and _has_lines(pages[position], check.columns))
    return _Verdict(check, fault + _spread(pages, {position for position, _ in said} | lines), said, lines)


def _fault(check: CrossCheck, known: dict[str, Value], rows: Sequence[FieldRow], pages: Sequence[Rows]) -> str | None:
    """Return how a check fails with these fields and the lines of these pages, "" where too little is known to tell; None where it holds."""
    lines = {name: [value for made in pages for value in _lines(made.page.tables, name)] for name in check.columns}
    totals = {sum_of(name): _total(found) for name, found in lines.items()}
    sums = {name: total for name, total in totals.items() if total is not None}
    if len(sums) < len(totals):
        return ""
    currencies = {each.currency for each in (*rows, *(value for found in lines.values() for value in found))} - {None}
    if len(currencies) > 1:
        return f"{check.text} is in several currencies: {', '.join(sorted(filter(None, currencies)))}"
    return check.fault({**known, **sums})


def _spread(pages: Sequence[Rows], positions: Iterable[int]) -> str:
    numbers = sorted({pages[position].page.page_index + 1 for position in positions})
    return f" (pages {', '.join(map(str, numbers))})" if len(numbers) > 1 else ""


def _answer(name: str, pages: Sequence[Rows]) -> tuple[int, ...]:
    """Return on which pages, by position, stands what a document answers to a field; none without a value."""
    found = [(at, row) for at, made in enumerate(pages) for row in made.fields if row.name == name and _value(row) is not None]
    return tuple(found[index][0] for index in agreeing([row for _, row in found]))


def _told(made: Rows, position: int, verdicts: Sequence[_Verdict], model: ConfidenceModel | None) -> Rows:
    """Return a page's rows with what verdicts say of them."""
    said = [[each for each in verdicts if (position, row.name) in each.fields] for row in made.fields]
    fields = tuple(_judged_row(row, mine, model) if mine else row for row, mine in zip(made.fields, said, strict=True))
    of_lines = [each for each in verdicts if each.fault and position in each.lines]
    failures = tuple(each for each in made.page.failures if each.code != CODE)
    failures += tuple(
        Failure(stage="settle", code=CODE, message=row.reason or "", task=f"answer.{row.name}")
        for row in fields
        if _is_faulty(row)
    )
    failures += tuple(Failure(stage="settle", code=CODE, message=each.fault or "", task="table") for each in of_lines)
    page = judged(made.page.model_copy(update={"tables": _doubted(made.page.tables, of_lines)}), failures)
    return replace(made, page=page, fields=fields)


def _judged_row(row: FieldRow, verdicts: Sequence[_Verdict], model: ConfidenceModel | None) -> FieldRow:
    if row.value_source == "human":
        return row
    fault = next((each.fault for each in verdicts if each.fault), None)
    signals = row.signals and row.signals.model_copy(update={"cross_check": fault is None})
    if fault is not None:
        return row.model_copy(
            update={"status": "invalid", "reason": f"{CODE}: {fault}", "confidence": None, "signals": signals}
        )
    return _weighed(row, signals, model)


def _weighed(row: FieldRow, signals: Signals | None, model: ConfidenceModel | None) -> FieldRow:
    sure = confidence(signals, row, model) if signals and model and row.value_source == "model" else row.confidence
    return row.model_copy(update={"confidence": sure, "signals": signals})


def _doubted(tables: Sequence[Table], verdicts: Sequence[_Verdict]) -> tuple[Table, ...]:
    """Return tables with the lines of columns that failed invalid, as nobody can tell which of them is wrong."""
    reasons = {name: f"{CODE}: {each.fault}" for each in reversed(verdicts) for name in each.check.columns}
    return tuple(
        table.model_copy(update={"cells": tuple(_in_doubt(cell, reasons.get(cell.column_name or "")) for cell in table.cells)})
        for table in tables
    )


def _in_doubt(cell: Cell, reason: str | None) -> Cell:
    if reason is None or cell.value is None or cell.value.status != "ok":
        return cell
    return cell.model_copy(update={"value": cell.value.model_copy(update={"status": "invalid", "reason": reason})})


def _is_legible(page: PageRow) -> bool:
    """Return whether all lines of a page's tables are known."""
    return page.status != "failed" and not any(
        each.task == "table" and each.code not in (CODE, INVALID_CELLS) for each in page.failures
    )


def _has_lines(made: Rows, columns: Iterable[str]) -> bool:
    return any(_lines(made.page.tables, name) for name in columns)


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


def _unchecked(row: FieldRow, model: ConfidenceModel | None) -> FieldRow:
    """Return a value without what a check said of it before."""
    if not _is_faulty(row):
        return row
    signals = row.signals and row.signals.model_copy(update={"cross_check": None})
    return _weighed(row.model_copy(update={"status": "ok", "reason": None}), signals, model)


def _values(made: Rows) -> dict[str, Value]:
    return {row.name: value for row in made.fields if (value := _value(row)) is not None}


def _value(row: FieldRow) -> Value | None:
    if row.status != "ok":
        return None
    return row.value_number if row.value_number is not None else row.value_date


def _is_faulty(row: FieldRow) -> bool:
    return row.status == "invalid" and (row.reason or "").startswith(f"{CODE}: ")
