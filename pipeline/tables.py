"""Whole tables out of the pieces that views show of them: rows that are level are one row, columns one above another one column. Pure.

Pieces belong together where they overlap, or where the edge of a view parts them and their columns, or rows, go on behind it. A head that is
printed, or said, once more at the top of a piece counts once. Pieces without places stay as they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import reduce
from itertools import pairwise
from statistics import median

from pipeline.documents.cells import html_of
from pipeline.documents.tiles import OVERLAP_PT
from pipeline.seam import overlapped
from schemas.box import ROUGH, Box
from schemas.table import Cell, Table

_MOST = 0.5
"""Bands that share this part of the narrower one are the same row or column."""
_EDGE_PT, _PAD_PT = 1.5, 5.0
_WHITE_PT = 108.0
"""The white between columns, if no more is seen in the pieces themselves."""
_LOOSE = 1.5
"""Rows, or columns, of one table stand so many times as far apart as others of it, at most."""

Band = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is known of a table so far: its cells, where its rows and columns lie, and the views that showed it."""

    cells: tuple["_Shown", ...]
    rows: tuple[Band, ...]
    cols: tuple[Band, ...]
    views: tuple[Box, ...]
    table: Table

    @property
    def seen(self) -> Box:
        return reduce(Box.union, self.views)

    @property
    def box(self) -> Box:
        return Box(x0=self.cols[0][0], y0=self.rows[0][0], x1=self.cols[-1][1], y1=self.rows[-1][1])


@dataclass(frozen=True, slots=True)
class _Shown:
    """A cell, and by how many of the four edges of its view it may be cut: left, top, right, bottom."""

    cell: Cell
    cut: tuple[bool, bool, bool, bool] = (False, False, False, False)


def whole_tables(found: Sequence[tuple[Sequence[Table], Box]]) -> tuple[Table, ...]:
    """Return the tables that views show, each with the box of what it shows, in their order; all on a page where rows are level."""
    kept: list[_Piece | Table] = []
    for tables, view in found:
        kept += [_piece(table, view) or table for table in tables]
    while (pair := _pair([(index, each) for index, each in enumerate(kept) if isinstance(each, _Piece)])) is not None:
        (first, one), (second, other) = pair
        kept[first] = _united(one, other)
        del kept[second]
    return tuple(each.table if isinstance(each, _Piece) else each for each in kept)


def _piece(table: Table, view: Box) -> _Piece | None:
    """Return a table as one view shows it; None of one without places."""
    if all(cell.box is None or cell.box_source in ROUGH for cell in table.cells):
        return None
    rows = _bands([(cell, cell.row_index, cell.row_span, _down(cell)) for cell in table.cells])
    cols = _bands([(cell, cell.col_index, cell.col_span, _across(cell)) for cell in table.cells])
    cells = []
    for cell in table.cells:
        down = [at for at, index in enumerate(sorted(rows)) if cell.row_index <= index < cell.row_index + cell.row_span]
        across = [at for at, index in enumerate(sorted(cols)) if cell.col_index <= index < cell.col_index + cell.col_span]
        if down and across:
            place = {"row_index": down[0], "col_index": across[0], "row_span": len(down), "col_span": len(across)}
            cells.append(_Shown(cell.model_copy(update=place), _cut(cell.box, view)))
    return _Piece(tuple(cells), _sorted(rows), _sorted(cols), (view,), table)


def _down(cell: Cell) -> Band | None:
    return (cell.box.y0, cell.box.y1) if cell.box else None


def _across(cell: Cell) -> Band | None:
    return (cell.box.x0, cell.box.x1) if cell.box else None


def _bands(cells: Sequence[tuple[Cell, int, int, Band | None]]) -> dict[int, Band]:
    """Return where the rows, or columns, lie in which anything was read: by cells that stand in one alone, else by those that span it."""
    known: dict[int, Band] = {}
    for _, start, span, band in cells:
        if band and span == 1:
            known[start] = _around([band, known.get(start, band)])
    for cell, start, span, band in sorted(cells, key=lambda each: each[2]):
        if cell.text and not any(index in known for index in range(start, start + span)):
            known[start] = band or _between(known, start)
    return known


def _sorted(bands: dict[int, Band]) -> tuple[Band, ...]:
    return tuple(bands[index] for index in sorted(bands))


def _between(known: dict[int, Band], index: int) -> Band:
    """Return a band of no width where a row or column without places must lie."""
    before = max((band[1] for each, band in known.items() if each < index), default=None)
    after = min((band[0] for each, band in known.items() if each > index), default=None)
    ends = [end for end in (before, after) if end is not None] or [0.0]
    return sum(ends) / len(ends), sum(ends) / len(ends)


