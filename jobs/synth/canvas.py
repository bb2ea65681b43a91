"""A page under the pen: what is drawn on it is recorded as truth in the same stroke.

Points, origin top left, y down. It knows neither kinds of documents nor file formats: `content` is a PDF content stream.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal

import numpy as np

from jobs.synth.faces import ASCENT, DESCENT, Pen
from schemas.box import Box, LabelledBox
from schemas.field import FieldValue
from schemas.job import FieldType
from schemas.page import Line
from schemas.table import Table
from schemas.truth import HUNDREDTHS, FieldTruth, Glyphs, PageTruth

Colour = tuple[float, float, float]
Point = tuple[float, float]
_Cell = tuple[float, float, float, float]
"""A glyph's box in the making: x0, y0, x1, y1."""
Align = Literal["left", "right", "centre"]

_TOUCH = 0.2
"""By how many points two boxes may overlap."""
_MARKS = ("logo", "signature", "stamp")


@dataclass(frozen=True, slots=True)
class Turn:
    """A rotation about a point, clockwise as seen, in degrees."""

    x: float
    y: float
    degrees: float

    def point(self, x: float, y: float) -> Point:
        """Return where the rotation carries a point."""
        sine, cosine = math.sin(math.radians(self.degrees)), math.cos(math.radians(self.degrees))
        dx, dy = x - self.x, y - self.y
        return self.x + cosine * dx - sine * dy, self.y + sine * dx + cosine * dy

    def cell(self, cell: _Cell) -> _Cell:
        """Return the upright cell around a turned one."""
        corners = [self.point(x, y) for x in (cell[0], cell[2]) for y in (cell[1], cell[3])]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return min(xs), min(ys), max(xs), max(ys)


