"""Places and mask codes as tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tasks.tokens import LAST_BIN, Malformed, bin_of, bins, codes, fractions, loc, page_box, quad, seg
from schemas.box import Box
from schemas.view import Affine

UPRIGHT = Affine(600.0, 0.0, 0.0, 800.0, 10.0, 20.0)
TURNED = Affine(0.0, 800.0, -600.0, 0.0, 600.0, 0.0)


@given(st.integers(0, LAST_BIN))
def test_bins_survive_the_way_to_fractions_and_back(number):
    """Every bin is the bin of its own fraction."""
    assert bin_of(number / LAST_BIN) == number
    assert bins(loc(number)) == (number,)


@given(st.floats(0, 1))
def test_a_fraction_is_at_most_half_a_bin_away(fraction):
    """Bins are round(v × 1023), read as n / 1023."""
    assert abs(bin_of(fraction) / LAST_BIN - fraction) <= 0.5 / LAST_BIN + 1e-12


def test_both_edges_have_a_bin():
    """The left edge is bin 0 and the right edge bin 1023; what lies outside goes to the edge."""
    assert (bin_of(0.0), bin_of(1.0), bin_of(-3.0), bin_of(7.0)) == (0, 1023, 0, 1023)


def test_tokens_are_spelled_with_leading_zeros():
    """`<loc0007>` and `<seg007>` are the vocabulary's own spelling."""
    assert (loc(7), seg(7)) == ("<loc0007>", "<seg007>")
    assert codes("<seg000><seg127>") == (0, 127)


@pytest.mark.parametrize(
    ("reader", "text"), [(bins, "<loc1024>"), (bins, "<loc9999>"), (codes, "<seg128>"), (codes, "<seg999>")]
)
def test_tokens_that_no_vocabulary_has_are_malformed(reader, text):
    """There are 1024 places and 128 codes."""
    with pytest.raises(Malformed, match="past the last token"):
        reader(text)


def test_y_stands_before_x_except_in_tables():
    """A box is y0 x0 y1 x1; x first is what the tables of the paper have."""
    box = Box(x0=10.0, y0=20.0, x1=610.0, y1=420.0)
    assert bins(quad(box, UPRIGHT)) == (0, 0, 512, 1023)
    assert bins(quad(box, UPRIGHT, x_first=True)) == (0, 0, 1023, 512)


@pytest.mark.parametrize("numbers", [(5, 0, 5, 9), (0, 9, 5, 9), (9, 0, 5, 9), (0, 9, 5, 0)])
def test_corners_out_of_order_are_malformed(numbers):
    """The second corner lies below and to the right of the first."""
    with pytest.raises(Malformed, match="out of order"):
        fractions(numbers)


def test_a_box_outside_the_view_cannot_be_written():
    """What the view does not show is an error of the one who makes training targets."""
    with pytest.raises(ValueError, match="does not show"):
        quad(Box(x0=700.0, y0=0.0, x1=720.0, y1=10.0), UPRIGHT)


@pytest.mark.parametrize("affine", [UPRIGHT, TURNED], ids=["upright", "turned"])
@given(
    place=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
    x_first=st.booleans(),
)
def test_a_box_comes_back_within_a_bin(affine, place, x_first):
    """Writing a page's box as tokens and reading them moves no edge by more than a bin, turned views included."""
    u0, u1 = sorted(place[:2])
    v0, v1 = sorted(place[2:])
    box = affine.box(u0, v0, u1, v1)
    again = page_box(bins(quad(box, affine, x_first=x_first)), affine, x_first=x_first)
    across = (abs(affine.a) + abs(affine.c)) / LAST_BIN + 1e-6
    down = (abs(affine.b) + abs(affine.d)) / LAST_BIN + 1e-6
    assert abs(again.x0 - box.x0) <= across
    assert abs(again.x1 - box.x1) <= across
    assert abs(again.y0 - box.y0) <= down
    assert abs(again.y1 - box.y1) <= down
