"""The memory that the child draws in and its parent reads: nothing is drawn over while somebody looks at it."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pymupdf
import pytest

from pipeline.documents.child import Child
from pipeline.documents.sheets import SHEET_BYTES, SHEET_PX, SHEETS, SHEETS_BYTES, Frames, Sheets
from pipeline.documents.tiles import whole_page
from schemas.job import Limits

SHEET = (SHEET_PX, SHEET_PX, 3)
WHOLE = whole_page(100.0, 100.0)


@pytest.fixture
def frames() -> Iterator[Frames]:
    held = Frames()
    yield held
    held.close()


@pytest.fixture(scope="module")
def many_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw more pages than there are sheets, each of a gray of its own."""
    path = tmp_path_factory.mktemp("many") / "pages.pdf"
    with pymupdf.open() as document:
        for number in range(SHEETS + 5):
            page = document.new_page(width=100, height=100)
            page.draw_rect(page.rect, color=None, fill=(number / 100,) * 3)
            page.draw_rect(pymupdf.Rect(0, 0, 50, 50), color=None, fill=(1, 1, 1))
        document.save(path)
    return path


def gray(number: int) -> int:
    return round(255 * number / 100)


@pytest.mark.parametrize("kept", [0, 1, SHEETS + 5])
def test_a_page_stays_as_it_is_however_long_it_is_kept(many_pages: Path, kept: int):
    """Pages that are kept are not drawn over, be they more than there are sheets; those that are dropped make room."""
    with Child(Limits()) as child:
        pages = child.open(many_pages).page_count
        views: list[np.ndarray] = []
        for index in range(pages):
            child.probe(index, text_layer=False)
            views += child.render(index, [WHOLE], SHEET_PX)
            views = views[-kept:] if kept else []
            first = index + 1 - len(views)
            assert [int(view[-1, -1, 0]) - gray(first + number) for number, view in enumerate(views)] == pytest.approx(
                [0] * len(views), abs=1
            )
    assert [int(view[-1, -1, 2]) for view in views] == pytest.approx(
        [gray(pages - len(views) + n) for n in range(len(views))], abs=1
    )


def test_a_page_outlives_the_process_that_drew_it(many_pages: Path):
    """Views stay readable once the child has ended and another has drawn; a part of one is enough to keep it."""
    with Child(Limits()) as child:
        child.open(many_pages)
        corner = child.render(50 % SHEETS, [WHOLE], SHEET_PX)[0][-2:, -2:]
        child.close()
        child.open(many_pages)
        (other,) = child.render(0, [WHOLE], SHEET_PX)
    assert (corner == corner[0, 0, 0]).all()
    assert int(corner[0, 0, 0]) == pytest.approx(gray(50 % SHEETS), abs=1)
    assert other[-1, -1].tolist() == [0, 0, 0]


def test_a_lent_page_is_nobodys_to_change(many_pages: Path):
    """The same page asked for twice is the same memory, so that it is read-only."""
    with Child(Limits()) as child:
        child.open(many_pages)
        one, other = child.render(3, [WHOLE, WHOLE], SHEET_PX)
        with pytest.raises(ValueError, match="read-only"):
            one[0, 0] = 7
        assert np.array_equal(one, other)


def test_sheets_are_told_apart_from_other_views():
    """A sheet is handed over where it lies, other views behind the sheets; it is drawn on again once it is not lent any more."""
    memory = os.memfd_create("pixels")
    os.ftruncate(memory, SHEETS_BYTES + 2 * 48)
    sheets = Sheets(memory)
    view = np.full((4, 4, 3), 7, dtype=np.uint8)
    first = sheets.next()
    assert sheets.hold([view, first, view], 96) == (SHEETS_BYTES, 0, SHEETS_BYTES + 48)
    assert os.pread(memory, 96, SHEETS_BYTES) == b"\7" * 96
    second = sheets.next()
    assert second is not first
    assert sheets.hold([second], 0) == (SHEET_BYTES,)
    sheets.spare([1])
    assert sheets.next() is first
    os.close(memory)


def test_where_all_sheets_are_lent_a_page_is_drawn_elsewhere():
    """A page more is drawn in memory of the child's own and copied, and no sheet is touched."""
    memory = os.memfd_create("pixels")
    os.ftruncate(memory, SHEETS_BYTES + SHEET_BYTES)
    sheets = Sheets(memory)
    sheets.spare(range(SHEETS))
    own = sheets.next()
    own.fill(9)
    assert sheets.hold([own], SHEET_BYTES) == (SHEETS_BYTES,)
    assert os.pread(memory, 1, SHEETS_BYTES - 1) == b"\0"
    assert os.pread(memory, SHEET_BYTES, SHEETS_BYTES) == b"\t" * SHEET_BYTES
    os.close(memory)


def test_a_sheet_is_lent_for_as_long_as_anything_of_it_is_used(frames: Frames):
    """An array, or another over the same memory, keeps a sheet lent; a copy does not."""
    (page,) = frames.at([SHEET_BYTES], SHEET)
    assert frames.lent == (1,)
    part, copied = page[3:9, :, 0].T, page.copy()
    del page
    assert frames.lent == (1,)
    del part
    assert frames.lent == ()
    assert copied.shape == SHEET


@pytest.mark.parametrize(
    ("start", "shape"),
    [(1, SHEET), (0, (4, 4, 3)), (SHEETS_BYTES, SHEET), (SHEETS_BYTES + 1, (4, 4, 3)), (SHEETS_BYTES + 10**12, (4, 4, 3))],
)
def test_a_frame_that_is_none_is_refused(frames: Frames, start: int, shape: tuple[int, int, int]):
    """What a child that was taken over says of its memory is not believed: a sheet is a sheet, and views end where their room ends."""
    frames.reserve(48)
    with pytest.raises(ValueError, match="begins at byte"):
        frames.at([start], shape)
