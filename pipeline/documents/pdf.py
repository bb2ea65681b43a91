"""PDF files as documents, with PyMuPDF; besides drawing.py, contents.py and inks.py no file of the machine imports it, and only the child loads it.

Coordinates are those of the page as a person sees it: cropped, turned by /Rotate, with its annotations and form fields drawn.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import pymupdf
from pymupdf import mupdf

from pipeline.documents.blank import is_blank_paper, is_uniform
from pipeline.documents.contents import has_text, image_area_pt2
from pipeline.documents.drawing import draw_section, draw_whole, drawn
from pipeline.documents.glyphs import Glyph, GlyphLine
from pipeline.documents.ink import Ink, darkest
from pipeline.documents.picture import Pixels
from pipeline.documents.pose import Pose, find_pose
from pipeline.documents.sections import is_one_section, sections_under
from pipeline.documents.sheets import SHEET_PX, NewSheet, own_sheet
from pipeline.documents.textlayer import Found, TextLayer, read
from pipeline.documents.tiles import whole_page
from pipeline.documents.wire import PageProbe
from pipeline.errors import DocumentError
from schemas.box import Box
from schemas.job import Limits
from schemas.page import Stage
from schemas.view import Affine

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)
pymupdf.no_recommend_layout()

_LARGEST_PT = 10.0**7
_SHARE_OF_SCAN = 0.2
"""Images that cover more of the page than this may be pictures of paper."""
_SHARE_OF_PICTURE = 0.6
"""Where they cover more than this, text may be what was read from them, and says nothing of how they lie."""

_COMPLAINTS = ("error", "cannot", "non-page object")
_MEMORY = ("alloc", "exceeds system limits", "out of memory")
_LEAST_PATHS = 2
"""A grid is at least a rectangle and a line, or a path and another."""

T = TypeVar("T")
_Log = list[tuple[str, tuple[float, float, float, float]]]
"""PyMuPDF's log of what is drawn, in order: its kind and its box on the page before it is turned."""


@dataclass(slots=True)
class _Shown:
    """The page at hand, interpreted once and drawn as often as needed."""

    page_index: int
    page: pymupdf.Page
    rect: pymupdf.Rect
    drawing: pymupdf.DisplayList
    has_images: bool
    picture: Pixels | None = None
    tone: Pixels | None = None
    pose: Pose | None = None
    log: _Log | None = None