def _cut(box: Box | None, view: Box) -> tuple[bool, bool, bool, bool]:
    if box is None:
        return (False, False, False, False)
    return (
        box.x0 - view.x0 < _EDGE_PT,
        box.y0 - view.y0 < _EDGE_PT,
        view.x1 - box.x1 < _EDGE_PT,
        view.y1 - box.y1 < _EDGE_PT,
    )


def _pair(pieces: Sequence[tuple[int, _Piece]]) -> tuple[tuple[int, _Piece], tuple[int, _Piece]] | None:
    """Return two pieces of one table, those that overlap before those that an edge parts."""
    for belong in (_overlap, _beside, _stacked):
        for at, (first, one) in enumerate(pieces):
            for second, other in pieces[at + 1 :]:
                if not set(one.views) & set(other.views) and belong(one, other):  # a view never shows a table twice
                    return (first, one), (second, other)
    return None


def _overlap(one: _Piece, other: _Piece) -> bool:
    across = min(one.box.x1, other.box.x1) - max(one.box.x0, other.box.x0)
    down = min(one.box.y1, other.box.y1) - max(one.box.y0, other.box.y0)
    least_row, least_col = (
        min(_typical(one_of), _typical(other_of)) for one_of, other_of in ((one.rows, other.rows), (one.cols, other.cols))
    )
    return across > _MOST * min(least_col, OVERLAP_PT) and down > _MOST * least_row


def _stacked(one: _Piece, other: _Piece) -> bool:
    """Say whether one piece goes on in the other, under it or above it."""
    above, below = (one, other) if one.rows[0] <= other.rows[0] else (other, one)
    most = max(min(_typical(above.rows), _typical(below.rows)), _LOOSE * _gap(above.rows, below.rows))
    return (
        -OVERLAP_PT / 2 < below.box.y0 - above.box.y1 <= most
        and _all_fit(one.cols, other.cols, _common(one, other)[0])
        and not any(_shows_down(view, below.rows[0]) for view in above.views)
        and not any(_shows_down(view, above.rows[-1]) for view in below.views)
    )


def _beside(one: _Piece, other: _Piece) -> bool:
    """Say whether one piece goes on in the other, to its right or its left."""
    left, right = (one, other) if one.cols[0] <= other.cols[0] else (other, one)
    most = max(_WHITE_PT, _LOOSE * _gap(left.cols, right.cols))
    return (
        -OVERLAP_PT / 2 < right.box.x0 - left.box.x1 <= most
        and _all_fit(one.rows, other.rows, _common(one, other)[1])
        and not any(_shows_across(view, right.cols[0]) for view in left.views if _is_level(view, right))
        and not any(_shows_across(view, left.cols[-1]) for view in right.views if _is_level(view, left))
    )


def _shows_down(view: Box, row: Band) -> bool:
    """Say whether a view shows all of a row: then it would have been read there."""
    return view.y0 < row[0] + _EDGE_PT and row[1] - _EDGE_PT < view.y1


def _shows_across(view: Box, col: Band) -> bool:
    return view.x0 < col[0] + _EDGE_PT and col[1] - _EDGE_PT < view.x1


def _is_level(view: Box, piece: _Piece) -> bool:
    return min(view.y1, piece.box.y1) - max(view.y0, piece.box.y0) > 0


def _typical(bands: Sequence[Band]) -> float:
    return median(high - low for low, high in bands)


def _gap(*pieces: Sequence[Band]) -> float:
    """Return the widest white between neighbours within the pieces."""
    return max((after[0] - before[1] for bands in pieces for before, after in pairwise(bands)), default=0.0)


def _all_fit(one: Sequence[Band], other: Sequence[Band], common: Band) -> bool:
    """Say whether every band of the piece that has fewer lies on some of the other's."""
    most, least = (one, other) if len(one) >= len(other) else (other, one)
    return all(_fits(least, most, common))


def _fits(least: Sequence[Band], most: Sequence[Band], common: Band) -> list[list[int]]:
    """Return the bands that each band lies on; two never begin on the same one: the second has a place of its own."""
    found: list[list[int]] = []
    for band in least:
        on = [index for index, each in enumerate(most) if _is_same(band, each, common)]
        found.append([] if on and any(on[0] in other for other in found) else on)
    return found


