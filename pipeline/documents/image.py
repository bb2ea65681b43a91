"""Image files as documents, with Pillow: one page, and of a TIFF one a frame.

Views are resampled bicubic with antialiasing, so that the view of a whole page is exactly Pillow's resize of the picture, which is what
PaliGemma's reference image processor does.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from pipeline.documents.blank import is_blank_paper
from pipeline.documents.ink import darkest
from pipeline.documents.picture import Pixels, as_seen, size_pt
from pipeline.documents.pose import Pose, find_pose
from pipeline.documents.resample import view_of
from pipeline.documents.sheets import SHEET_PX
from pipeline.documents.tiles import whole_page
from pipeline.documents.wire import PageProbe
from pipeline.errors import DocumentError
from schemas.box import Box
from schemas.job import Limits
from schemas.page import Stage
from schemas.view import Affine

Image.MAX_IMAGE_PIXELS = None  # limits.pixels is asked instead, before anything is decoded

_PLUGINS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/tiff": "TIFF",
    "image/webp": "WEBP",
    "image/jp2": "JPEG2000",
    "image/gif": "GIF",
    "image/bmp": "BMP",
}
_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    ArithmeticError,
    TypeError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow's plugins raise on files that are not as they should be."""
_ORIENTATION = 274
_QUARTER_TURNS = (5, 6, 7, 8)


@dataclass(slots=True)
class _Frame:
    """The page at hand, decoded once; `small` is the whole of it in a square, `tone` the darkest channel of that, `pose` how its print lies, once
    it was looked for.
    """

    page_index: int
    picture: Image.Image
    width_pt: float
    height_pt: float
    small: Pixels
    tone: Pixels
    pose: Pose | None = None


class ImageDocument:
    """A picture, or the frames of a TIFF. `rotation` of its pages is 0: a camera's own turn is applied on decoding."""

    is_repaired = False

    def __init__(self, path: Path, media_type: str, limits: Limits) -> None:
        self.media_type = media_type
        self._limits = limits
        self._current: _Frame | None = None
        self._stream = path.open("rb")
        try:
            self._file = Image.open(self._stream, formats=(_PLUGINS[media_type],))
            self.page_count: int = getattr(self._file, "n_frames", 1) if media_type == "image/tiff" else 1
            self._check_pages()
            self._check_pixels("open")
        except _DAMAGED as exc:
            self._stream.close()
            words = "its header cannot be read" if isinstance(exc, UnidentifiedImageError) else str(exc)
            raise DocumentError("open", "damaged", f"the image is damaged: {words}") from exc
        except DocumentError:
            self._stream.close()
            raise

    def probe(self, page_index: int, *, text_layer: bool) -> PageProbe:
        del text_layer  # a picture has none
        frame = self._frame(page_index)
        blank = is_blank_paper(frame.tone)
        if blank:
            frame.pose = Pose(frame.width_pt, frame.height_pt)
        pose = self.pose(page_index)
        return PageProbe(page_index, frame.width_pt, frame.height_pt, 0, blank, None, pose.turn_deg, pose.skew_deg)

    def size_pt(self, page_index: int) -> tuple[float, float]:
        frame = self._frame(page_index)
        return frame.width_pt, frame.height_pt

    def picture(self, page_index: int) -> Pixels:
        return self._frame(page_index).small

    def pose(self, page_index: int) -> Pose:
        frame = self._frame(page_index)
        if frame.pose is None:
            frame.pose = find_pose(frame.tone, frame.width_pt, frame.height_pt)
        return frame.pose

    def layout(self, page_index: int) -> Sequence[Box]:
        del page_index  # a picture says nothing of its parts
        return ()

    def render(self, page_index: int, affines: Sequence[Affine], resolution: int) -> Iterator[Pixels]:
        frame = self._frame(page_index)
        fx, fy = frame.picture.width / frame.width_pt, frame.picture.height / frame.height_pt
        for each in affines:
            if resolution == SHEET_PX and each == whole_page(frame.width_pt, frame.height_pt).affine:
                yield frame.small
                continue
            to_pixels = Affine(each.a * fx, each.b * fy, each.c * fx, each.d * fy, each.e * fx, each.f * fy)
            yield view_of(frame.picture, to_pixels, resolution)

    def close(self) -> None:
        self._current = None
        self._file.close()
        self._stream.close()

    def _frame(self, page_index: int) -> _Frame:
        if self._current is None or self._current.page_index != page_index:
            self._current = None
            try:
                self._current = self._decoded(page_index)
            except _DAMAGED as exc:
                if "out of memory" in str(exc):
                    raise MemoryError from exc
                raise DocumentError("render", "damaged", f"the image is damaged: {exc}") from exc
        return self._current

    def _decoded(self, page_index: int) -> _Frame:
        self._file.seek(page_index)
        self._check_pixels("render")
        size = self._file.size
        turned = (
            getattr(self._file, "tag_v2", {}).get(_ORIENTATION, 1) in _QUARTER_TURNS
        )  # Pillow turns a TIFF's size beforehand
        picture = as_seen(self._file)
        turned = turned or picture.size != size
        dpi = self._file.info.get("dpi")
        if dpi is not None:
            dpi = (float(dpi[1]), float(dpi[0])) if turned else (float(dpi[0]), float(dpi[1]))
        small = np.asarray(picture.resize((SHEET_PX, SHEET_PX), Image.Resampling.BICUBIC))
        return _Frame(page_index, picture, *size_pt(picture.width, picture.height, dpi), small, darkest(small))

    def _check_pages(self) -> None:
        if self.page_count > self._limits.pages:
            message = f"{self.page_count} frames, more than limits.pages ({self._limits.pages})"
            raise DocumentError("open", "too_many_pages", message)

    def _check_pixels(self, stage: Stage) -> None:
        pixels = self._file.width * self._file.height
        if pixels > self._limits.pixels:
            raise DocumentError(stage, "too_many_pixels", f"{pixels} pixels, more than limits.pixels ({self._limits.pixels})")
