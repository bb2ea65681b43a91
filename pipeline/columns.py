"""Columns that a job declares, found in the tables of a page by what stands over them; their cells' text becomes typed values. Pure.

What a cell says stays beside what it means. A table that has none of the headings stays as it is, unless it goes on with the last one of the
page before: it is as wide, has as many columns, and what stands in them are values of those.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.settle import Rows, judged
from pipeline.tasks.values import typed
from schemas.box import ROUGH
from schemas.field import FieldValue
from schemas.job import Column, Task
from schemas.page import Failure
from schemas.table import Cell, Table

CODE = "invalid_cells"
_Places = dict[int, Column]
_AS_WIDE = 0.8
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a job's table task, and the language that its dates are in."""

    columns: tuple[Column, ...]
    lang: str


def columns_of(tasks: Iterable[Task]) -> Columns:
    """Return the columns that a job's tasks declare; most declare none."""
    declared = [Columns(task.columns, task.lang) for task in tasks if task.type == "table"]
    return declared[0] if declared else Columns((), "en")


@dataclass(frozen=True, slots=True)
class _Head:
    """A table with columns that are known, and which of them stands where."""

    table: Table
    places: _Places


def columned(pages: Sequence[Rows], wanted: Columns) -> tuple[Rows, ...]:
    """Return a document's pages, in their order, with their cells' values; cells that are no value of their type make a page partial."""
    if not wanted.columns:
        return tuple(pages)
    told, before, last = list[Rows](), None, -1
    for made in pages:
        tables, before = _page_typed(made.page.tables, wanted, before if made.page.page_index == last + 1 else None)
        last = made.page.page_index
        if tables:
            kept = tuple(each for each in made.page.failures if each.code != CODE)
            page = judged(made.page.model_copy(update={"tables": tables}), (*kept, *_failures(tables, wanted)))
            made = replace(made, page=page)  # noqa: PLW2901 (the same page, told more of)
        told.append(made)
    return tuple(told)


def has_invalid_cells(tables: Sequence[Table], wanted: Columns) -> bool:
    """Return whether any cell of tables, as they were read, is no value of its column's type: finer views may read it better."""
    return any(
        cell.value is not None and cell.value.status == "invalid" for table in tables for cell in _typed(table, wanted).cells
    )


def _failures(tables: Sequence[Table], wanted: Columns) -> list[Failure]:
    found = []
    for column in wanted.columns:
        cells = [cell for table in tables for cell in table.cells if cell.column_name == column.name and cell.value]
        reasons = [cell.value.reason or "" for cell in cells if cell.value and cell.value.status == "invalid"]
        if reasons:
            message = f"{len(reasons)} of {len(cells)} cells of {column.name} are no {column.type}; the first: {reasons[0]}"
            found.append(Failure(stage="decode", code=CODE, message=message, task="table"))
    return found


def _page_typed(tables: Sequence[Table], wanted: Columns, before: _Head | None) -> tuple[tuple[Table, ...], _Head | None]:
    """Return a page's tables with their values, and the last of those that have any; `before` is that of the page before."""
    typed, last = list[Table](), None
    for table in tables:
        heading, places = _heading(table, wanted.columns)
        if not places and before and _goes_on(table, before, wanted):
            heading, places = -1, before.places
        if places:
            before, last = None, _Head(table, places)
        typed.append(_valued_under(table, heading, places, wanted.lang))
    return tuple(typed), last


def _goes_on(table: Table, head: _Head, wanted: Columns) -> bool:
    """Return whether a table without headings is more of one on the page before."""
    if table.n_cols != head.table.n_cols or not _is_as_wide(table, head.table):
        return False
    telling = {column.name for column in head.places.values() if column.type != "string"}
    tried = _valued_under(table, -1, head.places, wanted.lang)
    said = [cell.value.status for cell in tried.cells if cell.value and cell.column_name in telling and cell.text.strip()]
    return bool(said) and said.count("ok") > _MOSTLY * len(said)


def _is_as_wide(one: Table, other: Table) -> bool:
    """Return whether two tables are about as wide, as far as that is known."""
    known = [table.box.width for table in (one, other) if table.box and table.box_source not in ROUGH]
    return len(known) < len((one, other)) or min(known) >= _AS_WIDE * max(known)


def _typed(table: Table, wanted: Columns) -> Table:
    heading, places = _heading(table, wanted.columns)
    return _valued_under(table, heading, places, wanted.lang)


def _valued_under(table: Table, heading: int, places: _Places, lang: str) -> Table:
    rows = _lines(table, heading, places)
    cells = (
        _valued(cell, places[cell.col_index], lang)
        if cell.row_index in rows and cell.col_index in places and cell.col_span == 1
        else cell.model_copy(update={"column_name": None, "value": None})
        for cell in table.cells
    )
    return table.model_copy(update={"cells": tuple(cells)})


def _heading(table: Table, columns: Sequence[Column]) -> tuple[int, _Places]:
    """Return the row that names most of the columns, the first of several, and which of them stands where."""
    best: tuple[int, _Places] = (0, {})
    for row in range(table.n_rows):
        places: _Places = {}
        for cell in table.cells:
            column = next((each for each in columns if cell.row_index == row and _names(each, cell.text)), None)
            if column and column not in places.values():
                places[cell.col_index] = column
        if len(places) > len(best[1]):
            best = row, places
    return best


def _lines(table: Table, heading: int, places: _Places) -> frozenset[int]:
    """Return the rows below the heading in which every required column has something, and any column has."""
    filled: dict[int, set[str]] = {}
    for cell in table.cells:
        if cell.row_index > heading and cell.col_index in places and cell.col_span == 1 and cell.text.strip():
            filled.setdefault(cell.row_index, set()).add(places[cell.col_index].name)
    needed = {column.name for column in places.values() if column.required}
    return frozenset(row for row, names in filled.items() if needed <= names)


def _valued(cell: Cell, column: Column, lang: str) -> Cell:
    text = " ".join(cell.text.split())
    value = typed(text, column.as_field, lang) if text else FieldValue(status="absent", reason="empty")
    return cell.model_copy(update={"column_name": column.name, "value": value})


def _names(column: Column, text: str) -> bool:
    said = _folded(text)
    return bool(said) and any(_folded(each) == said for each in (column.header or (column.name,)))


def _folded(text: str) -> str:
    """Return the letters and figures of a heading."""
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()