def _is_same(one: Band, other: Band, common: Band) -> bool:
    """Say whether two bands are one in what both pieces show, if they were meant to overlap: an edge may cut either."""
    if one[0] == one[1] or other[0] == other[1]:
        return one[0] <= other[1] and other[0] <= one[1]
    if common[1] - common[0] > OVERLAP_PT / 2:
        one, other = (max(one[0], common[0]), min(one[1], common[1])), (max(other[0], common[0]), min(other[1], common[1]))
    narrower = min(one[1] - one[0], other[1] - other[0])
    return narrower > 0.0 and min(one[1], other[1]) - max(one[0], other[0]) > _MOST * narrower


def _common(one: _Piece, other: _Piece) -> tuple[Band, Band]:
    """Return what both pieces' views show, across and down; the wrong way round where they show nothing in common."""
    a, b = one.seen, other.seen
    return (max(a.x0, b.x0), min(a.x1, b.x1)), (max(a.y0, b.y0), min(a.y1, b.y1))


def _united(one: _Piece, other: _Piece) -> _Piece:
    """Put two pieces of one table together."""
    if _overlap(one, other) or not _stacked(one, other):
        return _laid(one, other)
    above, below = (one, other) if one.rows[0] <= other.rows[0] else (other, one)
    rest = _without_head(below, _texts(above, 0))
    return _laid(above, rest) if rest else replace(above, views=above.views + below.views)


def _texts(piece: _Piece, row: int) -> list[str]:
    words = [each.cell.text for each in piece.cells if each.cell.row_index == row]
    return [" ".join(text.casefold().split()) for text in words if text.strip()]


def _without_head(piece: _Piece, head: Sequence[str]) -> _Piece | None:
    """Return the piece without the head that it repeats; None if nothing else is in it."""
    spans_on = any(each.cell.row_index == 0 and each.cell.row_span > 1 for each in piece.cells)
    if not head or spans_on or _texts(piece, 0) != list(head):
        return piece
    if len(piece.rows) == 1:
        return None
    cells = tuple(
        replace(each, cell=each.cell.model_copy(update={"row_index": each.cell.row_index - 1}))
        for each in piece.cells
        if each.cell.row_index > 0
    )
    return replace(piece, cells=cells, rows=piece.rows[1:])


def _laid(one: _Piece, other: _Piece) -> _Piece:
    """Lay two pieces on one grid; what both show is taken from the one that shows more of it."""
    across, down = _common(one, other)
    rows, (one_rows, other_rows) = _grid(one.rows, other.rows, down)
    cols, (one_cols, other_cols) = _grid(one.cols, other.cols, across)
    slots: dict[tuple[int, int], _Shown] = {}
    for each in sorted([*_moved(one, one_rows, one_cols), *_moved(other, other_rows, other_cols)], key=_emptiness):
        _lay(each, slots)
    blank = (
        Cell(row_index=row, col_index=col, text="")
        for row in range(len(rows))
        for col in range(len(cols))
        if (row, col) not in slots
    )
    cells = {(each.cell.row_index, each.cell.col_index): each for each in (*slots.values(), *(_Shown(cell) for cell in blank))}
    shown = tuple(cells[place] for place in sorted(cells))
    return _Piece(shown, rows, cols, one.views + other.views, _table(one.table, shown, len(rows), len(cols)))


def _grid(one: Sequence[Band], other: Sequence[Band], common: Band) -> tuple[tuple[Band, ...], tuple[list[range], list[range]]]:
    """Return the bands of both, and which of them each band of the one and of the other takes."""
    most, least = (one, other) if len(one) >= len(other) else (other, one)
    fits = _fits(least, most, common)
    joint = [
        _around([band, *(each for each, on in zip(least, fits, strict=True) if on == [index])])
        for index, band in enumerate(most)
    ]
    alone = {len(most) + number: band for number, (band, on) in enumerate(zip(least, fits, strict=True)) if not on}
    order = sorted([*enumerate(joint), *alone.items()], key=lambda each: sum(each[1]))
    at = {number: place for place, (number, _) in enumerate(order)}
    of_most = [range(at[number], at[number] + 1) for number in range(len(most))]
    of_least = [
        range(at[on[0]], at[on[-1]] + 1) if on else range(at[len(most) + number], at[len(most) + number] + 1)
        for number, on in enumerate(fits)
    ]
    return tuple(band for _, band in order), (of_most, of_least) if most is one else (of_least, of_most)


def _around(bands: Sequence[Band]) -> Band:
    return min(low for low, _ in bands), max(high for _, high in bands)


