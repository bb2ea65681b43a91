"""One reading of a page out of the readings of its views: in reading order, nothing twice and nothing missing. Pure.

Tiles cut in white space share nothing, so what they say follows one another. Tiles of a grid overlap: what stands in two of them counts
once, and what an edge cuts is taken from the tile that shows more of it. Lines are compared on the page set upright, where they are level;
tables are put together in tables.py.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import TypeVar

from pipeline.documents.order import reading_order
from pipeline.documents.tiles import OVERLAP_PT
from pipeline.pieces import Part, Piece, pieces_alone, pieces_together
from pipeline.seam import joined, one_above_another, side_by_side
from pipeline.tables import whole_tables
from pipeline.tasks.base import Reading
from schemas.box import Box, LabelledBox
from schemas.page import Line
from schemas.table import Cell, Table
from schemas.view import Affine

_SAME = 0.5
"""Boxes that share this part of their common view are one thing; lines, this part of the lower one's height."""
_EDGE_PT, _SLACK_PT = 3.0, 1.5
_CUT_PT = 0.1
"""A line that reaches so far beyond a view's edge is cut by it, if only its last letter."""

T = TypeVar("T", Line, Table, Cell)


def stitched(parts: Sequence[Part], turn: Affine | None = None) -> Reading:
    """Return what the views, of which there must be one, say together; `turn` leads from the upright page to the page as it lies.

    Of several values the likeliest counts, and of equally likely ones the first: who is asked for what a tile does not show may guess.
    """
    first = parts[0].reading
    answers = [part for part in parts if part.reading.value and part.reading.value.status == "ok"]
    tables = whole_tables([(part.level.tables, part.box) for part in parts])
    lines, text = _lines(parts)
    return replace(
        first,
        text=text,
        lines=tuple(_turned(line, turn) for line in lines) if turn else lines,
        boxes=_once([part.reading.boxes for part in parts], [part.view for part in parts]),
        tables=tuple(_table_turned(table, turn) for table in tables) if turn else tables,
        value=max(answers, key=lambda part: part.logprob).reading.value if answers else first.value,
    )


def _turned(item: T, turn: Affine) -> T:
    box = item.box
    return item.model_copy(update={"box": box and turn.box(box.x0, box.y0, box.x1, box.y1)})


def _table_turned(table: Table, turn: Affine) -> Table:
    return _turned(table, turn).model_copy(update={"cells": tuple(_turned(cell, turn) for cell in table.cells)})


def _lines(parts: Sequence[Part]) -> tuple[tuple[Line, ...], str | None]:
    """Return the page's lines and its text."""
    texts = [part.reading.text for part in parts if part.reading.text is not None]
    if not texts:
        return (), None
    if not any(part.lines for part in parts):  # answers, which are words without lines
        return (), "\n".join(texts)
    if not any(_overlap(one.box, other.box) for one, other in combinations(parts, 2)):
        alone = [_of_part(part, pieces) for part, pieces in zip(parts, pieces_alone(parts), strict=True)]
        return tuple(line for lines, _ in alone for line in lines), "\n".join(text for _, text in alone if text is not None)
    known = pieces_together(parts)
    if all(pieces is not None for pieces in known):
        lines = tuple(map(_line, _whole_lines([piece for pieces in known for piece in pieces or ()])))
    else:
        lines = _without_places(parts)
    return lines, "\n".join(line.text for line in lines)


def _of_part(part: Part, pieces: Sequence[Piece] | None) -> tuple[Sequence[Line], str | None]:
    """Return the lines of a view that shares nothing with others, and its text."""
    if pieces is not None:
        text = part.reading.text if len(pieces) == len(part.lines) else "\n".join(piece.text for piece in pieces)
        return [_line(piece) for piece in pieces], text
    place: dict[str, object] = {"box_source": "page"} if part.is_page else {"box": part.box, "box_source": "tile"}
    return [line if line.box else line.model_copy(update=place) for line in part.lines], part.reading.text


def _line(piece: Piece) -> Line:
    return Line(text=piece.text, box=piece.box, box_source=piece.source, confidence=piece.confidence)


def _overlap(one: Box, other: Box) -> bool:
    """Say whether two views are tiles that were meant to overlap; those cut in white space may share some white."""
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    down = min(one.y1, other.y1) - max(one.y0, other.y0)
    return min(across, down) > OVERLAP_PT / 2


def _whole_lines(pieces: Sequence[Piece]) -> list[Piece]:
    """Join the pieces of lines, each counted once, and put the lines into reading order."""
    top, bottom = min(piece.view.y0 for piece in pieces), max(piece.view.y1 for piece in pieces)
    kept: list[Piece] = []
    for piece in sorted(pieces, key=lambda each: -_margin(each, top, bottom)):
        if not any(other.view != piece.view and _shows_again(other, piece) for other in kept):
            kept.append(piece)
    lines: list[Piece] = []
    for piece in sorted(kept, key=lambda each: (-each.box.width, each.view.x0)):
        if not any(_shows_more(other, piece) for other in lines):
            lines.append(piece)
    whole: list[Piece] = []
    for piece in sorted(lines, key=lambda each: (each.view.x0, each.box.x0)):
        index = next((index for index, line in enumerate(whole) if _goes_on(line, piece)), None)
        if index is None:
            whole.append(piece)
        else:
            whole[index] = _with(whole[index], piece)
    return [whole[index] for index in reading_order([line.box for line in whole])]


