"""What views say line by line, each with its place: of views that overlap, the one that shows more is believed."""

from collections.abc import Sequence

from pipeline.pieces import Part, pieces_together
from pipeline.tasks.base import Reading
from schemas.box import Box
from schemas.page import Line
from schemas.view import Affine

LEFT, RIGHT = Box(x0=0, y0=0, x1=120, y1=100), Box(x0=96, y0=0, x1=216, y1=100)


def seen(view: Box, texts: Sequence[str], places: Sequence[Box]) -> Part:
    """Return a view that says texts without places, and in which print was seen."""
    reading = Reading(verdict="value", text="\n".join(texts) or None, lines=tuple(Line(text=text) for text in texts))
    upright = Affine.of_box(view)
    corners = [(*upright.fraction(box.x0, box.y0), *upright.fraction(box.x1, box.y1)) for box in places]
    return Part(reading, view, reading, upright, tuple(number for box in corners for number in box))


def line(x0: float, y0: float, x1: float, height: float = 10.0) -> Box:
    return Box(x0=x0, y0=y0, x1=x1, y1=y0 + height)


def said(parts: Sequence[Part]) -> list[list[str]]:
    return [[piece.text for piece in pieces or ()] for pieces in pieces_together(parts)]


def test_what_an_edge_leaves_of_no_text_is_none() -> None:
    """A stroke at a view's edge is read as a letter; the view beside shows the whole signature, and reads nothing in it."""
    left = seen(LEFT, ["Signed in Paris", "l"], [line(10, 20, 92), line(114, 50, 120, 18)])
    right = seen(RIGHT, ["Signature"], [line(114, 50, 190, 18), line(130, 72, 178)])
    assert said([left, right]) == [["Signed in Paris"], ["Signature"]]


def test_what_an_edge_leaves_of_a_text_stays() -> None:
    """Where the view beside reads something there, both are kept, to be joined; so is what the view beside does not show whole."""
    left = seen(LEFT, ["Signed in Paris", "P"], [line(10, 20, 92), line(114, 50, 120)])
    right = seen(RIGHT, ["Paul Petit"], [line(114, 50, 164)])
    assert said([left, right]) == [["Signed in Paris", "P"], ["Paul Petit"]]
    alone = seen(LEFT, ["Signed in Paris", "Nr. 27 b"], [line(10, 20, 92), line(80, 50, 120)])
    assert said([alone, right]) == [["Signed in Paris", "Nr. 27 b"], ["Paul Petit"]]
