"""Tables from the rectangles of their cells; it knows neither how those were found nor how text was read."""

from bisect import bisect_left
from collections.abc import Sequence
from html import escape

from schemas.box import Box
from schemas.table import Cell, Table

_SAME_PT = 1.5


def table_of(table_index: int, boxes: Sequence[Box], texts: Sequence[str]) -> Table | None:
    """Return the table whose cells have these boxes and texts, or None if they are no grid of two by two at least."""
    tops, lefts = _lines([box.y0 for box in boxes]), _lines([box.x0 for box in boxes])
    if len(tops) < 2 or len(lefts) < 2:
        return None
    cells = []
    for box, text in zip(boxes, texts, strict=True):
        row, column = _place(tops, box.y0), _place(lefts, box.x0)
        row_span, column_span = max(1, _until(tops, box.y1) - row), max(1, _until(lefts, box.x1) - column)
        cells.append(Cell(row_index=row, col_index=column, row_span=row_span, col_span=column_span, text=text, box=box))
    cells.sort(key=lambda cell: (cell.row_index, cell.col_index))
    around = boxes[0]
    for box in boxes[1:]:
        around = around.union(box)
    return Table(
        table_index=table_index,
        n_rows=len(tops),
        n_cols=len(lefts),
        box=around,
        html=html_of(cells, len(tops)),
        cells=tuple(cells),
    )


def html_of(cells: Sequence[Cell], n_rows: int) -> str:
    """Return the cells, sorted by row and column, as an HTML table."""
    rows = [[_td(cell) for cell in cells if cell.row_index == index] for index in range(n_rows)]
    return "<table>" + "".join(f"<tr>{''.join(row)}</tr>" for row in rows) + "</table>"


def _td(cell: Cell) -> str:
    spans = (f' rowspan="{cell.row_span}"' if cell.row_span > 1 else "") + (
        f' colspan="{cell.col_span}"' if cell.col_span > 1 else ""
    )
    return f"<td{spans}>{escape(cell.text, quote=False).replace(chr(10), '<br>')}</td>"


def _lines(starts: Sequence[float]) -> list[float]:
    """Return the distinct lines at which cells start, those closer than _SAME_PT being one."""
    lines: list[float] = []
    for start in sorted(starts):
        if not lines or start - lines[-1] > _SAME_PT:
            lines.append(start)
    return lines


def _place(lines: Sequence[float], start: float) -> int:
    return max(0, bisect_left(lines, start + _SAME_PT) - 1)


def _until(lines: Sequence[float], end: float) -> int:
    """Return how many lines start before a cell's end."""
    return bisect_left(lines, end - _SAME_PT)
