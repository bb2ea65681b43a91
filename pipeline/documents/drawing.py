"""Views of a PDF's page, drawn by MuPDF straight at their size; it knows a page's drawing and size, not its document."""

from collections.abc import Callable
from math import hypot

import numpy as np
import pymupdf
from PIL import Image
from pymupdf import mupdf

from pipeline.documents.picture import Pixels
from pipeline.documents.resample import is_parallel, view_of
from pipeline.documents.sheets import SHEET_PX, own_sheet
from pipeline.documents.tiles import whole_page
from schemas.box import Box
from schemas.view import Affine

_WHITE = 255
Picture = Callable[[], Pixels]


def drawn(drawing: pymupdf.DisplayList, affine: Affine, resolution: int, page: pymupdf.Rect, picture: Picture) -> Pixels:
    """Return a view on white paper, RGB of shape (resolution, resolution, 3); `affine` maps its fractions to points of the page.

    `picture` gives one of the whole page, squeezed into a sheet; a view that lies askew and is no finer is made from it.
    """
    if is_parallel(affine):
        return _upright(drawing, affine, np.empty((resolution, resolution, 3), dtype=np.uint8))
    return _turned(drawing, affine, resolution, page, picture)


def draw_whole(drawing: pymupdf.DisplayList, page: pymupdf.Rect, sheet: Pixels) -> Pixels:
    """Draw the whole page on the sheet, whatever was there, and return that."""
    return _upright(drawing, whole_page(page.width, page.height).affine, sheet)


def draw_section(drawing: pymupdf.DisplayList, section: Box) -> Pixels:
    """Return a part of the page as large as a sheet."""
    return _upright(drawing, Affine.of_box(section), own_sheet())


def _turned(drawing: pymupdf.DisplayList, affine: Affine, resolution: int, page: pymupdf.Rect, picture: Picture) -> Pixels:
    """Draw a view that lies askew: upright first, at the view's scale, because MuPDF skips pixels of images that it turns."""
    along_u, along_v = resolution / hypot(affine.a, affine.b), resolution / hypot(affine.c, affine.d)
    fx, fy = (along_u, along_v) if abs(affine.a) >= abs(affine.b) else (along_v, along_u)
    finest_x, finest_y = SHEET_PX / page.width, SHEET_PX / page.height
    if fx <= finest_x and fy <= finest_y:
        return view_of(Image.fromarray(picture()), affine.then(Affine(finest_x, 0.0, 0.0, finest_y, 0.0, 0.0)), resolution)
    shown = affine.box(0.0, 0.0, 1.0, 1.0)
    x0, y0, x1, y1 = max(shown.x0, 0.0), max(shown.y0, 0.0), min(shown.x1, page.width), min(shown.y1, page.height)
    width, height = max(1, round((x1 - x0) * fx)), max(1, round((y1 - y0) * fy))
    upright = _upright(drawing, Affine(x1 - x0, 0.0, 0.0, y1 - y0, x0, y0), np.empty((height, width, 3), dtype=np.uint8))
    to_pixels = Affine(width / (x1 - x0), 0.0, 0.0, height / (y1 - y0), -x0 * width / (x1 - x0), -y0 * height / (y1 - y0))
    return view_of(Image.fromarray(upright), affine.then(to_pixels), resolution)


def _upright(drawing: pymupdf.DisplayList, affine: Affine, pixels: Pixels) -> Pixels:
    """Draw a view straight at its size in pixels, on white paper: into `pixels`, which is returned."""
    height, width, _ = pixels.shape
    to_page = pymupdf.Matrix(affine.a, affine.b, affine.c, affine.d, affine.e, affine.f)
    to_view = ~to_page * pymupdf.Matrix(width, height)
    pixels.fill(_WHITE)
    own = mupdf.python_mutable_buffer_data(pixels.data.cast("B"))  # drawn where it stays, and not copied out of MuPDF
    pixmap = mupdf.fz_new_pixmap_with_data(pymupdf.csRGB.this, width, height, mupdf.FzSeparations(), 0, width * 3, own)
    device = mupdf.fz_new_draw_device(mupdf.FzMatrix(*to_view), pixmap)
    everything = mupdf.FzRect(mupdf.FzRect.Fixed_INFINITE)
    mupdf.fz_run_display_list(drawing.this, device, mupdf.FzMatrix(), everything, mupdf.FzCookie())
    mupdf.fz_close_device(device)
    return pixels
