"""Tables, as rows and columns of cells."""

from schemas.box import Box, BoxSource
from schemas.field import FieldValue
from schemas.shape import Shape


class Cell(Shape):
    """One cell; rows and columns count from 0, spans from 1.

    `column_name` and `value` are there in the lines of tables whose columns the job declares: what the text means as the column's type.
    """

    row_index: int
    col_index: int
    row_span: int = 1
    col_span: int = 1
    text: str
    box: Box | None = None
    box_source: BoxSource | None = None
    confidence: float | None = None
    column_name: str | None = None
    value: FieldValue | None = None


class Table(Shape):
    """A table of a page; `table_index` counts in reading order from 0."""

    table_index: int
    n_rows: int
    n_cols: int
    box: Box | None = None
    box_source: BoxSource | None = None
    html: str
    cells: tuple[Cell, ...]
