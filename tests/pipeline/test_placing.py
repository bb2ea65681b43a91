"""Lines of text on places of print: what an edge has left of lines, and strokes that are no text, take no line's place."""

import pytest

from pipeline.agreement import Said
from pipeline.fitting import Place
from pipeline.placing import laid
from pipeline.widths import width_of
from schemas.box import Box


def place(x0: float, y0: float, x1: float, *, height: float = 10.0, cut: bool = False) -> Place:
    return Place(Box(x0=x0, y0=y0, x1=x1, y1=y0 + height), cut)


def read(box: Box, text: str) -> Said:
    return Said(text, box.x0, box.x1)


NAMES = ("Monthly income", "Kreessgost", "Valid from", "Membership")
LEFT = [place(30, 20 * row, 30 + 5.5 * len(name)) for row, name in enumerate(NAMES)]
EDGES = [place(222, 20 * row, 226, cut=True) for row in range(4)]


def test_letters_that_an_edge_has_left_may_come_in_any_order() -> None:
    """A form is read block by block: what is left of its right column comes after the left one, and the picture shows them row by row."""
    seen = [each for row in zip(LEFT, EDGES, strict=True) for each in row]
    texts = [NAMES[0], NAMES[1], "l", "l", NAMES[2], NAMES[3], "P", "l"]
    boxes = laid(texts, seen, 10.0)
    assert boxes is not None
    assert [boxes.boxes[texts.index(name)] for name in NAMES] == [each.box for each in LEFT]
    assert sorted(boxes.boxes[index].y0 for index in (2, 3, 6, 7)) == [each.box.y0 for each in EDGES]


def test_a_letter_that_stands_alone_keeps_its_place() -> None:
    """A number of one digit within the view is no remains of a line, though an edge cuts others."""
    alone = place(120, 20, 126)
    seen = [LEFT[0], EDGES[0], LEFT[1], alone, EDGES[1], LEFT[2], EDGES[2]]
    texts = [NAMES[0], "l", NAMES[1], "3", "l", NAMES[2], "l"]
    found = laid(texts, seen, 10.0)
    assert found is not None
    assert found.boxes == tuple(each.box for each in seen)


def test_a_stroke_takes_no_line_s_place() -> None:
    """What is left of a frame stands between the lines, as high as they are and far narrower than a letter: it is passed over."""
    strokes = [place(203, 20 * row + 2, 204.6, height=14) for row in range(4)]
    seen = [each for row in zip(LEFT, strokes, strict=True) for each in row]
    found = laid(list(NAMES), seen, 10.0)
    assert found is not None
    assert found.boxes == tuple(each.box for each in LEFT)


def test_one_of_many_single_letters_may_be_the_remains() -> None:
    """Numbers of one digit keep their places, and a letter out of order takes what an edge has left."""
    alone = place(320, 115, 326)
    seen = [place(320, 100, 352), alone, place(320, 134, 358), place(320, 150, 380), place(198, 183, 205, cut=True)]
    boxes = laid(["Children", "2", "Insured", "k", "Grace Kouje"], seen, 10.0)
    assert boxes is not None
    assert boxes.boxes == (seen[0].box, alone.box, seen[2].box, seen[4].box, seen[3].box)


def test_what_is_framed_is_lower_than_its_frame() -> None:
    """A stamp's word is laid on the stamp, which is several times as high as a line, and no word is torn from the line before for it."""
    seen = [place(31, 233, 53, height=6), place(211, 232, 222, height=8, cut=True), place(136, 249, 193, height=34)]
    boxes = laid(["Date", "Si", "PAID"], seen, 7.3)
    assert boxes is not None
    assert boxes.boxes == tuple(each.box for each in seen)


def test_a_high_thing_far_away_is_no_word_of_a_line() -> None:
    """A signature beside a date, an empty page's width away, is not joined with it, however high it is."""
    date, scribble = place(39, 287, 140, height=8), place(220, 271, 222, height=27, cut=True)
    found = laid(["19 October 2024"], [date, scribble], 9.3)
    assert found is not None
    assert found.boxes == (date.box,)