def _moved(piece: _Piece, rows: Sequence[range], cols: Sequence[range]) -> Iterator[_Shown]:
    """Yield the piece's cells where they stand in the joint grid."""
    for each in piece.cells:
        cell = each.cell
        down = rows[cell.row_index].start, rows[cell.row_index + cell.row_span - 1].stop
        across = cols[cell.col_index].start, cols[cell.col_index + cell.col_span - 1].stop
        moved = {"row_index": down[0], "col_index": across[0], "row_span": down[1] - down[0], "col_span": across[1] - across[0]}
        yield replace(each, cell=cell.model_copy(update=moved))


def _emptiness(each: _Shown) -> tuple[bool, int]:
    """Sort what was read before what is empty, and what is cut less before what is cut more."""
    return not each.cell.text, sum(each.cut)


def _lay(each: _Shown, slots: dict[tuple[int, int], _Shown]) -> None:
    """Put a cell where it belongs: into free slots, or into the cell that is there."""
    wanted = _slots(each.cell)
    there = next((slots[slot] for slot in wanted if slot in slots), None)
    if there is None:
        slots.update(dict.fromkeys(wanted, each))
    elif each.cell.text:
        together = _together(there, each)
        slots.update(dict.fromkeys(_slots(there.cell), together))


def _slots(cell: Cell) -> list[tuple[int, int]]:
    return [
        (row, col)
        for row in range(cell.row_index, cell.row_index + cell.row_span)
        for col in range(cell.col_index, cell.col_index + cell.col_span)
    ]


def _together(there: _Shown, more: _Shown) -> _Shown:
    """Return one cell of what two views read in it: all of it, where only one shows it whole, else both parts joined."""
    one, other = there.cell, more.cell
    if one.text == other.text or one.box is None or other.box is None:
        return there
    whole = one.box.union(other.box)
    if one.box.intersection(other.box) > 0:
        if not any(there.cut) or _lacks_white(one.box, whole):
            return there
        if _lacks_white(other.box, whole):
            return more
    cut = tuple(first and second for first, second in zip(there.cut, more.cut, strict=True))
    text = _joined((one.text, one.box), (other.text, other.box))
    return _Shown(one.model_copy(update={"text": text, "box": whole}), cut)  # type: ignore[arg-type]  # four of each


def _lacks_white(box: Box, whole: Box) -> bool:
    """Say whether so little of a cell is cut off that it is but the white around its text."""
    across, down = max(box.x0 - whole.x0, whole.x1 - box.x1), max(box.y0 - whole.y0, whole.y1 - box.y1)
    return across <= _PAD_PT / 2 and down <= _PAD_PT


def _joined(one: tuple[str, Box], other: tuple[str, Box]) -> str:
    """Return the text of two parts of a cell, which share some of it, or stand apart."""
    (_, a), (_, b) = one, other
    left, right = sorted((one, other), key=lambda each: each[1].x0 + each[1].x1)
    above, below = sorted((one, other), key=lambda each: each[1].y0 + each[1].y1)
    if min(a.y1, b.y1) - max(a.y0, b.y0) <= 0:
        return f"{above[0]} {below[0]}"
    if min(a.x1, b.x1) - max(a.x0, b.x0) <= 0:
        return f"{left[0]} {right[0]}"
    is_beside = max(abs(a.x0 - b.x0), abs(a.x1 - b.x1)) > max(abs(a.y0 - b.y0), abs(a.y1 - b.y1))
    return overlapped(left[0], right[0]) if is_beside else _run_on(above[0].split(), below[0].split())


def _run_on(above: Sequence[str], below: Sequence[str]) -> str:
    """Return words that run over an edge: what both sides read counts once, what the edge cut beside it not at all."""
    same = SequenceMatcher(None, above, below, autojunk=False).find_longest_match()
    if same.size == 0:
        return " ".join([*above, *below])
    return " ".join([*above[: same.a + same.size], *below[same.b + same.size :]])


def _table(known: Table, shown: Sequence[_Shown], n_rows: int, n_cols: int) -> Table:
    cells = tuple(each.cell for each in shown)
    boxes = [cell.box for cell in cells if cell.box]
    (x0, x1), (y0, y1) = _around([(box.x0, box.x1) for box in boxes]), _around([(box.y0, box.y1) for box in boxes])
    made = {
        "n_rows": n_rows,
        "n_cols": n_cols,
        "box": Box(x0=x0, y0=y0, x1=x1, y1=y1),
        "html": html_of(cells, n_rows),
        "cells": cells,
    }
    return known.model_copy(update=made)
