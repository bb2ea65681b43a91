"""Views' maps: a padded view is the part of a page in the upper left corner of a white square."""

import pytest

from schemas.box import Box
from schemas.view import Affine, Region


@pytest.mark.parametrize(("width", "height", "part"), [(400.0, 100.0, (1.0, 0.25)), (150.0, 600.0, (0.25, 1.0))])
def test_a_padded_view_keeps_the_shape_of_what_it_shows(width: float, height: float, part: tuple[float, float]) -> None:
    """Its map is of a square with the region in its upper left corner, at the same place of the page; its name tells."""
    region = Region("tile-003", Affine.of_box(Box(x0=20, y0=30, x1=20 + width, y1=30 + height))).padded()
    side = max(width, height)
    assert region.name == "tile-003-padded"
    assert region.frame == Affine(side, 0, 0, side, 20, 30)
    assert region.part == pytest.approx(part)
    assert region.frame.point(*region.part) == pytest.approx((20 + width, 30 + height))
    assert region.padded() == region


def test_a_region_that_lies_askew_is_padded_along_its_own_sides() -> None:
    """A turned region becomes a square that is turned like it."""
    region = Region("page", Affine(300.0, 400.0, -80.0, 60.0, 5.0, 7.0)).padded()
    assert region.frame == Affine(300.0, 400.0, -400.0, 300.0, 5.0, 7.0)
    assert region.part == pytest.approx((1.0, 0.2))


@pytest.mark.parametrize(
    ("name", "width", "height", "is_slim"),
    [
        ("tile-003", 300.0, 140.0, True),
        ("tile-003-padded", 60.0, 300.0, True),
        ("tile-003", 300.0, 160.0, False),
        ("page", 226.0, 1700.0, False),
        ("page-padded", 226.0, 1700.0, False),
    ],
)
def test_a_tile_is_slim_that_squeezing_would_deform(name: str, width: float, height: float, is_slim: bool) -> None:
    """That is one more than twice as long as high, or as high as long; a page is shown as its job asks, whatever its shape."""
    assert Region(name, Affine(0.6 * width, 0.8 * width, -0.8 * height, 0.6 * height, 0.0, 0.0)).is_slim == is_slim


def test_a_square_region_needs_no_padding() -> None:
    """Squeezing changes nothing of a square: it is one view for every question."""
    square = Region("page", Affine(400.0, 0.0, 0.0, 400.0, 0.0, 0.0))
    assert square.padded() is square
    assert (square.frame, square.part) == (square.affine, (1.0, 1.0))


def test_the_page_as_a_whole_is_told_by_its_name() -> None:
    """Padded or not, the page is the page, and a tile is none."""
    page = Region("page", Affine(600.0, 0.0, 0.0, 800.0, 0.0, 0.0))
    assert page.is_page
    assert page.padded().is_page
    assert not page.is_padded
    assert not Region("tile-000", page.affine).padded().is_page