def test_what_another_view_reads_in_a_place_speaks_for_a_text() -> None:
    """A name and a scribble above it are as wide: that the view beside reads the name there settles it."""
    scribble, name = Box(x0=303, y0=276, x1=344, y1=285), Box(x0=294, y0=288, x1=335, y1=297)
    for said, box in ((((read(scribble, "Signature"),), ()), scribble), (((), (read(name, "Signatur"),)), name)):
        places = [Place(scribble, said=said[0]), Place(name, said=said[1])]
        found = laid(["Signature"], places, 8.5)
        assert found is not None
        assert found.boxes == (box,)


def test_a_line_said_twice_takes_one_place() -> None:
    """A reader who loses its place says a line once more, with other letters wrong: where the picture shows it once, it counts once."""
    seen = [place(30, 20 * row, 30 + 5.5 * len(name)) for row, name in enumerate(NAMES)]
    for again in ("Kreessgosf", "Kreessgost"):
        found = laid([*NAMES[:2], again, *NAMES[2:]], seen, 10.0)
        assert found is not None
        assert found.boxes == (seen[0].box, seen[1].box, None, seen[2].box, seen[3].box)


@pytest.mark.parametrize(
    "texts",
    [("Oak shelf", "Oak shelf"), ("Item 1 12.00", "Item 2 12.00"), ("113.63", "113.68"), ("12", "12"), ("1.1 l", "1.2 l")],
)
def test_two_lines_that_are_alike_keep_their_places(texts) -> None:
    """Rows of a table say the same, or nearly: where something is printed for each, each of them counts."""
    names = ("Monthly income", *texts, "Valid from")
    seen = [place(30, 20 * row, 30 + 5.5 * width_of(name)) for row, name in enumerate(names)]
    found = laid(list(names), seen, 10.0)
    assert found is not None
    assert found.boxes == tuple(each.box for each in seen)


def test_words_side_by_side_that_picture_joins_are_not_one() -> None:
    """Two amounts that are the same stand so close that the picture shows them as one place, which is as wide as both."""
    names = ("Monthly income", "1,240.00", "1,240.00", "Valid from")
    seen = [place(30, 0, 107), place(30, 20, 30 + 5.5 * width_of("1,240.00 1,240.00")), place(30, 40, 85)]
    found = laid(list(names), seen, 10.0)
    assert found is not None
    assert None not in found.boxes


def test_a_table_that_looks_like_columns_is_laid_row_by_row() -> None:
    """Cells of two columns have about the same widths, so that texts of rows would fit either; rows fit better."""
    days, goods = ["14.10.2015", "16.10.2015", "2.11.2015", "11.11.2015"], ["Cahier vert", "Lampe rouge", "Encre", "Corde T23"]
    places = [
        place(x, 20 * row, x + 5.2 * width_of(text))
        for x, column in ((50, days), (220, goods))
        for row, text in enumerate(column)
    ]
    found = laid([text for row in zip(days, goods, strict=True) for text in row], places, 10.0)
    assert found is not None
    assert found.boxes == tuple(each.box for row in zip(places[:4], places[4:], strict=True) for each in row)


def test_dust_takes_no_text_that_an_edge_has_left() -> None:
    """A speck is as slim as the stroke that is left of a letter, and comes before it; the edge's place is the letter's."""
    speck, edge = place(240, 17, 241, height=2.4), place(222, 20, 224, cut=True)
    found = laid(["Monthly income", "l", "0.50"], [LEFT[0], speck, edge, place(140, 20, 161)], 10.0)
    assert found is not None
    assert found.boxes[1] == edge.box


def test_a_figure_1_stands_where_a_stroke_is() -> None:
    """A cell with nothing but a 1 is printed as slim as that, and is no remains of another line."""
    seen = [place(198, 0, 210, cut=True), place(231, 20, 251), place(321, 20, 324), place(343, 20, 386)]
    found = laid(["88", "H14", "1", "1 346,05"], seen, 9.5)
    assert found is not None
    assert found.boxes == tuple(each.box for each in seen)
