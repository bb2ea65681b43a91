"""What a page is made of is told without listing all of it."""

import io
from collections.abc import Callable

import pymupdf
import pytest
from PIL import Image

from pipeline.documents.contents import has_text, image_area_pt2

Draw = Callable[[pymupdf.Page], object]


def gray() -> bytes:
    stream = io.BytesIO()
    Image.new("L", (40, 20), 90).save(stream, "PNG")
    return stream.getvalue()


def drawing(*draws: Draw) -> pymupdf.DisplayList:
    document = pymupdf.open()
    page = document.new_page(width=300, height=400)
    for draw in draws:
        draw(page)
    return page.get_displaylist()


@pytest.mark.parametrize(
    ("draw", "found"),
    [
        (lambda page: page.insert_text((50, 50), "words"), True),
        (lambda page: page.insert_text((50, 50), "words", render_mode=1), True),
        (lambda page: page.insert_text((50, 50), "words", render_mode=3), False),
        (lambda page: page.draw_line((10, 10), (200, 200)), False),
        (lambda page: page.insert_image(page.rect, stream=gray()), False),
        (lambda page: page.add_freetext_annot(pymupdf.Rect(10, 10, 200, 50), "a note"), True),
    ],
)
def test_text_is_found_wherever_a_person_sees_it(draw, found):
    """Filled and stroked text counts, in notes on the page too; invisible text, lines and images do not."""
    assert has_text(drawing(draw)) is found


def test_images_are_measured_where_they_lie():
    """The area is that on the page, turned or not, whatever the image's own pixels are."""

    def images(page: pymupdf.Page) -> None:
        page.insert_image(pymupdf.Rect(10, 10, 110, 60), stream=gray(), keep_proportion=False)
        page.insert_image(pymupdf.Rect(150, 100, 200, 300), stream=gray(), keep_proportion=False, rotate=90)

    assert image_area_pt2(drawing(images)) == pytest.approx(100 * 50 + 50 * 200)
    assert image_area_pt2(drawing(lambda page: page.draw_rect(page.rect, fill=(0, 0, 0)))) == 0
