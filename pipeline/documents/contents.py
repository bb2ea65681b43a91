"""What a PDF page's drawing is made of: whether any of it is text, and how much of it images; it knows no document.

MuPDF is asked while it goes through the drawing, which takes a fiftieth of the time of having it list everything.
"""

from typing import Any, TypeVar

import pymupdf
from pymupdf import mupdf


def has_text(drawing: pymupdf.DisplayList) -> bool:
    """Say whether any text is painted; what is invisible does not count."""
    return bool(_ran(_TextSeeker(), drawing).found)


def image_area_pt2(drawing: pymupdf.DisplayList) -> float:
    """Return the area that images are drawn on, in square points, those that overlap counted each."""
    return float(_ran(_ImageMeter(), drawing).area_pt2)


class _TextSeeker(mupdf.FzDevice2):  # type: ignore[misc]
    """Stops the drawing at the first text."""

    def __init__(self) -> None:
        super().__init__()
        self.cookie = mupdf.FzCookie()
        self.found = False
        self.use_virtual_fill_text()
        self.use_virtual_stroke_text()

    def fill_text(self, *_: Any) -> None:  # noqa: ANN401  (MuPDF's own structures)
        self.found = True
        self.cookie.m_internal.abort = 1

    stroke_text = fill_text


class _ImageMeter(mupdf.FzDevice2):  # type: ignore[misc]
    """Adds up areas."""

    def __init__(self) -> None:
        super().__init__()
        self.cookie = mupdf.FzCookie()
        self.area_pt2 = 0.0
        self.use_virtual_fill_image()
        self.use_virtual_fill_image_mask()

    def fill_image(self, _context: Any, _image: Any, to_page: Any, *_: Any) -> None:  # noqa: ANN401  (MuPDF's own structures)
        self.area_pt2 += abs(to_page.a * to_page.d - to_page.b * to_page.c)

    fill_image_mask = fill_image


D = TypeVar("D", _TextSeeker, _ImageMeter)


def _ran(device: D, drawing: pymupdf.DisplayList) -> D:
    everything = mupdf.FzRect(mupdf.FzRect.Fixed_INFINITE)
    mupdf.fz_run_display_list(drawing.this, device, mupdf.FzMatrix(), everything, device.cookie)
    mupdf.fz_close_device(device)
    return device
