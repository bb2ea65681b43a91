"""A page's own text layer, and whether it can be believed; it knows no PDF library, only glyphs as they were found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.documents.cells import table_of
from pipeline.documents.glyphs import GlyphLine, LookAt, seen
from pipeline.documents.ink import Boxes, Ink
from pipeline.documents.letters import nonsense
from pipeline.documents.order import reading_order
from schemas.box import Box
from schemas.page import Line
from schemas.table import Table

Verdict = Literal["trusted", "empty", "nonsense"]

_MOSTLY = 0.4
"""Images that cover more of a page than this could hold its text."""
_EXPLAINED = 0.5
"""… unless this much of the ink in them lies where the text layer says there is text."""


@dataclass(frozen=True, slots=True)
class TextLayer:
    """What the page says by itself: `text`, `lines` and `tables` in reading order, boxes in points as a person sees the page.

    "trusted": it may stand in for the model. "empty" and "nonsense": it may not, and `reason` says why; what could be read is kept.
    `hidden_chars` counts the characters that no person sees (invisible, off the page, white on white, behind an image): they are
    never part of the text.
    """

    verdict: Verdict
    reason: str | None
    text: str
    lines: tuple[Line, ...]
    tables: tuple[Table, ...]
    hidden_chars: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a document says stands on a page, believed or not: glyphs, images, and the cells of each table, in points."""

    page: Box
    lines: tuple[GlyphLine, ...]
    images: tuple[Box, ...]
    tables: tuple[tuple[Box, ...], ...]


def read(found: Found, ink: Ink, look_at: LookAt) -> TextLayer:
    """Return what a person sees of the text layer, and judge it; `ink` is that of the whole page, `look_at` gives a section's."""
    shown, hidden = seen(found.lines, found.page, look_at)
    pieces = [(_text(line), _around(line)) for line in shown]
    order = _ordered([box for _, box in pieces], found.tables)
    lines = tuple(Line(text=pieces[index][0], box=pieces[index][1]) for index in order)
    text = "\n".join(line.text for line in lines)
    tables = _tables(found.tables, shown)
    verdict, reason = _judged(text, lines, found, ink, hidden)
    return TextLayer(verdict, reason, text, lines, tables, hidden)


def _judged(text: str, lines: Sequence[Line], found: Found, ink: Ink, hidden: int) -> tuple[Verdict, str | None]:
    if not text:
        return "empty", f"no text that can be seen, and {hidden} hidden characters" if hidden else "no text"
    if reason := nonsense(text):
        return "nonsense", reason
    boxes = [line.box for line in lines if line.box]
    share, explained = _image_share(found), 0.0
    if share > _MOSTLY and (explained := _explained(boxes, found, ink)) < _EXPLAINED:
        return (
            "empty",
            f"images cover {share:.0%} of the page, and the text layer accounts for {explained:.0%} of what is in them",
        )
    return "trusted", None


def _image_share(found: Found) -> float:
    """Return the part of the page that images cover, over a raster of 100 × 100."""
    covered = np.zeros((100, 100), dtype=bool)
    for box in found.images:
        x0, x1 = (round(100 * min(max(x / found.page.width, 0.0), 1.0)) for x in (box.x0, box.x1))
        y0, y1 = (round(100 * min(max(y / found.page.height, 0.0), 1.0)) for y in (box.y0, box.y1))
        covered[y0:y1, x0:x1] = True
    return float(covered.mean())


def _explained(lines: Sequence[Box], found: Found, ink: Ink) -> float:
    """Return the part of the edges within images that lies within lines of text."""
    in_images, in_lines = np.zeros_like(ink.edges), np.zeros_like(ink.edges)
    for raster, boxes in ((in_images, found.images), (in_lines, lines)):
        for x0, y0, x1, y1 in _pixels(boxes, found.page, ink).astype(int).tolist():
            raster[max(y0, 0) : max(y1 + 1, 0), max(x0, 0) : max(x1 + 1, 0)] = True
    edges = ink.edges & in_images
    return float((edges & in_lines).sum() / max(edges.sum(), 1))


