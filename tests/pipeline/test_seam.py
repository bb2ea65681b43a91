"""Texts that meet at the edge of two views: what both show is there once, and what the edge has torn is taken from the other."""

import pytest

from pipeline.seam import joined


@pytest.mark.parametrize(
    ("left", "right", "left_pt", "right_pt", "shared_pt", "whole"),
    [
        # letters torn to the same stroke on both sides agree by chance
        ("Entrega en Vorol", "loja", 190.6, 42.0, 24.0, "Entrega en Voroja"),
        ("Your order of large l", "l drill", 254.4, 78.4, 24.0, "Your order of large drill"),
        # what agrees in several characters is no chance, though widths are only estimated
        ("asked in Peen", "Peentdro do", 80.0, 66.0, 21.7, "asked in Peentdro do"),
        ("2684 2496 666", "6665 - HRB 4", 78.0, 66.0, 25.0, "2684 2496 6665 - HRB 4"),
        ("wird sich in", "in den", 72.0, 40.0, 24.0, "wird sich in den"),
        # what is misread was printed: no space is taken for a figure
        ("0555", "55 372 800", 35.2, 69.7, 24.0, "0555 372 800"),
        # nothing agrees: each is believed up to the middle of what they share
        ("first half", "zzzzz other", 60.0, 66.0, 12.0, "first halzzzz other"),
    ],
)
def test_a_line_of_two_views_is_whole(
    left: str, right: str, left_pt: float, right_pt: float, shared_pt: float, whole: str
) -> None:
    """The end of one view's text and the beginning of the other's are the same print, some points wide."""
    assert joined(left, right, left_pt, right_pt, shared_pt) == whole
