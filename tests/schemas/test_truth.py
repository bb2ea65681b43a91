"""Truth as it is stored."""

import pytest
from pydantic import ValidationError

from schemas.box import Box
from schemas.truth import DocumentTruth, Glyphs, PageTruth


def test_a_glyphs_box_is_its_four_numbers_in_points():
    """Places are hundredths of a point, four for each glyph in turn."""
    glyphs = Glyphs(text="ab", places=(0, 0, 1, 1, 1050, 2000, 1100, 2125))
    assert glyphs.box(1) == Box(x0=10.5, y0=20.0, x1=11.0, y1=21.25)


def test_a_box_lies_around_some_glyphs():
    """The box around glyphs of a line reaches from the least to the greatest of their places, and takes no others in."""
    glyphs = Glyphs(text="abc", places=(500, 100, 600, 1100, 600, 50, 750, 1000, 5000, 5000, 5100, 6000))
    assert glyphs.around(0, 2) == Box(x0=5.0, y0=0.5, x1=7.5, y1=11.0)
    assert glyphs.around(1, 2) == glyphs.box(1)


def test_glyphs_need_a_place_each():
    """Neither too few nor too many numbers are taken."""
    for places in ((), (1, 2, 3), (1, 2, 3, 4, 5)):
        with pytest.raises(ValidationError, match="need 4 numbers"):
            Glyphs(text="a", places=places)


def test_truth_reads_back_without_its_defaults():
    """What is left out when stored is what comes back by default."""
    truth = DocumentTruth(
        document_id="0" * 64, kind="blank", finish="pdf", split="train", seed=1, media_type="application/pdf", language="en",
        pages=(PageTruth(page_index=0, width_pt=10, height_pt=20),),
    )  # fmt: skip
    stored = truth.model_dump_json(exclude_defaults=True)
    assert "damage" not in stored
    assert DocumentTruth.model_validate_json(stored) == truth
    assert truth.pages[0].blank
