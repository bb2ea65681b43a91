"""Affine maps of a page, and what they do to boxes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.synth.skew import Skew
from schemas.box import Box

ANGLES, SCALES, SHIFTS = st.floats(-5, 5), st.floats(0.9, 1.1), st.floats(-9, 9)
POINTS = st.floats(0, 800)


@settings(max_examples=60, deadline=None)
@given(ANGLES, SCALES, SHIFTS, POINTS, POINTS)
def test_the_inverse_leads_back(degrees, scale, shift, x, y):
    """A point that is carried and carried back is where it was."""
    skew = Skew.about(300, 400, degrees, scale, (shift, -shift))
    there = skew.box(Box(x0=x, y0=y, x1=x, y1=y))
    back = skew.inverse().box(there)
    assert (back.x0, back.y0) == pytest.approx((x, y), abs=0.01)


def test_a_clockwise_turn_lowers_the_right():
    """Seen with y down, a positive angle turns clockwise: the right edge sinks, the left rises, the middle stays."""
    skew = Skew.about(100, 100, 2, 1.0, (0, 0))
    assert skew.box(Box(x0=200, y0=100, x1=200, y1=100)).y0 == pytest.approx(103.49, abs=0.01)
    assert skew.box(Box(x0=0, y0=100, x1=0, y1=100)).y0 == pytest.approx(96.51, abs=0.01)
    assert skew.box(Box(x0=100, y0=100, x1=100, y1=100)) == Box(x0=100, y0=100, x1=100, y1=100)


def test_a_stretch_scales_about_the_corner():
    """Across and down are independent."""
    assert Skew.stretch(2, 0.5).box(Box(x0=1, y0=2, x1=3, y1=4)) == Box(x0=2, y0=1, x1=6, y1=2)