def _pixels(boxes: Sequence[Box], page: Box, ink: Ink) -> Boxes:
    corners = np.array([(box.x0, box.y0, box.x1, box.y1) for box in boxes], dtype=np.float64).reshape(-1, 4)
    return np.asarray(corners * np.tile([ink.edges.shape[1] / page.width, ink.edges.shape[0] / page.height], 2))


def _text(line: GlyphLine) -> str:
    return " ".join("".join(glyph.text for glyph in line.glyphs).split())


def _around(line: GlyphLine) -> Box:
    boxes = [glyph.box for glyph in line.glyphs if not glyph.text.isspace()]
    return Box(
        x0=min(box[0] for box in boxes),
        y0=min(box[1] for box in boxes),
        x1=max(box[2] for box in boxes),
        y1=max(box[3] for box in boxes),
    )


def _ordered(boxes: Sequence[Box], tables: Sequence[Sequence[Box]]) -> list[int]:
    """Return the order of the lines, a table being read as one block, cell by cell and row by row."""
    outlines = [_outline(cells) for cells in tables]
    owners = [next((number for number, outline in enumerate(outlines) if outline.has_middle_of(box)), None) for box in boxes]
    blocks: list[tuple[Box, list[int]]] = [(box, [index]) for index, box in enumerate(boxes) if owners[index] is None]
    for number, outline in enumerate(outlines):
        inside = [index for index, owner in enumerate(owners) if owner == number]
        blocks.append((outline, _by_cell(inside, boxes, tables[number])))
    return [item for block in reading_order([box for box, _ in blocks]) for item in blocks[block][1]]


def _by_cell(items: Sequence[int], boxes: Sequence[Box], cells: Sequence[Box]) -> list[int]:
    rows = sorted(cells, key=lambda cell: (round(cell.y0), cell.x0))
    owners = _owners([(boxes[item].x0, boxes[item].y0, boxes[item].x1, boxes[item].y1) for item in items], rows)
    keys = {item: (owner, boxes[item].y0, boxes[item].x0) for item, owner in zip(items, owners, strict=True)}
    return sorted(items, key=keys.__getitem__)


def _outline(cells: Sequence[Box]) -> Box:
    outline = cells[0]
    for cell in cells[1:]:
        outline = outline.union(cell)
    return outline


def _tables(tables: Sequence[Sequence[Box]], lines: Sequence[GlyphLine]) -> tuple[Table, ...]:
    kept: list[Table] = []
    for cells in tables:
        texts = _cell_texts(cells, lines)
        if any(texts) and (table := table_of(len(kept), cells, texts)):
            kept.append(table)
    return tuple(kept)


def _cell_texts(cells: Sequence[Box], lines: Sequence[GlyphLine]) -> list[str]:
    """Return the characters whose centres lie in each cell, a line of the page a line of the cell, from top to bottom."""
    rows: list[list[tuple[float, float, str]]] = [[] for _ in range(len(cells) + 1)]
    owners = iter(_owners([glyph.box for line in lines for glyph in line.glyphs], cells))
    for line in lines:
        owned = [(next(owners), glyph) for glyph in line.glyphs]
        for owner in dict.fromkeys(number for number, _ in owned):
            glyphs = [glyph for number, glyph in owned if number == owner]
            rows[owner].append((glyphs[0].box[1], glyphs[0].box[0], " ".join("".join(glyph.text for glyph in glyphs).split())))
    return ["\n".join(text for _, _, text in sorted(row) if text) for row in rows[: len(cells)]]


def _owners(boxes: Sequence[tuple[float, float, float, float]], cells: Sequence[Box]) -> list[int]:
    """Return the index of the first cell in which each box's centre lies; len(cells) where there is none."""
    corners = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    x, y = (corners[:, 0] + corners[:, 2]) / 2, (corners[:, 1] + corners[:, 3]) / 2
    owners = np.full(len(boxes), len(cells))
    for index in range(len(cells) - 1, -1, -1):
        cell = cells[index]
        owners[(x >= cell.x0) & (x <= cell.x1) & (y >= cell.y0) & (y <= cell.y1)] = index
    return [int(owner) for owner in owners]
