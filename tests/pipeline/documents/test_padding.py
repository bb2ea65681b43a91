"""Padded views of real documents: the part as it is, in the upper left corner, and white for the rest whatever the page has there."""

import io
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image

from pipeline.documents.child import Child
from schemas.job import Limits
from schemas.view import Affine, Region

SIDE = 90
TOP = Affine(180.0, 0.0, 0.0, 60.0, 0.0, 0.0)  # the upper half of a page of 180 × 120 points


def written(folder: Path, kind: str) -> Path:
    """Write a page of 180 × 120 points: red and green side by side above, black below."""
    path = folder / f"page.{kind}"
    with pymupdf.open() as document:
        page = document.new_page(width=180, height=120)
        for box, colour in (((0, 0, 90, 60), (1, 0, 0)), ((90, 0, 180, 60), (0, 1, 0)), ((0, 60, 180, 120), (0, 0, 0))):
            page.draw_rect(pymupdf.Rect(box), color=None, fill=colour)
        if kind == "pdf":
            document.save(path)
        else:
            picture = Image.open(io.BytesIO(page.get_pixmap(dpi=144).tobytes("png")))
            picture.save(path, dpi=(144, 144))
    return path


@pytest.mark.parametrize("kind", ["pdf", "png"])
def test_a_padded_view_shows_its_part_as_it_is_and_nothing_else(tmp_path: Path, kind: str) -> None:
    """Of half a page the other half is white; squeezed, the same part fills the view, and it is no other for being asked beside."""
    squeezed = Region("tile-000", TOP)
    with Child(Limits()) as child:
        child.open(written(tmp_path, kind))
        (alone,) = child.render(0, [squeezed], SIDE)
        beside, padded = child.render(0, [squeezed, squeezed.padded()], SIDE)
        (whole,) = child.render(0, [Region("page", Affine(180.0, 0.0, 0.0, 120.0, 0.0, 0.0)).padded()], SIDE)
    assert np.array_equal(alone, beside)
    assert [padded[y, x].tolist() for y, x in ((10, 20), (10, 70))] == [[255, 0, 0], [0, 255, 0]]
    assert (padded[30:] == 255).all()
    assert (padded[:29] != 255).any(axis=2).all()
    assert squeezed.affine.point(0.25, 0.5) == squeezed.padded().frame.point(0.25, 0.5 / 3)
    assert alone[45, 20].tolist() == [255, 0, 0]
    assert (whole[60:] == 255).all(), "nothing lies beyond the page"
    assert (whole[32:59] == 0).all(), "the page's lower half is black, above the padding"


def test_padding_changes_no_pixel_of_a_scan(tmp_path: Path) -> None:
    """The part of a padded view is what resizing the crop by itself to that size gives, bicubic as everywhere."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (240, 360, 3), dtype=np.uint8))
    noise.save(tmp_path / "scan.png", dpi=(144, 144))
    with Child(Limits()) as child:
        child.open(tmp_path / "scan.png")
        (whole,) = child.regions(0, "none", SIDE)
        (padded,) = child.render(0, [whole.padded()], SIDE)
    assert np.array_equal(padded[:60], np.asarray(noise.resize((90, 60), Image.Resampling.BICUBIC)))
