"""PDF files as documents, with PyMuPDF; the only file of the machine that imports it, and only the child loads it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pymupdf
from pymupdf import mupdf

from pipeline.documents.blank import is_blank
from pipeline.documents.document import Pixels
from pipeline.documents.textlayer import TextLayer
from pipeline.documents.wire import PageProbe
from pipeline.errors import DocumentError
from schemas.box import Box
from schemas.job import Limits
from schemas.page import Line
from schemas.view import Affine

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)


class PdfDocument:
    """A PDF; its pages are read one at a time."""

    media_type = "application/pdf"

    def __init__(self, path: Path, limits: Limits, passwords: Sequence[str]) -> None:
        self._limits = limits
        self._page: tuple[int, pymupdf.Page, pymupdf.DisplayList] | None = None
        try:
            self._file = pymupdf.open(path, filetype="pdf")
        except (pymupdf.FileDataError, RuntimeError, ValueError) as exc:
            raise DocumentError("open", "damaged", f"the PDF is damaged: {exc}") from exc
        if self._file.needs_pass:
            if not passwords:
                raise DocumentError(
                    "open", "password_needed", "the document is encrypted; give its password in source.passwords"
                )
            if not any(self._file.authenticate(password) for password in passwords):
                raise DocumentError("open", "password_wrong", "the document is encrypted, and no password given opens it")
        self.page_count = self._file.page_count
        if self.page_count == 0:
            raise DocumentError("open", "no_pages", "the document has no pages; most often it is truncated")
        if self.page_count > limits.pages:
            raise DocumentError("open", "too_many_pages", f"{self.page_count} pages, more than limits.pages ({limits.pages})")

    def probe(self, page_index: int, *, text_layer: bool) -> PageProbe:
        page, shown = self._load(page_index)
        rect = page.rect
        gray = _draw_gray(shown, rect)
        layer = _text_layer(page, shown) if text_layer else None
        return PageProbe(page_index, rect.width, rect.height, page.rotation, is_blank(gray), layer)

    def render(self, page_index: int, affines: Sequence[Affine], resolution: int) -> Iterator[Pixels]:
        page, shown = self._load(page_index)
        for affine in affines:
            matrix = pymupdf.Matrix(affine.a, affine.b, affine.c, affine.d, affine.e, affine.f)
            inverse = ~matrix
            yield _draw(shown, inverse * pymupdf.Matrix(resolution, resolution), resolution, resolution, pymupdf.csRGB)

    def close(self) -> None:
        self._page = None
        self._file.close()

    def _load(self, page_index: int) -> tuple[pymupdf.Page, pymupdf.DisplayList]:
        if self._page is None or self._page[0] != page_index:
            self._page = None
            try:
                page = self._file[page_index]
                self._page = page_index, page, page.get_displaylist()
            except (RuntimeError, ValueError) as exc:
                raise DocumentError("render", "damaged", f"the page is damaged: {exc}") from exc
        return self._page[1:]


def _draw(shown, matrix, width, height, space):
    pixmap = mupdf.fz_new_pixmap_with_bbox(space.this, mupdf.FzIrect(0, 0, width, height), mupdf.FzSeparations(), 0)
    mupdf.fz_clear_pixmap_with_value(pixmap, 0xFF)
    device = mupdf.fz_new_draw_device(mupdf.FzMatrix(*matrix), pixmap)
    mupdf.fz_run_display_list(shown.this, device, mupdf.FzMatrix(), mupdf.FzRect(mupdf.FzRect.Fixed_INFINITE), mupdf.FzCookie())
    mupdf.fz_close_device(device)
    drawn = pymupdf.Pixmap("raw", pixmap)
    return np.frombuffer(drawn.samples, dtype=np.uint8).reshape(height, width, drawn.n)


def _draw_gray(shown, rect):
    longest = max(rect.width, rect.height)
    scale = 800 / longest
    width, height = max(1, round(rect.width * scale)), max(1, round(rect.height * scale))
    return _draw(shown, pymupdf.Matrix(scale, scale), width, height, pymupdf.csGRAY)[:, :, 0]


def _text_layer(page, shown):
    found = pymupdf.TextPage(shown.get_textpage(pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP)).extractDICT()
    lines = []
    for block in found["blocks"]:
        for line in block.get("lines", ()):
            text = "".join(span["text"] for span in line["spans"]).strip()
            if text:
                x0, y0, x1, y1 = line["bbox"]
                lines.append(Line(text=text, box=Box(x0=x0, y0=y0, x1=x1, y1=y1)))
    text = "\n".join(line.text for line in lines)
    return TextLayer("trusted" if text else "empty", None if text else "no text", text, tuple(lines), (), 0)
