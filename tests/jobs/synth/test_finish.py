"""Finishes: what each file is, that a scan's truth leans with its pixels, and that what should be hard to open is."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from numpy.typing import NDArray

from jobs.synth import generate
from jobs.synth.finish import PASSWORD
from pipeline.documents.document import open_document
from schemas.box import Box
from schemas.job import Limits
from schemas.truth import DocumentTruth, PageTruth

Render = Callable[[bytes, DocumentTruth], list[NDArray[np.uint8]]]
SCALE = 3.0


def ink_within(gray: NDArray[np.uint8], page: PageTruth) -> float:
    """Return the share of the page's ink, specks aside, that lies in the boxes of its glyphs."""
    dark = gray < np.median(gray) * 0.6
    covered = np.zeros_like(dark)
    for index in range(len(page.glyphs.text)):
        box = page.glyphs.box(index)
        covered[round(box.y0 * SCALE) : round(box.y1 * SCALE), round(box.x0 * SCALE) : round(box.x1 * SCALE)] = True
    return float((dark & covered).sum() / dark.sum())


@pytest.mark.parametrize("finish", ["scan", "jpeg", "tiff"])
def test_a_scans_truth_leans_with_its_pixels(finish, pages_as_seen: Render):
    """Nearly all ink lies in the carried boxes, and much less in those of the page before it was laid in askew."""
    upright = generate("text", 2)[1].pages[0]
    data, truth = generate("text", 2, finish)
    gray, page = pages_as_seen(data, truth)[0], truth.pages[0]
    assert ink_within(gray, page) > 0.95
    assert ink_within(gray, page) > ink_within(gray, upright) + 0.03


def test_scans_lean_to_both_sides():
    """Over some seeds the last glyph of a line stands now higher, now lower than the first."""
    falls = []
    for seed in range(12):
        page = generate("text", seed, "scan")[1].pages[0]
        index = max(range(len(page.lines)), key=lambda at, lines=page.lines: lines[at].box.width)
        first = sum(len(line.text.replace(" ", "")) for line in page.lines[:index])
        last = first + len(page.lines[index].text.replace(" ", "")) - 1
        falls.append(page.glyphs.box(last).y0 - page.glyphs.box(first).y0)
    assert min(falls) < -1
    assert max(falls) > 1


def test_a_rotated_page_looks_like_the_upright_one(pages_as_seen: Render):
    """It is stored lying on its side, and /Rotate sets it up again: the same picture and the same truth."""
    plain, rotated = generate("invoice", 5), generate("invoice", 5, "rotated")
    with pymupdf.open(stream=rotated[0]) as document:
        assert document[0].rotation == 90
        assert document[0].mediabox.width == rotated[1].pages[0].height_pt
    difference = np.abs(pages_as_seen(*plain)[0].astype(int) - pages_as_seen(*rotated)[0].astype(int))
    assert difference.mean() < 0.5
    assert rotated[1].pages[0] == plain[1].pages[0].model_copy(update={"rotation": 90})


def test_an_encrypted_document_opens_with_its_password_alone():
    """Without the password there is no page; with it the text is the truth's."""
    data, truth = generate("letter", 5, "encrypted")
    assert truth.password == PASSWORD
    with pymupdf.open(stream=data) as document:
        assert document.needs_pass
        assert not document.authenticate("wrong")
        assert document.authenticate(PASSWORD)
        assert document[0].get_text().split() == truth.pages[0].text.split()
    assert truth.pages[0].lines[0].text.encode() not in data


@pytest.mark.parametrize("kind", ["article", "statement", "form"])
def test_a_truncated_document_has_no_page(kind):
    """It begins as a PDF, opens, and is empty; so is its truth."""
    data, truth = generate(kind, 5, "truncated")
    assert data.startswith(b"%PDF-")
    assert truth.damage == "truncated"
    assert truth.pages == ()
    with pymupdf.open(stream=data) as document:
        assert document.page_count == 0


@pytest.mark.parametrize("finish", ["pdf", "scan", "png", "jpeg", "tiff", "jp2", "rotated"])
def test_the_pipeline_sees_pages_of_the_truths_size(finish, tmp_path: Path):
    """Number, size and rotation of the pages, and the media type, are what the pipeline itself finds."""
    data, truth = generate("statement", 4, finish)
    path = tmp_path / "document"
    path.write_bytes(data)
    with closing(open_document(path, Limits(), ())) as document:
        assert document.media_type == truth.media_type
        assert document.page_count == len(truth.pages) == (2 if finish in ("pdf", "scan", "tiff", "rotated") else 1)
        for page in truth.pages:
            seen = document.probe(page.page_index, text_layer=False)
            # PNG counts dots by the metre, so its page is a tenth of a point off.
            assert (seen.width_pt, seen.height_pt) == pytest.approx((page.width_pt, page.height_pt), abs=0.2)
            assert seen.rotation == page.rotation


@pytest.mark.parametrize("finish", ["scan", "jpeg", "tiff"])
def test_carried_boxes_stay_on_their_page(finish):
    """Askew and shifted, every line is still on the page."""
    for seed in range(3):
        for page in generate("invoice", seed, finish)[1].pages:
            sheet = Box(x0=0, y0=0, x1=page.width_pt, y1=page.height_pt)
            for line in page.lines:
                assert line.box is not None
                assert sheet.intersection(line.box) == pytest.approx(line.box.area)
