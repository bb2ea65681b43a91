"""Lines of text on places of print: what an edge has left of lines, and strokes that are no text, take no line's place."""

from pipeline.placing import Place, laid
from schemas.box import Box


def place(x0: float, y0: float, x1: float, *, height: float = 10.0, cut: bool = False) -> Place:
    return Place(Box(x0=x0, y0=y0, x1=x1, y1=y0 + height), cut)


NAMES = ("Monthly income", "Kreessgost", "Valid from", "Membership")
LEFT = [place(30, 20 * row, 30 + 5.5 * len(name)) for row, name in enumerate(NAMES)]
EDGES = [place(222, 20 * row, 226, cut=True) for row in range(4)]


def test_letters_that_an_edge_has_left_may_come_in_any_order() -> None:
    """A form is read block by block: what is left of its right column comes after the left one, and the picture shows them row by row."""
    seen = [each for row in zip(LEFT, EDGES, strict=True) for each in row]
    texts = [NAMES[0], NAMES[1], "l", "l", NAMES[2], NAMES[3], "P", "l"]
    boxes = laid(texts, seen, 10.0)
    assert boxes is not None
    assert [boxes[texts.index(name)] for name in NAMES] == [each.box for each in LEFT]
    assert [boxes[index] for index in (2, 3, 6, 7)] == [each.box for each in EDGES]


def test_a_letter_that_stands_alone_keeps_its_place() -> None:
    """A number of one digit within the view is no remains of a line, though an edge cuts others."""
    alone = place(120, 20, 126)
    seen = [LEFT[0], EDGES[0], LEFT[1], alone, EDGES[1], LEFT[2], EDGES[2]]
    texts = [NAMES[0], "l", NAMES[1], "3", "l", NAMES[2], "l"]
    assert laid(texts, seen, 10.0) == [each.box for each in seen]


def test_a_stroke_takes_no_line_s_place() -> None:
    """What is left of a frame stands between the lines, as high as they are and far narrower than a letter: it is passed over."""
    strokes = [place(203, 20 * row + 2, 204.6, height=14) for row in range(4)]
    seen = [each for row in zip(LEFT, strokes, strict=True) for each in row]
    assert laid(list(NAMES), seen, 10.0) == [each.box for each in LEFT]