def _margin(piece: Piece, top: float, bottom: float) -> float:
    """Return how far a piece is from the edges above and below that may have cut it; the page's own edges cut nothing."""
    above = piece.box.y0 - piece.view.y0 if piece.view.y0 > top + _EDGE_PT else OVERLAP_PT
    below = piece.view.y1 - piece.box.y1 if piece.view.y1 < bottom - _EDGE_PT else OVERLAP_PT
    return min(above, below, OVERLAP_PT)


def _shows_again(other: Piece, piece: Piece) -> bool:
    """Say whether a tile above or below shows the same part of the same line."""
    if abs(piece.view.x0 - other.view.x0) > _SLACK_PT or not _level(piece.box, other.box):
        return False
    return min(piece.box.x1, other.box.x1) - max(piece.box.x0, other.box.x0) > _SAME * min(piece.box.width, other.box.width)


def _shows_more(other: Piece, piece: Piece) -> bool:
    """Say whether a tile beside this one shows the whole of a piece, and perhaps more of its line."""
    if abs(piece.view.x0 - other.view.x0) <= _SLACK_PT or not _level(piece.box, other.box):
        return False
    start = max(other.box.x0 - _SLACK_PT, other.view.x0 - _CUT_PT)
    end = min(other.box.x1 + _SLACK_PT, other.view.x1 + _CUT_PT)
    return start <= piece.box.x0 and piece.box.x1 <= end


def _goes_on(line: Piece, piece: Piece) -> bool:
    """Say whether a piece is the rest of a line that the view to its left cut."""
    if not line.view.x0 + _SLACK_PT < piece.view.x0 < line.view.x1 or not _level(line.box, piece.box):
        return False
    return line.box.x1 - piece.box.x0 > _EDGE_PT and line.box.x0 <= piece.box.x0 + _EDGE_PT


def _with(line: Piece, piece: Piece) -> Piece:
    """Return the line with its rest."""
    shared = min(line.box.x1, piece.box.x1) - piece.box.x0
    text = joined(line.text, piece.text, line.box.width, piece.box.width, shared)
    return Piece(text, line.box.union(piece.box), piece.view, _least(line.confidence, piece.confidence), line.source)


def _least(one: float | None, other: float | None) -> float | None:
    return one if other is None else other if one is None else min(one, other)


def _level(one: Box, other: Box) -> bool:
    return min(one.y1, other.y1) - max(one.y0, other.y0) > _SAME * min(one.height, other.height)


def _without_places(parts: Sequence[Part]) -> tuple[Line, ...]:
    """Join overlapping views by their words alone, row by row; a line's place is then no more than the row of tiles that it ends in."""
    rows: dict[float, list[Part]] = {}
    for part in parts:
        rows.setdefault(round(part.box.y0, 1), []).append(part)
    page: list[str] = []
    places: list[Box] = []
    for row in rows.values():
        across: list[str] = []
        for part in sorted(row, key=lambda each: each.box.x0):
            across = side_by_side(across, [line.text for line in part.lines])
        page = one_above_another(page, across)
        around = row[0].box
        for part in row[1:]:
            around = around.union(part.box)
        places = [*places[: len(page)], *[around] * (len(page) - len(places))]
    sure = {line.text: line.confidence for part in parts for line in part.lines}  # of what was joined it is not known
    return tuple(
        Line(text=text, box=box, box_source="tile", confidence=sure.get(text)) for text, box in zip(page, places, strict=True)
    )


def _once(found: Sequence[Sequence[LabelledBox]], views: Sequence[Box]) -> tuple[LabelledBox, ...]:
    """Return what was found, what two overlapping views show of one thing once."""
    kept: list[tuple[LabelledBox, Box]] = []
    for things, view in zip(found, views, strict=True):
        known = len(kept)  # one view never shows a thing twice
        for thing in things:
            index = next((n for n, (other, seen) in enumerate(kept[:known]) if _same(thing, view, other, seen)), None)
            if index is None:
                kept.append((thing, view))
            else:
                other, seen = kept[index]
                is_cut = _is_cut(other.box, seen) or _is_cut(thing.box, view)
                kept[index] = _one_thing(other, thing, is_cut=is_cut), seen.union(view)
    return tuple(thing for thing, _ in kept)


def _same(thing: LabelledBox, view: Box, other: LabelledBox, seen: Box) -> bool:
    """Say whether two views found one thing: in what both show, it has the same place."""
    if not _overlap(view, seen) or thing.label != other.label:
        return False
    one, two = (_within(_within(box, view), seen) for box in (thing.box, other.box))
    shared = one.intersection(two)
    return shared > _SAME * (one.area + two.area - shared)


def _within(box: Box, view: Box) -> Box:
    return Box(x0=max(box.x0, view.x0), y0=max(box.y0, view.y0), x1=min(box.x1, view.x1), y1=min(box.y1, view.y1))


def _is_cut(box: Box, view: Box) -> bool:
    return min(box.x0 - view.x0, box.y0 - view.y0, view.x1 - box.x1, view.y1 - box.y1) < _EDGE_PT


def _one_thing(one: LabelledBox, other: LabelledBox, *, is_cut: bool) -> LabelledBox:
    larger = one if one.box.area >= other.box.area else other
    return larger.model_copy(update={"box": one.box.union(other.box)}) if is_cut and not larger.mask_rle else larger