def hull(points: Sequence[Point]) -> Box:
    """Return the upright box around points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return Box(x0=round(min(xs), 3), y0=round(min(ys), 3), x1=round(max(xs), 3), y1=round(max(ys), 3))


def around(boxes: Sequence[Box], pad: float = 0.0) -> Box:
    """Return the box around boxes, wider by `pad` on every side."""
    corners = [(box.x0 - pad, box.y0 - pad) for box in boxes] + [(box.x1 + pad, box.y1 + pad) for box in boxes]
    return hull(corners)


class Canvas:
    """One page: draw in reading order, for that is the order of the truth's lines."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self._operators: list[str] = []
        self._codes: dict[str, None] = {}
        self._lines: list[Line] = []
        self._glyphs: list[str] = []
        self._places: list[int] = []
        self._fields: list[FieldTruth] = []
        self._tables: list[Table] = []
        self._boxes: list[LabelledBox] = []

    def cut(self, height: float) -> "Canvas":
        """Return the page cut off below `height`; PDF counts from the bottom, so everything drawn is moved down."""
        below, self.height = self.height - height, height
        self._operators = [f"1 0 0 1 0 {-below:.3f} cm", *self._operators]
        return self

    @property
    def font_codes(self) -> tuple[str, ...]:
        return tuple(self._codes)

    @property
    def content(self) -> bytes:
        return "\n".join(self._operators).encode("ascii")

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(self._lines)

    def fits(self, margin: float = 6.0) -> bool:
        """Say whether all lines and marks are on the page and none lies over another, but for a stamp's own words."""
        lines = [line.box for line in self._lines if line.box]
        marks = [thing for thing in self._boxes if thing.label in _MARKS]
        boxes = np.array([[box.x0, box.y0, box.x1, box.y1] for box in [*lines, *(mark.box for mark in marks)]]).reshape(-1, 4)
        edge = np.array([margin, margin, self.width - margin, self.height - margin])
        if (boxes[:, :2] < edge[:2]).any() or (boxes[:, 2:] > edge[2:]).any():
            return False
        shared = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        own = sum(line.intersection(mark.box) == line.area for mark in marks if mark.label == "stamp" for line in lines)
        return int((shared > _TOUCH).all(axis=2).sum()) == len(boxes) + 2 * own

    def truth(self, page_index: int) -> PageTruth:
        """Return all that was recorded."""
        return PageTruth(
            page_index=page_index,
            width_pt=self.width,
            height_pt=self.height,
            lines=tuple(self._lines),
            glyphs=Glyphs(text="".join(self._glyphs), places=tuple(self._places)),
            fields=tuple(self._fields),
            tables=tuple(self._tables),
            boxes=tuple(self._boxes),
        )

    def text(self, x: float, top: float, text: str, pen: Pen, align: Align = "left", turn: Turn | None = None) -> Box:
        """Write one line whose box begins at `top`; `x` is its left, right or middle. Return its box."""
        shift = {"left": 0.0, "right": 1.0, "centre": 0.5}[align] * pen.width(text)
        return self.run(x - shift, top, ((text, pen),), turn)[0]

    def run(self, x: float, top: float, parts: Sequence[tuple[str, Pen]], turn: Turn | None = None) -> list[Box]:
        """Write one line in parts, each with its own pen, one baseline for all. Return the parts' boxes."""
        baseline = top + ASCENT * max(pen.size for _, pen in parts)
        boxes = []
        for text, pen in parts:
            self._show(x, baseline, text, pen, turn)
            cells = _cells(x, baseline - ASCENT * pen.size, text, pen)
            boxes.append(self._record(text, [turn.cell(cell) for cell in cells] if turn else cells))
            x = cells[-1][2]
        self._lines.append(Line(text="".join(text for text, _ in parts), box=around(boxes)))
        return boxes

    def paragraph(self, x: float, top: float, width: float, text: str, pen: Pen, leading: float = 1.3) -> float:
        """Write text in lines no wider than `width`; return the bottom of the last."""
        for row in wrap(text, pen, width):
            self.text(x, top, row, pen)
            top += leading * pen.size
        return top - (leading - 1.0) * pen.size

    def rule(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.7, colour: Colour = (0, 0, 0)) -> None:
        """Draw a straight line."""
        self.path([(x0, y0), (x1, y1)], width, colour)

    def path(self, points: Sequence[Point], width: float, colour: Colour, *, closed: bool = False) -> None:
        """Draw a line through points."""
        moves = [f"{self._at(*point)} {'l' if index else 'm'}" for index, point in enumerate(points)]
        self._operators.append(f"{_rgb(colour)} RG {width:.2f} w 1 J 1 j {' '.join(moves)} {'s' if closed else 'S'}")

    def area(self, points: Sequence[Point], fill: Colour) -> None:
        """Fill a polygon."""
        moves = [f"{self._at(*point)} {'l' if index else 'm'}" for index, point in enumerate(points)]
        self._operators.append(f"{_rgb(fill)} rg {' '.join(moves)} f")

    def rectangle(self, box: Box, fill: Colour | None = None, stroke: Colour | None = None, width: float = 0.7) -> None:
        """Draw a rectangle, filled, stroked or both."""
        corners = [(box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1)]
        if fill:
            self.area(corners, fill)
        if stroke:
            self.path(corners, width, stroke, closed=True)

    def field(self, name: str, question: str, kind: FieldType, value: FieldValue, box: Box | None) -> None:
        """Record what a question about this page has for an answer."""
        self._fields.append(FieldTruth(name=name, question=question, type=kind, value=value, box=box))

    def label(self, label: str, box: Box) -> None:
        """Record where a thing is."""
        self._boxes.append(LabelledBox(label=label, box=box))

    def table(self, table: Table) -> None:
        """Record a table, and where it is."""
        self._tables.append(table.model_copy(update={"table_index": len(self._tables)}))
        if table.box:
            self.label("table", table.box)

    def _record(self, text: str, cells: Sequence[_Cell]) -> Box:
        inked = [(character, cell) for character, cell in zip(text, cells, strict=True) if character != " "]
        self._glyphs += [character for character, _ in inked]
        self._places += [round(number * HUNDREDTHS) for _, cell in inked for number in cell]
        return hull([corner for _, cell in inked for corner in (cell[:2], cell[2:])])

    def _show(self, x: float, baseline: float, text: str, pen: Pen, turn: Turn | None) -> None:
        self._codes[pen.face.code] = None
        turn = turn or Turn(0.0, 0.0, 0.0)
        sine, cosine = math.sin(math.radians(turn.degrees)), math.cos(math.radians(turn.degrees))
        matrix = f"{cosine:.5f} {-sine:.5f} {sine:.5f} {cosine:.5f} {self._at(*turn.point(x, baseline))}"
        # WinAnsiEncoding, which the base-14 fonts are given, is code page 1252.
        shown = text.encode("cp1252").hex()
        self._operators.append(f"BT {_rgb(pen.colour)} rg /{pen.face.code} {pen.size:g} Tf {matrix} Tm <{shown}> Tj ET")

    def _at(self, x: float, y: float) -> str:
        return f"{x:.3f} {self.height - y:.3f}"


def wrap(text: str, pen: Pen, width: float) -> list[str]:
    """Return the text as lines no wider than `width`, broken at spaces; a longer word stands alone."""
    rows = [""]
    for word in text.split():
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and pen.width(longer) > width:
            rows.append(word)
        else:
            rows[-1] = longer
    return rows


def shorten(text: str, pen: Pen, width: float) -> str:
    """Return as many of the text's first words as fit, at least a part of the first."""
    row = wrap(text, pen, width)[0]
    while pen.width(row) > width and len(row) > 1:
        row = row[:-1]
    return row


def _cells(x: float, top: float, text: str, pen: Pen) -> list[_Cell]:
    edges = list(accumulate(pen.face.advances(text, pen.size), initial=x))
    bottom = top + (ASCENT + DESCENT) * pen.size
    return [(left, top, right, bottom) for left, right in pairwise(edges)]


def _rgb(colour: Colour) -> str:
    return " ".join(f"{part:.3g}" for part in colour)
