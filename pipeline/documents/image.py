"""Image files as documents, with Pillow: one page a frame, as a person sees it.

A page's size in points comes from the file's resolution where that is believable. Views are resampled bicubic with antialiasing, so
that the view of a whole page is exactly Pillow's resize of the picture, which is what PaliGemma's reference image processor does.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.documents.blank import is_blank
from pipeline.documents.document import Pixels
from pipeline.documents.wire import PageProbe
from pipeline.errors import DocumentError
from schemas.job import Limits
from schemas.view import Affine

Image.MAX_IMAGE_PIXELS = None  # limits.pixels is asked instead, before anything is decoded

_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, UnidentifiedImageError)


class ImageDocument:
    """A picture, or a file of several."""

    def __init__(self, path: Path, media_type: str, limits: Limits) -> None:
        self.media_type = media_type
        self._limits = limits
        self._current: tuple[int, Image.Image] | None = None
        try:
            self._file = Image.open(path)
            self.page_count = getattr(self._file, "n_frames", 1)
        except _DAMAGED as exc:
            raise DocumentError("open", "damaged", f"the image is damaged: {exc}") from exc
        self._check_pixels("open")

    def probe(self, page_index: int, *, text_layer: bool) -> PageProbe:
        picture = self._picture(page_index)
        width, height = self._size_pt(picture)
        small = picture.convert("L")
        small.thumbnail((800, 800), Image.Resampling.BOX)
        return PageProbe(page_index, width, height, 0, is_blank(np.asarray(small)), None)

    def render(self, page_index: int, affines: Sequence[Affine], resolution: int) -> Iterator[Pixels]:
        picture = self._picture(page_index)
        width, height = self._size_pt(picture)
        for affine in affines:
            x0, y0, x1, y1 = affine.e, affine.f, affine.e + affine.a, affine.f + affine.d
            fx, fy = picture.width / width, picture.height / height
            box = (max(x0 * fx, 0), max(y0 * fy, 0), min(x1 * fx, picture.width), min(y1 * fy, picture.height))
            yield np.asarray(picture.resize((resolution, resolution), Image.Resampling.BICUBIC, box=box))

    def close(self) -> None:
        self._file.close()

    def _picture(self, page_index: int) -> Image.Image:
        if self._current is None or self._current[0] != page_index:
            self._current = None
            try:
                self._file.seek(page_index)
                self._check_pixels("render")
                self._current = page_index, ImageOps.exif_transpose(self._file).convert("RGB")
            except _DAMAGED as exc:
                raise DocumentError("render", "damaged", f"the image is damaged: {exc}") from exc
        return self._current[1]

    def _size_pt(self, picture: Image.Image) -> tuple[float, float]:
        return float(picture.width), float(picture.height)

    def _check_pixels(self, stage: str) -> None:
        pixels = self._file.width * self._file.height
        if pixels > self._limits.pixels:
            raise DocumentError(
                "render", "too_many_pixels", f"{pixels} pixels, more than limits.pixels ({self._limits.pixels})"
            )
