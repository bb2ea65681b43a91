"""What views say of a page, line by line, each with its box: as the model tells it, or else laid on the print that was seen. Pure.

Of views that overlap, what one of them reads in a place speaks for a text of another that goes on there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf

from pipeline.agreement import Said, perhaps_alike
from pipeline.documents.tiles import OVERLAP_PT
from pipeline.fitting import EMS, Place
from pipeline.placing import Laid, height_of, laid
from pipeline.tasks.base import Reading
from pipeline.widths import width_of
from schemas.box import Box, BoxSource
from schemas.page import Line
from schemas.view import Affine

_AT_EDGE = 0.002
_SAME = 0.5
"""Places that share this part of the smaller one are one."""
_EDGE_PT, _WHOLE = 0.5, 0.99
"""What comes so near to a view's edge is cut by it; what is shown but for so little is shown whole."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one view says: a reading with a value, the box around what it shows, and the same reading on the page set upright, `level`.

    `upright` maps the view to the upright page; `places` are those of the print that was seen in it; `is_page`: it shows the whole page.
    `logprob` is the mean natural log-probability of what it said, minus infinity where no engine told.
    """

    reading: Reading
    view: Box
    level: Reading
    upright: Affine
    places: tuple[float, ...] = ()
    is_page: bool = False
    logprob: float = -inf

    @property
    def lines(self) -> tuple[Line, ...]:
        return self.level.lines

    @property
    def box(self) -> Box:
        """Return the view's box on the upright page."""
        return self.upright.box(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, or the part of it that a view shows, and where."""

    text: str
    box: Box
    view: Box
    confidence: float | None
    source: BoxSource | None


def pieces_alone(parts: Sequence[Part]) -> list[list[Piece] | None]:
    """Return each view's lines with their boxes, what it says twice of one place once; None where places are not known."""
    height = _height(parts)
    return [_pieces(part, _laid(part, _seen(part), height)) for part in parts]


def pieces_together(parts: Sequence[Part]) -> list[list[Piece] | None]:
    """Return the same for views that overlap, laid anew beside one another, first that whose texts fit the picture worst."""
    height = _height(parts)
    alone = [_laid(part, _seen(part), height) for part in parts]
    known = [_pieces(part, found) for part, found in zip(parts, alone, strict=True)]
    for index in sorted(range(len(parts)), key=lambda each: -(found.misfit if (found := alone[each]) else inf)):
        part = parts[index]
        others = [piece for at, pieces in enumerate(known) if at != index for piece in pieces or ()]
        places = [_with_said(place, others) for place in _seen(part)]
        if _is_unplaced(part) and any(place.said for place in places):
            known[index] = _pieces(part, _laid(part, places, height)) or known[index]
    return [pieces and [piece for piece in pieces if not _is_denied(piece, known)] for pieces in known]


def _is_denied(piece: Piece, known: Sequence[Sequence[Piece] | None]) -> bool:
    """Say whether a text is what an edge has left of something in which the view beside, which shows it whole, reads nothing at all."""
    at_left, at_right = piece.box.x0 - piece.view.x0 < _EDGE_PT, piece.view.x1 - piece.box.x1 < _EDGE_PT
    if piece.source != "print" or at_left == at_right or not _is_sliver(piece):
        return False
    beside = [
        pieces
        for pieces in known
        if pieces
        and (view := pieces[0].view) != piece.view
        and _holds(view, piece.box)
        and (view.x0 < piece.view.x0 if at_left else view.x1 > piece.view.x1)
    ]
    return bool(beside) and not any(_is_one_place(other.box, piece.box) for pieces in beside for other in pieces)


def _is_sliver(piece: Piece) -> bool:
    """Say whether a text is as slim as its place, which the view beside shows whole."""
    return (
        piece.box.width < OVERLAP_PT and min(EMS) * piece.box.height * width_of(piece.text) < piece.box.width + piece.box.height
    )


def _holds(view: Box, box: Box) -> bool:
    return view.intersection(box) > _WHOLE * box.area


def _height(parts: Sequence[Part]) -> float:
    return height_of([place for part in parts for place in _seen(part)])


def _laid(part: Part, places: Sequence[Place], height: float) -> Laid | None:
    if _is_unplaced(part):
        return laid([line.text for line in part.lines], places, height)
    return Laid(tuple(_once(part.lines)), 0.0)


def _is_unplaced(part: Part) -> bool:
    return any(line.box is None for line in part.lines)


def _pieces(part: Part, found: Laid | None) -> list[Piece] | None:
    if found is None:
        return None
    pairs = zip(part.lines, found.boxes, strict=True)
    return [Piece(line.text, box, part.box, line.confidence, line.box_source or "print") for line, box in pairs if box]


def _once(lines: Sequence[Line]) -> Iterator[Box | None]:
    """Yield the box of each line, None of one that was said before in that place."""
    before: list[tuple[str, Box]] = []
    for line in lines:
        is_again = line.box is None or any(
            _is_one_place(line.box, box) and perhaps_alike(line.text, text) for text, box in before
        )
        yield None if is_again else line.box
        if line.box:
            before.append((line.text, line.box))


def _with_said(place: Place, others: Sequence[Piece]) -> Place:
    there = (piece for piece in others if _is_one_place(piece.box, place.box))
    return replace(place, said=tuple(Said(piece.text, piece.box.x0, piece.box.x1) for piece in there))


def _is_one_place(one: Box, other: Box) -> bool:
    return one.intersection(other) > _SAME * min(one.area, other.area)


def _seen(part: Part) -> list[Place]:
    places = zip(*[iter(part.places)] * 4, strict=True)
    return [Place(part.upright.box(x0, y0, x1, y1), _is_at_edge(x0, x1), _is_at_edge(y0, y1)) for x0, y0, x1, y1 in places]


def _is_at_edge(start: float, end: float) -> bool:
    """Say whether what reaches from a start to an end, in fractions of a view, touches one of its edges there."""
    return start < _AT_EDGE or end > 1 - _AT_EDGE