class PdfDocument:
    """A PDF; one page at a time is kept."""

    media_type = "application/pdf"

    def __init__(self, path: Path, limits: Limits, passwords: Sequence[str], new_sheet: NewSheet = own_sheet) -> None:
        self._limits, self._new_sheet = limits, new_sheet
        self._shown: _Shown | None = None
        self._file = _tried("open", lambda: pymupdf.open(path, filetype="pdf"))
        if self._file.needs_pass:
            self._authenticate(passwords)
        self.page_count: int = _tried("open", lambda: int(self._file.page_count))
        self.is_repaired = bool(self._file.is_repaired)
        if self.page_count == 0:
            raise DocumentError("open", "no_pages", "the document opens, but has no pages; most often it is truncated")
        if self.page_count > limits.pages:
            raise DocumentError("open", "too_many_pages", f"{self.page_count} pages, more than limits.pages ({limits.pages})")

    def probe(self, page_index: int, *, text_layer: bool) -> PageProbe:
        shown = self._page(page_index)
        width_pt, height_pt = self.size_pt(page_index)
        picture = self.picture(page_index)
        if is_uniform(picture):
            blank = not _tried("render", lambda: _shows_closer(shown))
        else:
            blank = shown.has_images and _is_scan(shown) and is_blank_paper(self._tone(page_index))
        if blank:
            _check_complaints()
            _tried("render", lambda: _check_contents(self._file, shown.page))
            shown.pose = Pose(width_pt, height_pt)
        layer = _tried("render", lambda: _layer(shown, Ink.of(picture))) if text_layer else None
        pose = self.pose(page_index)
        return PageProbe(
            page_index, width_pt, height_pt, shown.page.rotation, blank, layer, turn_deg=pose.turn_deg, skew_deg=pose.skew_deg
        )

    def size_pt(self, page_index: int) -> tuple[float, float]:
        rect = self._page(page_index).rect
        return rect.width, rect.height

    def picture(self, page_index: int) -> Pixels:
        shown = self._page(page_index)
        if shown.picture is None:
            shown.picture = _tried("render", lambda: draw_whole(shown.drawing, shown.rect, self._new_sheet()))
        return shown.picture

    def pose(self, page_index: int) -> Pose:
        """Look how the print lies on a page that is a picture, or has no text that could tell; a page with text is upright."""
        shown = self._page(page_index)
        if shown.pose is None:
            shown.pose = Pose(*self.size_pt(page_index))
            if _tried("render", lambda: _is_picture(shown)):
                shown.pose = find_pose(self._tone(page_index), shown.pose.width_pt, shown.pose.height_pt)
        return shown.pose

    def layout(self, page_index: int) -> Sequence[Box]:
        """Return PyMuPDF's layout regions of a page with a text layer; of a page without one it knows nothing."""
        page = self._page(page_index).page
        if not _tried("render", page.get_text).strip():
            return ()
        _tried("render", page.get_layout)
        parts: list[Sequence[float]] = page.layout_information or []
        return [_box(pymupdf.Rect(part[:4])) for part in parts]

    def render(self, page_index: int, affines: Sequence[Affine], resolution: int) -> Iterator[Pixels]:
        shown, picture = self._page(page_index), partial(self.picture, page_index)
        for affine in affines:
            if affine == whole_page(shown.rect.width, shown.rect.height).affine and resolution == SHEET_PX:
                yield picture()
            else:
                yield _tried("render", partial(drawn, shown.drawing, affine, resolution, shown.rect, picture))

    def close(self) -> None:
        self._shown = None
        self._file.close()

    def _tone(self, page_index: int) -> Pixels:
        """Return the darkest channel of the page's picture."""
        shown = self._page(page_index)
        if shown.tone is None:
            shown.tone = darkest(self.picture(page_index))
        return shown.tone

    def _authenticate(self, passwords: Sequence[str]) -> None:
        if not passwords:
            raise DocumentError("open", "password_needed", "the document is encrypted; name its password in source.passwords")
        if not any(self._file.authenticate(password) for password in passwords):
            raise DocumentError("open", "password_wrong", "the document is encrypted, and none of the passwords given opens it")

    def _page(self, page_index: int) -> _Shown:
        if self._shown is None or self._shown.page_index != page_index:
            self._shown = None
            pymupdf.TOOLS.reset_mupdf_warnings()
            page = _tried("render", lambda: _loaded(self._file, page_index))
            rect = page.rect  # MuPDF works it out anew each time
            _check_size(rect)
            has_images = _tried("render", lambda: _names_objects(page)) and self._has_images(page_index)
            self._shown = _Shown(page_index, page, rect, _tried("render", page.get_displaylist), has_images)
        return self._shown

    def _has_images(self, page_index: int) -> bool:
        """Refuse images that say they are too large, before one is decoded; memory's own limit is for those that lie."""
        images = _tried("render", lambda: self._file.get_page_images(page_index, full=True))
        pixels = max((int(image[2]) * int(image[3]) for image in images), default=0)
        if pixels > self._limits.pixels:
            message = f"the page holds an image of {pixels} pixels, more than limits.pixels ({self._limits.pixels})"
            raise DocumentError("render", "too_many_pixels", message)
        return bool(images)


def _tried(stage: Stage, action: Callable[[], T]) -> T:
    """Do something with MuPDF, whose errors are RuntimeErrors, whatever they mean."""
    try:
        return action()
    except (RuntimeError, ValueError, LookupError, OSError, mupdf.FzErrorBase) as exc:
        message = str(exc)
        raise _refusal(stage, message) from exc


def _loaded(file: pymupdf.Document, page_index: int) -> pymupdf.Page:
    """Return a page; where its crop box shows nothing of it, whole, as other readers show it (MuPDF shows an empty Letter page)."""
    page = _turned(file, file[page_index])
    crop, media = _sides(page, "CropBox"), _sides(page, "MediaBox")
    if crop is None or media is None or crop.intersects(media):
        return page
    file.xref_set_key(page.xref, "CropBox", f"[{media.x0:f} {media.y0:f} {media.x1:f} {media.y1:f}]")
    return file.reload_page(page)


