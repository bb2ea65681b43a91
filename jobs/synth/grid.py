"""Tables: rows and columns drawn in one of several looks, and their truth as cells and HTML.

It knows neither what the columns mean nor which document they stand in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf
from random import Random
from typing import Literal

from jobs.synth.canvas import Align, Canvas, Colour, around, wrap
from jobs.synth.faces import Pen
from pipeline.documents.cells import html_of
from schemas.box import Box
from schemas.table import Cell, Table

_GREY: Colour = (0.9, 0.9, 0.9)
_PALE: Colour = (0.95, 0.95, 0.96)


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title and how its cells stand. A column at the left wraps, and takes most of the spare room."""

    title: str
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class Look:
    """How a table is set: its rules, the fill of its head and of every second row, the space around a cell's text."""

    rules: Literal["grid", "rows", "ends", "none"]
    head: Colour | None
    zebra: bool
    pad: float

    @classmethod
    def draw(cls, rng: Random) -> "Look":
        """Draw a look; a table without any rule has a filled head or striped rows."""
        rules: Literal["grid", "rows", "ends", "none"] = rng.choice(("grid", "grid", "rows", "ends", "none"))
        head = _GREY if rng.random() < 0.5 or rules == "none" else None
        return cls(rules, head, rng.random() < 0.25, rng.uniform(2.0, 4.5))


