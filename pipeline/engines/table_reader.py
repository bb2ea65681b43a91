"""What a perfect reader would write of the tables that a view shows: the rows and the columns of which it shows any text. Pure.

Of a table that the view's edge cuts this is a part, in a form of its own: a cell that is cut has the text that is left of it, and a cell that
spans rows or columns spans those that are left.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np

from pipeline.engines.glimpse import shows, taken_for, within
from schemas.box import Box
from schemas.table import Cell, Table
from schemas.truth import PageTruth
from schemas.view import Affine

_LEVEL = 0.5
"""A view that lies further askew tells nothing of how large a cell was before it was turned."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A cell, its place in the view, and what of its text can be read."""

    cell: Cell
    place: Box
    text: str


def visible_tables(page: PageTruth, affine: Affine, *, torn: bool) -> list[Table]:
    """Return the part of each table that the view shows, with boxes in fractions of the view; tables that it does not show are left out."""
    parts = (_part(item.cells, list(_seen(item, page, affine, torn=torn))) for item in page.tables)
    return [part for part in parts if part is not None]


def _seen(item: Table, page: PageTruth, affine: Affine, *, torn: bool) -> Iterator[_Seen]:
    cells = [(cell, cell.box) for cell in item.cells if cell.box and cell.text]
    places = [_place(box, affine) for _, box in cells]
    for (cell, box), place, glyphs in zip(cells, places, _glyphs(page, affine, places), strict=True):
        inked = [character for character in cell.text if not character.isspace()]
        if len(glyphs) == len(inked):
            read = iter([taken_for(character, glyph, torn=torn) for character, glyph in zip(inked, glyphs, strict=True)])
            text = "".join(" " if character.isspace() else next(read) or "" for character in cell.text)
        else:
            text = cell.text if shows(affine, box) else ""
        if text := " ".join(text.split()):
            yield _Seen(cell, within(place), text)


def _place(box: Box, affine: Affine) -> Box:
    """Return the place of a cell in the view, in fractions of it: as large as the cell was before the page was laid askew."""
    along, down = hypot(affine.a, affine.b), hypot(affine.c, affine.d)
    cosine, sine = abs(affine.a) / along, abs(affine.b) / along
    if abs(cosine**2 - sine**2) < _LEVEL:
        return affine.back().box(box.x0, box.y0, box.x1, box.y1)
    width = (box.width * cosine - box.height * sine) / (cosine**2 - sine**2)
    height = (box.height * cosine - box.width * sine) / (cosine**2 - sine**2)
    u, v = affine.fraction(*box.middle)
    return Box(x0=u - width / along / 2, y0=v - height / down / 2, x1=u + width / along / 2, y1=v + height / down / 2)


def _glyphs(page: PageTruth, affine: Affine, places: Sequence[Box]) -> list[list[Box]]:
    """Return the places in the view of each cell's glyphs, in their order."""
    back = affine.back()
    glyphs = [page.glyphs.box(index) for index in range(len(page.glyphs.text))]
    shown = [back.box(box.x0, box.y0, box.x1, box.y1) for box in glyphs]
    found: list[list[Box]] = [[] for _ in places]
    if not shown or not places:
        return found
    middles = np.array([box.middle for box in shown])
    corners = np.array([(place.x0, place.y0, place.x1, place.y1) for place in places])
    inside = np.all((middles[:, None] >= corners[:, :2]) & (middles[:, None] < corners[:, 2:]), axis=2)
    for glyph, holds in zip(shown, inside.tolist(), strict=True):
        if True in holds:
            found[holds.index(True)].append(glyph)
    return found


def _part(cells: Sequence[Cell], seen: Sequence[_Seen]) -> Table | None:
    """Return the table of the rows and columns in which anything was seen; None where nothing was."""
    if not seen:
        return None
    rows = _shown([(each.cell.row_index, each.cell.row_span) for each in seen])
    cols = _shown([(each.cell.col_index, each.cell.col_span) for each in seen])
    if len(seen) == sum(bool(cell.text) for cell in cells):
        rows, cols = range(max(_ends(cells, down=True))), range(max(_ends(cells, down=False)))  # empty ones at its edges too
    known = {(each.cell.row_index, each.cell.col_index): each for each in seen}
    made = []
    for cell in cells:
        down = [index for index, row in enumerate(rows) if cell.row_index <= row < cell.row_index + cell.row_span]
        across = [index for index, col in enumerate(cols) if cell.col_index <= col < cell.col_index + cell.col_span]
        if not down or not across:
            continue
        what = known.get((cell.row_index, cell.col_index))
        made.append(
            Cell(
                row_index=down[0],
                col_index=across[0],
                row_span=len(down),
                col_span=len(across),
                text=what.text if what else "",
                box=what.place if what else None,
            )
        )
    return Table(table_index=0, n_rows=len(rows), n_cols=len(cols), html="", cells=tuple(made))


def _shown(spans: Sequence[tuple[int, int]]) -> range:
    """Return the rows, or columns, from the first to the last of which anything was seen; of a span it is not known where."""
    alone = {start for start, count in spans if count == 1}
    alone |= {start for start, count in spans if not alone & set(range(start, start + count))}
    return range(min(alone), max(alone) + 1)


def _ends(cells: Sequence[Cell], *, down: bool) -> list[int]:
    return [cell.row_index + cell.row_span if down else cell.col_index + cell.col_span for cell in cells]
