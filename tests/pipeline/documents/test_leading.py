"""Dense print: lines whose tails touch are taken apart, and columns with a narrow gutter stay two."""

from itertools import pairwise

import numpy as np
import pymupdf
import pytest

from pipeline.documents.leading import parted, untangled
from pipeline.documents.whitespace import PICTURE_PX, find_lines


def picture_of(page: pymupdf.Page) -> np.ndarray:
    matrix = pymupdf.Matrix(PICTURE_PX / page.rect.width, PICTURE_PX / page.rect.height)
    pixmap = page.get_pixmap(matrix=matrix, alpha=False)
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)


WORDS = "jumping quickly by (fidgety) Egypt, the big oxygen fog"


@pytest.mark.parametrize("leading", [0.86, 0.95, 1.1])
def test_lines_set_tight_are_each_a_line(leading: float) -> None:
    """Where tails reach into the next line each line still has a box of its own, at its place; boxes do not overlap."""
    with pymupdf.open() as document:
        page = document.new_page()
        baselines = [100 + 9 * leading * row for row in range(30)]
        for row, y in enumerate(baselines):
            page.insert_text((60 + row % 3, y), WORDS, fontsize=9, fontname="tiro")
        found = sorted(find_lines(picture_of(page), *page.rect.br), key=lambda box: box.y0)
    assert len(found) == len(baselines)
    for box, y in zip(found, baselines, strict=True):
        assert box.y0 < y - 3 < box.y1
        assert box.height < 12
    assert not any(one.intersection(other) > 0 for one, other in pairwise(found))


def test_columns_whose_gutter_is_no_wider_than_a_gap_are_two() -> None:
    """Ten points of white under one another are a gutter, though words of large print stand further apart; a headline above is one line."""
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((60, 80), "A headline of large print", fontsize=30, fontname="cour")
        width = pymupdf.get_text_length(WORDS, fontname="tiro", fontsize=10)
        for row in range(30):
            for x, words in ((60, WORDS), (60 + width + 9.8, f"Every {WORDS}")):
                page.insert_text((x, 120 + 11 * row), words, fontsize=10, fontname="tiro")
        found = find_lines(picture_of(page), *page.rect.br)
    assert len(found) == 61
    assert max(box.width for box in found if box.y0 > 100) < 1.2 * width


def test_a_line_of_large_print_is_left_whole() -> None:
    """Its tails and its dots are no lines of their own."""
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((60, 120), "Egypt: big joy for fidgety oxygen, if it is", fontsize=24, fontname="tiro")
        (found,) = find_lines(picture_of(page), *page.rect.br)
    assert found.height > 20


def test_boxes_of_no_letters_stay_as_they_are() -> None:
    """Where there are too few letters to tell how high a line is nothing is cut, and there may be nothing at all."""
    of = np.ones((40, 200), np.int32)
    ink = np.zeros((40, 200), np.uint8)
    ink[:10] = ink[30:] = 255
    boxes = np.array([[0, 0, 200, 40]], np.int32)
    assert parted(boxes, of, ink, np.array([[0, 0, 4, 5]], np.int32)) == [(0, 0, 200, 40)]
    assert parted(np.empty((0, 4), np.int32), of, ink, np.empty((0, 4), np.int32)) == []


def test_tails_that_two_lines_share_are_halved() -> None:
    """A line and what reaches a little into it are cut in the middle; an accent, what stands beside, and what is mostly shared are left."""
    assert untangled([(0, 0, 100, 10), (0, 8, 100, 18)]) == [(0, 0, 100, 9), (0, 9, 100, 18)]
    for lower in ((0, 8, 100, 11), (100, 8, 200, 18), (0, 5, 100, 15)):
        assert untangled([(0, 0, 100, 10), lower]) == [(0, 0, 100, 10), lower]
