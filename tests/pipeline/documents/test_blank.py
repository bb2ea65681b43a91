"""Blank pages: paper, dust, shadows and show-through are nothing; a page number is something."""

import io

import numpy as np
import pymupdf
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from pipeline.documents.blank import is_blank_paper, is_uniform
from pipeline.documents.ink import darkest

WIDTH, HEIGHT = 1240, 1754
"""A4 at 150 dots an inch."""


def font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def paper(seed: int = 0, tone: int = 244, grain: float = 3.0) -> Image.Image:
    """Return a scan of empty paper, a little darker to one side."""
    noise = np.random.default_rng(seed).normal(0, grain, (HEIGHT, WIDTH))
    shade = np.linspace(0, -12, WIDTH)[None, :]
    return Image.fromarray(np.clip(tone + shade + noise, 0, 255).astype(np.uint8))


def with_text(page: Image.Image, *, size_px: int = 22, ink: int = 20) -> Image.Image:
    draw = ImageDraw.Draw(page)
    for row in range(40):
        draw.text(
            (120, 150 + 36 * row),
            f"Line {row}: the quick brown fox jumps over the lazy dog and on.",
            fill=ink,
            font=font(size_px),
        )
    return page


def seen(page: Image.Image, quality: int = 60) -> np.ndarray:
    """Return what the machine judges: the darkest channel of a JPEG of the scan, squeezed into a square."""
    stream = io.BytesIO()
    page.convert("RGB").save(stream, "JPEG", quality=quality)
    return darkest(np.asarray(Image.open(stream).convert("RGB").resize((896, 896), Image.Resampling.BICUBIC)))


def show_through(strength: float) -> Image.Image:
    """Return paper through which the print of the other side shines, mirrored and blurred by the paper."""
    other = ImageOps.mirror(with_text(Image.new("L", (WIDTH, HEIGHT), 255), size_px=26, ink=0))
    ghost = 255 - np.asarray(other.filter(ImageFilter.GaussianBlur(1.5)), dtype=np.float64)
    return Image.fromarray(np.clip(np.asarray(paper(3)) - strength * ghost, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(("tone", "grain"), [(255, 0), (244, 3), (225, 5), (190, 6)])
def test_empty_paper_is_blank_paper(tone, grain):
    """White, grayish and grainy paper are all blank."""
    assert is_blank_paper(seen(paper(1, tone, grain)))


@pytest.mark.parametrize("strength", [0.05, 0.1, 0.15, 0.2])
def test_show_through_is_blank_paper(strength):
    """The faint, mirrored print of the other side is nothing on this page."""
    assert is_blank_paper(seen(show_through(strength)))


def test_coloured_paper_is_blank_paper():
    """Yellow or pink paper is paper."""
    assert is_blank_paper(darkest(np.full((896, 896, 3), (250, 240, 180), dtype=np.uint8)))


def test_dust_and_the_edge_s_shadow_are_blank():
    """Specks of a few pixels and a dark fringe along an edge are the scanner's."""
    page = paper(2)
    draw = ImageDraw.Draw(page)
    for x, y in np.random.default_rng(5).integers(100, 1100, (30, 2)).tolist():
        draw.rectangle((x, y, x + 1, y + 1), fill=60)
    draw.rectangle((0, 0, 30, HEIGHT), fill=40)
    draw.rectangle((0, HEIGHT - 25, WIDTH, HEIGHT), fill=10)
    assert is_blank_paper(seen(page))


@pytest.mark.parametrize(
    ("text", "place"), [("1", (620, 1660)), ("7", (1140, 90)), ("- 12 -", (600, 1660)), ("void", (500, 800)), ("i", (620, 870))]
)
def test_a_page_number_is_something(text, place):
    """A single small number or word in 9 points makes a page that is not blank."""
    page = paper(4)
    ImageDraw.Draw(page).text(place, text, fill=40, font=font(19))
    assert not is_blank_paper(seen(page))


def test_faint_pencil_is_something():
    """Print of half the usual darkness is read, on show-through too."""
    page = show_through(0.1)
    ImageDraw.Draw(page).text((300, 500), "see letter of 12 May", fill=110, font=font(30))
    assert not is_blank_paper(seen(page))


def test_full_pages_are_something():
    """A page of text, and a photograph, are not blank."""
    assert not is_blank_paper(seen(with_text(paper(6))))
    gradient = np.linspace(40, 220, 896).astype(np.uint8)
    assert not is_blank_paper(
        np.tile(gradient, (896, 1)) // (1 + (np.arange(896) // 100 % 2))[:, None].astype(np.uint8),
    )


@pytest.mark.parametrize("ink", [(0, 0, 0), (0.8, 0.8, 0.8), (1, 1, 0.6), (0, 0.5, 1)])
def test_anything_drawn_is_something(ink):
    """On a page without paper's faults the faintest print that can be seen counts, light gray and yellow included."""
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((300, 800), "1", fontsize=8, color=ink)
        pixmap = page.get_pixmap(matrix=pymupdf.Matrix(896 / 595, 896 / 842))
    picture = np.frombuffer(pixmap.samples, dtype=np.uint8).reshape(pixmap.height, pixmap.width, 3)
    assert not is_uniform(picture)


def test_white_on_white_is_blank_paper():
    """What cannot be seen is nothing, however much of it there is."""
    assert is_uniform(np.full((896, 896, 3), 255, dtype=np.uint8))
