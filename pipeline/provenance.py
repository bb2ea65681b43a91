"""Who says where a line, a cell or a thing stands on its page. Pure; it knows what one view, or the text layer, gave.

The text layer and the tasks that name places (`spot`, `detect`, `segment`, `table`) say so themselves. A cell that has no place of its own
stands where its row meets its column, or else in the tile that was read. Of who was shown the whole page and named no place, no more than
`page` is known; it gets the page's own box at the very end (`on_the_page`), so that nobody takes it for a place before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from pipeline.tasks.base import Reading
from schemas.box import Box, BoxSource, LabelledBox
from schemas.field import FieldRow
from schemas.page import Line, PageRow
from schemas.table import Cell, Table

_Placed = TypeVar("_Placed", Line, Cell, Table, FieldRow)


def told(reading: Reading, key: str, tile: Box | None) -> Reading:
    """Return what one view gave to a task's key with who says where; `tile` is the part of the page that it showed, None of all of it."""
    return replace(
        reading,
        lines=tuple(_line(line, "spot") for line in reading.lines),
        boxes=tuple(_thing(thing, key) for thing in reading.boxes),
        tables=tuple(_table(table, tile) for table in reading.tables),
    )


def told_by_layer(lines: Sequence[Line], tables: Sequence[Table]) -> tuple[tuple[Line, ...], tuple[Table, ...]]:
    """Return a text layer's lines and tables with who says where; lines that a person has put right keep their places."""
    by_layer: BoxSource = "text_layer"
    return tuple(_line(line, by_layer) for line in lines), tuple(
        table.model_copy(
            update={
                "box_source": by_layer,
                "cells": tuple(cell.model_copy(update={"box_source": by_layer}) for cell in table.cells),
            }
        )
        for table in tables
    )


def on_the_page(page: PageRow, fields: Sequence[FieldRow]) -> tuple[PageRow, tuple[FieldRow, ...]]:
    """Return a page's rows in which everything of which no more is known than its page has all of the page for its box."""
    if not page.width_pt or not page.height_pt:
        return page, tuple(fields)
    whole = Box(x0=0.0, y0=0.0, x1=page.width_pt, y1=page.height_pt)
    tables = tuple(
        _boxed(table.model_copy(update={"cells": tuple(_boxed(cell, whole) for cell in table.cells)}), whole)
        for table in page.tables
    )
    lines = tuple(_boxed(line, whole) for line in page.lines)
    return page.model_copy(update={"lines": lines, "tables": tables}), tuple(_boxed(field, whole) for field in fields)


def _boxed(what: _Placed, whole: Box) -> _Placed:
    return what.model_copy(update={"box": whole}) if what.box is None and what.box_source == "page" else what


def _line(line: Line, source: BoxSource) -> Line:
    return line.model_copy(update={"box_source": source}) if line.box and line.box_source is None else line


def _thing(thing: LabelledBox, key: str) -> LabelledBox:
    is_segment = key == "segment" or thing.mask_rle is not None
    return thing.model_copy(update={"box_source": "segment" if is_segment else "detect"})


def _table(table: Table, tile: Box | None) -> Table:
    cells = tuple(_cell(cell, table.cells, tile) for cell in table.cells)
    if table.box:
        return table.model_copy(update={"box_source": "table", "cells": cells})
    return table.model_copy(update={"box": tile, "box_source": "tile" if tile else "page", "cells": cells})


def _cell(cell: Cell, others: Sequence[Cell], tile: Box | None) -> Cell:
    box = cell.box or _crossing(cell, others)
    if box:
        return cell.model_copy(update={"box": box, "box_source": "table"})
    return cell.model_copy(update={"box": tile, "box_source": "tile" if tile else "page"})


def _crossing(cell: Cell, others: Sequence[Cell]) -> Box | None:
    """Return where the row of a cell meets its column, as far as their other cells tell."""
    if (cell.row_span, cell.col_span) != (1, 1):
        return None
    row = _around(each.box for each in others if (each.row_index, each.row_span) == (cell.row_index, 1))
    column = _around(each.box for each in others if (each.col_index, each.col_span) == (cell.col_index, 1))
    return Box(x0=column.x0, y0=row.y0, x1=column.x1, y1=row.y1) if row and column else None


def _around(boxes: Iterable[Box | None]) -> Box | None:
    around: Box | None = None
    for box in boxes:
        around = around.union(box) if around and box else around or box
    return around