def _turned(file: pymupdf.Document, page: pymupdf.Page) -> pymupdf.Page:
    """Return a page as far turned as it says; no multiple of 90 degrees turns nothing, as in other readers (MuPDF draws the next one)."""
    if mupdf.pdf_to_int(mupdf.pdf_dict_get_inheritable(_object(page), mupdf.PDF_ENUM_NAME_Rotate)) % 90 == 0:
        return page
    file.xref_set_key(page.xref, "Rotate", "0")
    return file.reload_page(page)


def _sides(page: pymupdf.Page, box: str) -> pymupdf.Rect | None:
    """Return one of the page's boxes as the file has it, origin bottom left, or None where there is none."""
    stated = mupdf.pdf_dict_get_inheritable(_object(page), mupdf.pdf_new_name(box))
    if not mupdf.pdf_is_array(stated):
        return None
    rect = mupdf.pdf_to_rect(stated)
    return pymupdf.Rect(rect.x0, rect.y0, rect.x1, rect.y1)


def _names_objects(page: pymupdf.Page) -> bool:
    """Say whether the page's resources name anything that may be an image, or hold one: listing images takes long."""
    resources = mupdf.pdf_dict_get_inheritable(_object(page), mupdf.PDF_ENUM_NAME_Resources)
    return bool(mupdf.pdf_dict_len(mupdf.pdf_dict_get(resources, mupdf.PDF_ENUM_NAME_XObject)))


def _object(page: pymupdf.Page) -> mupdf.PdfObj:
    return (page.this if isinstance(page.this, mupdf.PdfPage) else mupdf.pdf_page_from_fz_page(page.this)).obj()


def _check_contents(file: pymupdf.Document, page: pymupdf.Page) -> None:
    """Refuse a page that names what is drawn on it where the file has no such thing, as one that was cut off: it is not blank, but lost."""
    if any(number and not file.xref_is_stream(number) for number in page.get_contents()):
        raise DocumentError("render", "damaged", "the PDF is damaged: what is drawn on the page is missing from the file")


def _check_complaints() -> None:
    """Refuse a page on which nothing was drawn because MuPDF, which goes on where it can, could not draw what there is."""
    for complaint in pymupdf.TOOLS.mupdf_warnings(reset=False).splitlines():
        if any(word in complaint for word in _COMPLAINTS):
            raise _refusal("render", complaint)


def _refusal(stage: Stage, complaint: str) -> DocumentError:
    if any(word in complaint for word in _MEMORY):
        return DocumentError(stage, "out_of_memory", f"it needed more than limits.memory: {complaint}")
    return DocumentError(stage, "damaged", f"the PDF is damaged: {complaint}")


def _check_size(rect: pymupdf.Rect) -> None:
    if not (0 < rect.width <= _LARGEST_PT and 0 < rect.height <= _LARGEST_PT):
        raise DocumentError("render", "page_size", f"a page of {rect.width:g} × {rect.height:g} points cannot be drawn")


def _is_picture(shown: _Shown) -> bool:
    """Say whether all that a person sees of the page is drawn: an image over most of it, or no text at all."""
    return not has_text(shown.drawing) or _share_of_images(shown) > _SHARE_OF_PICTURE


def _is_scan(shown: _Shown) -> bool:
    """Say whether the page may be a picture of paper."""
    return _share_of_images(shown) > _SHARE_OF_SCAN


def _share_of_images(shown: _Shown) -> float:
    return image_area_pt2(shown.drawing) / float(shown.rect.width * shown.rect.height)


def _shows_closer(shown: _Shown) -> bool:
    """Say whether anything can be seen on a page whose picture as a whole shows nothing, because it is so large."""
    page = _box(shown.rect)
    if is_one_section(page):
        return False
    drawn_on = sections_under(page, (_box(pymupdf.Rect(box) * shown.page.rotation_matrix) for _, box in _log(shown)))
    return not all(is_uniform(draw_section(shown.drawing, section)) for section in drawn_on)


