"""The files that drawn pages become: born-digital or scanned PDF, images, and files that are hard to open on purpose.

A finish takes the pages and their truth, and gives bytes and the truth of what is on them now.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

import pymupdf
from PIL import Image

from jobs.synth.canvas import Canvas
from jobs.synth.lock import locked
from jobs.synth.pdf import pdf, saved
from jobs.synth.scanner import Wear, picture, scanned
from jobs.synth.skew import Skew
from schemas.truth import PageTruth

Finish = Literal["pdf", "scan", "png", "jpeg", "tiff", "jp2", "rotated", "encrypted", "truncated"]
FINISHES: tuple[Finish, ...] = get_args(Finish)
PASSWORD = "pagemill"  # noqa: S105 - it stands in the truth for all to read
SUFFIXES: dict[Finish, str] = {"png": ".png", "jpeg": ".jpg", "tiff": ".tif", "jp2": ".jp2"}

_JP2_DPI = 96
"""Pillow writes no resolution into JPEG 2000, and a reader then takes 96."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A file, and what is true of its pages."""

    data: bytes
    media_type: str
    pages: tuple[PageTruth, ...]
    password: str | None = None
    damage: Literal["truncated"] | None = None


def finished(canvases: Sequence[Canvas], finish: Finish, rng: Random) -> Finished:
    """Return the pages as a file of the finish; of several pages, PNG, JPEG and JPEG 2000 keep the first."""
    pages = tuple(canvas.truth(index) for index, canvas in enumerate(canvases))
    if finish == "pdf":
        return Finished(pdf(canvases), "application/pdf", pages)
    if finish == "rotated":
        turned = tuple(page.model_copy(update={"rotation": 90}) for page in pages)
        return Finished(pdf(canvases, turned=True), "application/pdf", turned)
    if finish == "encrypted":
        return Finished(locked(pdf(canvases), PASSWORD), "application/pdf", pages, password=PASSWORD)
    if finish == "truncated":
        return Finished(_truncated(pdf(canvases)), "application/pdf", (), damage="truncated")
    if finish == "scan":
        return _scan(canvases, pages, rng)
    return _image(canvases, pages, finish, rng)


def _truncated(whole: bytes) -> bytes:
    """Return the first part of a file that lists its pages at its end, as most do: it opens, but has no page."""
    with pymupdf.open(stream=whole) as document:
        late: bytes = document.tobytes(garbage=3, deflate=True, no_new_id=True, use_objstms=1)
    return late[: late.index(b"/Type/ObjStm") * 3 // 4]


def _scan(canvases: Sequence[Canvas], pages: Sequence[PageTruth], rng: Random) -> Finished:
    dpi, quality = rng.choice((100, 120, 144)), rng.randrange(45, 85)
    truths = []
    with pymupdf.open(stream=pdf(canvases)) as source, pymupdf.open() as target:
        for index, canvas in enumerate(canvases):
            wear = Wear.draw(rng)
            image = scanned(_toned(picture(source, index, dpi), rng), canvas, wear, rng)
            page = target.new_page(width=canvas.width, height=canvas.height)
            page.insert_image(page.rect, stream=_encoded(image, "JPEG", dpi, quality=quality), keep_proportion=False)
            truths.append(wear.skew(canvas.width, canvas.height).truth(pages[index]))
        return Finished(saved(target), "application/pdf", tuple(truths))


def _toned(image: Image.Image, rng: Random) -> Image.Image:
    return image.convert("L") if rng.random() < 0.6 else image


def _image(canvases: Sequence[Canvas], pages: Sequence[PageTruth], finish: Finish, rng: Random) -> Finished:
    dpi = _JP2_DPI if finish == "jp2" else rng.choice((100, 120, 150))
    images, truths = [], []
    with pymupdf.open(stream=pdf(canvases)) as source:
        for index, canvas in enumerate(canvases if finish == "tiff" else canvases[:1]):
            image, truth = picture(source, index, dpi), pages[index]
            if finish in ("jpeg", "tiff"):
                wear = Wear.draw(rng)
                image = scanned(image, canvas, wear, rng)
                truth = wear.skew(canvas.width, canvas.height).truth(truth)
            images.append(image)
            truths.append(_resized(truth, image, dpi))
    return Finished(_file(images, finish, dpi, rng), _MEDIA_TYPES[finish], tuple(truths))


_MEDIA_TYPES: dict[Finish, str] = {"png": "image/png", "jpeg": "image/jpeg", "tiff": "image/tiff", "jp2": "image/jp2"}


def _file(images: Sequence[Image.Image], finish: Finish, dpi: int, rng: Random) -> bytes:
    first = images[0]
    if finish == "png":
        return _encoded(first.quantize(64) if rng.random() < 0.5 else first, "PNG", dpi, optimize=True)
    if finish == "jpeg":
        return _encoded(first, "JPEG", dpi, quality=rng.randrange(55, 90))
    if finish == "jp2":
        return _encoded(first.convert("L"), "JPEG2000", dpi, quality_mode="rates", quality_layers=[12], irreversible=False)
    # An office fax: black or white, nothing between.
    bitonal = [image.convert("L").point(lambda level: 255 * (level > 150)).convert("1") for image in images]
    return _encoded(bitonal[0], "TIFF", dpi, save_all=True, append_images=bitonal[1:], compression="group4")


def _encoded(image: Image.Image, form: str, dpi: int, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, dpi=(dpi, dpi), **options)
    return buffer.getvalue()


def _resized(truth: PageTruth, image: Image.Image, dpi: int) -> PageTruth:
    """Return the truth on a page of whole pixels, a hair larger or smaller than the drawn one."""
    width, height = image.width * 72 / dpi, image.height * 72 / dpi
    stretched = Skew.stretch(width / truth.width_pt, height / truth.height_pt).truth(truth)
    return stretched.model_copy(update={"width_pt": width, "height_pt": height})
