"""Task table: the tables of a view, as the PaliGemma 2 paper's HTML.

A cell that has text says where it stands: `<td coords="<locX0><locY0><locX1><locY1>">text</td>`, x FIRST, unlike detect. Spans are HTML's.
The paper's tables are cropped and padded white to a square, so `table` is shown padded views, in whose squares the places count. The
paper does not say where on the square they lie: in its upper left corner, as big_vision pads (`pad_to_shape`, "after"). No published
checkpoint knows this task.

The HTML must be whole: each tag closed, each slot of the grid filled once. A table with a slot missing has shifted cells in it, and
shifted numbers are worse than none.
"""

from collections.abc import Sequence
from html import escape

from pipeline.tasks.base import Ask, Reading
from pipeline.tasks.faults import absent, parsed
from pipeline.tasks.locales import check_locale
from pipeline.tasks.markup import MarkedCell, MarkedTable, read_tables
from pipeline.tasks.prompts import filled
from pipeline.tasks.tokens import page_box, quad
from schemas.box import Box
from schemas.job import TableTask
from schemas.table import Cell, Table
from schemas.view import Affine, Completion

PROMPT = "table"


def ask(task: TableTask) -> Ask:
    """Return the question that reads a view's tables. Raises JobError on a column's locale that CLDR does not have."""
    for column in task.columns:
        check_locale(f"column {column.name}", column.locale)
    prompt = filled(task.prompt or PROMPT)

    def read(completion: Completion, affine: Affine) -> Reading:
        return decode(completion, affine, prompt)

    return Ask(key="table", prompt=prompt, max_tokens=task.max_tokens, decode=read, version=2, is_padded=True)


def decode(completion: Completion, affine: Affine, prompt: str = PROMPT) -> Reading:
    """Return the tables with their cells' boxes in page points; one that is not whole rejects the answer."""
    return parsed(completion, prompt, lambda text: _read(text, affine))


def encode(tables: Sequence[Table], affine: Affine) -> str:
    """Return the answer that a model should give for these tables on this view; cells without text have no place."""
    return "".join(_markup(table.cells, affine) for table in tables)


def _read(text: str, affine: Affine) -> Reading:
    if not text.strip():
        return absent("nothing_found", "no table was found")
    return Reading(verdict="value", tables=tuple(_table(index, table, affine) for index, table in enumerate(read_tables(text))))


def _table(index: int, marked: MarkedTable, affine: Affine) -> Table:
    cells = tuple(_cell(cell, affine) for cell in marked.cells)
    return Table(
        table_index=index,
        n_rows=marked.n_rows,
        n_cols=marked.n_cols,
        box=_around([cell.box for cell in cells if cell.box]),
        html=_markup(cells, None),
        cells=cells,
    )


def _cell(cell: MarkedCell, affine: Affine) -> Cell:
    box = page_box(cell.bins, affine, x_first=True) if cell.bins else None
    return Cell(
        row_index=cell.row, col_index=cell.col, row_span=cell.row_span, col_span=cell.col_span, text=cell.text, box=box
    )  # fmt: skip


def _around(boxes: Sequence[Box]) -> Box | None:
    around: Box | None = None
    for box in boxes:
        around = around.union(box) if around else box
    return around


def _markup(cells: Sequence[Cell], affine: Affine | None) -> str:
    """Write cells as HTML, with their places where a view's map is given. Nothing of what was read gets in unescaped."""
    rows: dict[int, list[str]] = {row: [] for row in range(max((cell.row_index + cell.row_span for cell in cells), default=0))}
    for cell in sorted(cells, key=lambda cell: (cell.row_index, cell.col_index)):
        place = f' coords="{quad(cell.box, affine, x_first=True)}"' if affine and cell.box and cell.text else ""
        down = f' rowspan="{cell.row_span}"' if cell.row_span > 1 else ""
        across = f' colspan="{cell.col_span}"' if cell.col_span > 1 else ""
        text = escape(" ".join(cell.text.split()), quote=False)
        rows[cell.row_index].append(f"<td{place}{down}{across}>{text}</td>")
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows.values())
    return f"<table>{body}</table>"