def _layer(shown: _Shown, ink: Ink) -> TextLayer:
    """Read the text layer; `ink` is that of the page's picture."""
    found = _found(shown)
    return read(found, ink, lambda section: ink if section == found.page else Ink.of(draw_section(shown.drawing, section)))


def _log(shown: _Shown) -> _Log:
    if shown.log is None:
        shown.log = shown.page.get_bboxlog()
    return shown.log


def _images(page: pymupdf.Page, log: _Log) -> tuple[Box, ...]:
    return tuple(_box(pymupdf.Rect(box) * page.rotation_matrix) for kind, box in log if kind in ("fill-image", "fill-imgmask"))


def _found(shown: _Shown) -> Found:
    log = _log(shown)
    images = _images(shown.page, log)
    covered = _covered(shown.page, log) if images else set()
    lines = tuple(
        GlyphLine(tuple(_glyphs(line, covered)), tuple(line["dir"]) == (1.0, 0.0))
        for block in _all_text(shown.page)["blocks"]
        for line in block.get("lines", ())
    )
    return Found(Box(x0=0.0, y0=0.0, x1=shown.rect.width, y1=shown.rect.height), lines, images, _tables(shown.page, log))


def _all_text(page: pymupdf.Page) -> dict:  # type: ignore[type-arg]
    """Return PyMuPDF's raw dictionary of the whole page, annotations and what lies off it included."""
    text = mupdf.FzStextPage(mupdf.FzRect(mupdf.FzRect.Fixed_INFINITE))
    device = mupdf.fz_new_stext_device(text, mupdf.FzStextOptions(pymupdf.TEXT_PRESERVE_WHITESPACE))
    mupdf.fz_run_page(
        page.this.super() if isinstance(page.this, mupdf.PdfPage) else page.this, device, mupdf.FzMatrix(), mupdf.FzCookie()
    )
    mupdf.fz_close_device(device)
    return pymupdf.TextPage(text).extractRAWDICT()


def _glyphs(line: dict, covered: set[tuple[int, int]]) -> Iterator[Glyph]:  # type: ignore[type-arg]
    for span in line["spans"]:
        color = span["color"]
        tone = min(color >> 16 & 255, color >> 8 & 255, color & 255)
        painted = bool(span["char_flags"] & (mupdf.FZ_STEXT_FILLED | mupdf.FZ_STEXT_STROKED)) and span["alpha"] > 0
        for char in span["chars"]:
            x, y = char["origin"]
            yield Glyph(char["c"], char["bbox"], tone, painted, bool(covered) and (round(x), round(y)) in covered)


def _covered(page: pymupdf.Page, log: _Log) -> set[tuple[int, int]]:
    """Return the origins, in whole points, of the characters over which an opaque image is drawn later."""
    masked = [pymupdf.Rect(image["bbox"]) for image in page.get_image_info() if image.get("has-mask")]
    drawn = [(number, pymupdf.Rect(box)) for number, (kind, box) in enumerate(log) if kind == "fill-image"]
    opaque = [(number, box) for number, box in drawn if not any(abs(box - other) < 1 for other in masked)]
    if not opaque:
        return set()
    covered: set[tuple[int, int]] = set()
    for span in page.get_texttrace():
        later = [box for number, box in opaque if number > span["seqno"]]
        for _, _, origin, box in span["chars"] if later else ():
            middle = pymupdf.Point((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
            if any(middle in image for image in later):
                x, y = pymupdf.Point(origin) * page.rotation_matrix
                covered |= {(round(x + dx), round(y + dy)) for dx in (-0.2, 0.2) for dy in (-0.2, 0.2)}
    return covered


def _tables(page: pymupdf.Page, log: _Log) -> tuple[tuple[Box, ...], ...]:
    """Return the cells of each table that ruled lines or shading draw; looking for them takes long, so not where nothing is drawn."""
    if sum(1 for kind, _ in log if kind in ("fill-path", "stroke-path")) < _LEAST_PATHS:
        return ()
    tables = page.find_tables(use_layout=False).tables
    return tuple(tuple(_box(pymupdf.Rect(cell)) for cell in table.cells if cell) for table in tables if table.cells)


def _box(rect: pymupdf.Rect) -> Box:
    return Box(x0=rect.x0, y0=rect.y0, x1=rect.x1, y1=rect.y1)