Row = Sequence[str]
Pens = tuple[Pen, Pen]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A table on its page, and where the text of each cell stands, by row and column."""

    table: Table
    texts: dict[tuple[int, int], Box]

    @property
    def bottom(self) -> float:
        return max(cell.box.y1 for cell in self.table.cells if cell.box)


def draw_table(
    canvas: Canvas,
    at: tuple[float, float],
    width: float,
    columns: Sequence[Column],
    rows: Sequence[Row],
    pens: Pens,
    look: Look,
    summary: Sequence[tuple[str, str]] = (),
    until: float = inf,
) -> Drawn:
    """Draw a table with its left top corner at `at` (pens: head's and body's) and record it; without titles it has no head.

    Each line of `summary` becomes a last row of two cells, the first of them over all columns but the last. Rows that would
    end below `until` are left out, and all that follow them.
    """
    widths, pens = _fitted(width, columns, rows, pens, look.pad, summary)
    sheet = _Sheet(canvas, at, widths, look)
    if any(column.title for column in columns):
        sheet.row([column.title for column in columns], [column.align for column in columns], pens[0], look.head)
    for index, row in enumerate(rows):
        if sheet.bottom_of(row, pens[1]) > until:
            break
        sheet.row(row, [column.align for column in columns], pens[1], _PALE if look.zebra and index % 2 else None)
    for title, value in summary:
        sheet.row((title, value), ("right", columns[-1].align), pens[0], None, spans=(len(columns) - 1, 1))
    return sheet.finish()


class _Sheet:
    """A table half drawn: where the next row begins, and the cells so far."""

    def __init__(self, canvas: Canvas, at: tuple[float, float], widths: Sequence[float], look: Look) -> None:
        self.canvas = canvas
        self.left, self.top = at
        self.y = self.top
        self.widths = widths
        self.look = look
        self.cells: list[Cell] = []
        self.texts: dict[tuple[int, int], Box] = {}
        self.rows = 0

    @property
    def right(self) -> float:
        return self.left + sum(self.widths)

    def row(self, texts: Row, aligns: Sequence[Align], pen: Pen, fill: Colour | None, spans: Sequence[int] = ()) -> None:
        boxes = self._boxes(texts, spans or [1] * len(texts), pen)
        if fill:
            self.canvas.rectangle(Box(x0=self.left, y0=self.y, x1=self.right, y1=boxes[0].y1), fill=fill)
        self._rule(boxes)
        column = 0
        for text, align, box, span in zip(texts, aligns, boxes, spans or [1] * len(texts), strict=True):
            written = _write(self.canvas, text, align, box, pen, self.look.pad)
            if written:
                self.texts[self.rows, column] = around(written)
            self.cells.append(Cell(row_index=self.rows, col_index=column, col_span=span, text=" ".join(text.split()), box=box))
            column += span
        self.y = boxes[0].y1
        self.rows += 1

    def bottom_of(self, texts: Row, pen: Pen) -> float:
        """Return where the next row would end."""
        return self._boxes(texts, [1] * len(texts), pen)[0].y1

    def finish(self) -> Drawn:
        box = Box(x0=round(self.left, 3), y0=round(self.top, 3), x1=round(self.right, 3), y1=round(self.y, 3))
        if self.look.rules in ("grid", "ends"):
            self.canvas.rule(box.x0, box.y0, box.x1, box.y0, 1.0)
            self.canvas.rule(box.x0, box.y1, box.x1, box.y1, 1.0)
        table = Table(
            table_index=0,
            n_rows=self.rows,
            n_cols=len(self.widths),
            box=box,
            html=html_of(self.cells, self.rows),
            cells=tuple(self.cells),
        )
        self.canvas.table(table)
        return Drawn(table, self.texts)

    def _boxes(self, texts: Row, spans: Sequence[int], pen: Pen) -> list[Box]:
        edges = [0]
        for span in spans:
            edges.append(edges[-1] + span)
        widths = [sum(self.widths[start:stop]) for start, stop in pairwise(edges)]
        lines = max(len(wrap(text, pen, width - 2 * self.look.pad)) for text, width in zip(texts, widths, strict=True))
        bottom = self.y + lines * 1.2 * pen.size + 2 * self.look.pad
        lefts = [self.left + sum(self.widths[:edge]) for edge in edges]
        return [
            Box(x0=round(start, 3), y0=round(self.y, 3), x1=round(stop, 3), y1=round(bottom, 3))
            for start, stop in pairwise(lefts)
        ]

    def _rule(self, boxes: Sequence[Box]) -> None:
        for box in boxes:
            if self.look.rules == "grid":
                self.canvas.rectangle(box, stroke=(0.3, 0.3, 0.3), width=0.5)
            elif self.look.rules == "rows":
                self.canvas.rule(box.x0, box.y1, box.x1, box.y1, 0.5, (0.5, 0.5, 0.5))
        if self.look.rules == "ends" and self.rows == 1:
            self.canvas.rule(self.left, self.y, self.right, self.y, 0.7)


def _fitted(
    width: float, columns: Sequence[Column], rows: Sequence[Row], pens: Pens, pad: float, summary: Sequence[tuple[str, str]]
) -> tuple[list[float], Pens]:
    """Return the columns' widths, and the pens, smaller where the longest words would not fit."""
    head, body = pens
    while True:
        needs = [_need(column, [row[index] for row in rows], head, body) for index, column in enumerate(columns)]
        needs[-1] = max(needs[-1], *(head.width(value) for _, value in summary), 0.0)
        needs = [need + 2 * pad + 1 for need in needs]
        spare = width - sum(needs)
        if spare >= 0:
            break
        head, body = replace(head, size=head.size * 0.96), replace(body, size=body.size * 0.96)
    takes = [4.0 if column.align == "left" else 1.0 for column in columns]
    return [need + take * spare / sum(takes) for need, take in zip(needs, takes, strict=True)], (head, body)


def _need(column: Column, cells: Sequence[str], head: Pen, body: Pen) -> float:
    """Return the least width of a column's text: its longest word, or all of a cell that must not wrap."""
    parts = [word for cell in cells for word in cell.split()] if column.align == "left" else cells
    widths = [body.width(part) for part in parts] + [head.width(word) for word in column.title.split()]
    return max(widths)


def _write(canvas: Canvas, text: str, align: Align, box: Box, pen: Pen, pad: float) -> list[Box]:
    """Write a cell's text from its box's top; return its lines' boxes."""
    if not text:
        return []
    x = {"left": box.x0 + pad, "right": box.x1 - pad, "centre": (box.x0 + box.x1) / 2}[align]
    rows = wrap(text, pen, box.width - 2 * pad)
    return [canvas.text(x, box.y0 + pad + (index * 1.2 + 0.1) * pen.size, row, pen, align) for index, row in enumerate(rows)]
