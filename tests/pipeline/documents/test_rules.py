"""What is printed on a form: its frames and the boxes that a person ticks are no print, where no tile is cut by it."""

import numpy as np
import pymupdf
import pytest

from pipeline.documents.whitespace import PICTURE_PX, find_lines, find_print


def picture(draw, width: float = 300.0, height: float = 300.0) -> np.ndarray:
    """Return a page as the machine looks for lines in it, squeezed into a square."""
    with pymupdf.open() as document:
        page = document.new_page(width=width, height=height)
        draw(page)
        pixmap = page.get_pixmap(matrix=pymupdf.Matrix(PICTURE_PX / width, PICTURE_PX / height))
        return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)


@pytest.mark.parametrize("frame_height", [16.0, 20.0, 26.0])
def test_the_frame_of_a_field_is_no_print(frame_height: float) -> None:
    """A label over a low framed field, and the value in it: two lines, each as wide as its words."""

    def draw(page: pymupdf.Page) -> None:
        page.insert_text((40, 50), "Date of birth", fontsize=9)
        page.draw_rect(pymupdf.Rect(38, 54, 200, 54 + frame_height), color=(0.3, 0.3, 0.3), width=0.7)
        page.insert_text((42, 65), "1954-01-03", fontsize=9)

    lines = sorted(find_print(picture(draw), 300.0, 300.0), key=lambda box: box.y0)
    assert len(lines) == 2
    label, value = lines
    assert (label.x0, value.x0) == (pytest.approx(40.5, abs=1.5), pytest.approx(42.5, abs=1.5))
    assert label.y1 < 54 < value.y0 < value.y1 < 54 + frame_height


@pytest.mark.parametrize("is_ticked", [False, True])
def test_a_box_to_tick_is_no_print(is_ticked: bool) -> None:
    """Ticked or not, the little square before a word is none of it, and a word of round letters beside it stays."""

    def draw(page: pymupdf.Page) -> None:
        page.draw_rect(pymupdf.Rect(40, 42, 49, 51), color=(0, 0, 0), width=0.7)
        if is_ticked:
            page.draw_line((41, 43), (48, 50), color=(0, 0, 0), width=0.7)
        page.insert_text((54, 50), "NOOD", fontsize=12)

    (word,) = find_print(picture(draw), 300.0, 300.0)
    assert word.x0 == pytest.approx(55.0, abs=1.5)
    assert word.width == pytest.approx(pymupdf.get_text_length("NOOD", fontsize=12), abs=3.0)


def test_the_frame_of_a_stamp_is_no_print() -> None:
    """A frame that lies askew, and is no rule therefore, is passed over; the word in it is not."""

    def draw(page: pymupdf.Page) -> None:
        turn = pymupdf.Matrix(4.0)
        frame = pymupdf.Rect(60, 100, 150, 130).quad.morph(pymupdf.Point(105, 115), turn)
        page.draw_quad(frame, color=(0.6, 0, 0), width=1.5)
        page.insert_text((72, 121), "PAID", fontsize=18, morph=(pymupdf.Point(105, 115), turn))

    (word,) = find_print(picture(draw), 300.0, 300.0)
    assert 70 < word.x0 < word.x1 < 140


def test_a_letter_of_four_sides_is_print() -> None:
    """An `m` of a typewriter has a line under its feet and is as high as it is wide, and still is a letter."""

    def draw(page: pymupdf.Page) -> None:
        page.insert_text((40, 50), "the m and", fontname="cour", fontsize=10.9)

    (words,) = find_print(picture(draw), 300.0, 300.0)
    assert words.width == pytest.approx(9 * 0.6 * 10.9, abs=2.0)


def test_a_bar_is_no_print() -> None:
    """The bars of a logo are as large as letters and full of ink; where tiles are cut they count, so that none is cut through."""

    def draw(page: pymupdf.Page) -> None:
        page.insert_text((40, 50), "Hours", fontsize=14)
        page.draw_rect(pymupdf.Rect(200, 38, 207, 50), color=None, fill=(0.1, 0.2, 0.5))

    page = picture(draw, 600.0, 800.0)
    (word,) = find_print(page, 600.0, 800.0)
    assert word.x1 < 100
    assert len(find_lines(page, 600.0, 800.0)) == 2


def test_a_tile_is_never_cut_by_what_only_looks_like_a_frame() -> None:
    """An `l` that stands on a rule may be passed over where places are sought, but the lines by which tiles are cut hold it."""

    def draw(page: pymupdf.Page) -> None:
        page.draw_line((30, 51), (270, 51), color=(0, 0, 0), width=0.7)
        page.insert_text((40, 50.5), "l", fontsize=12)

    held = [line for line in find_lines(picture(draw), 300.0, 300.0) if line.height > 5]
    assert len(held) == 1
    assert (held[0].x0, held[0].y0) == (pytest.approx(41, abs=1.5), pytest.approx(41.5, abs=1.5))
