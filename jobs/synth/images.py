"""Drawn pages as image files: PNG as from a screen, JPEG as from an office scanner, TIFF as from a fax, JPEG 2000 as from an archive."""

import io
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Literal

import pymupdf
from PIL import Image

from jobs.synth.canvas import Canvas
from jobs.synth.scanner import Wear, picture, scanned
from jobs.synth.skew import Skew
from schemas.truth import PageTruth

Form = Literal["png", "jpeg", "tiff", "jp2"]
Leaf = tuple[Image.Image, PageTruth]

_FAX_DPI = 200
_JP2_DPI = 96
"""Pillow writes no resolution into JPEG 2000, and readers then take a screen's 96."""
_FAX_LEVEL = 0.78
"""What is darker than this, from ink at 0 to paper at 1, is black on a fax."""


def image_file(
    form: Form, source: pymupdf.Document, canvases: Sequence[Canvas], rng: Random
) -> tuple[bytes, tuple[PageTruth, ...]]:
    """Return a file of the form and the truth of its pages. TIFF holds all pages, the others the first."""
    leaf = {"png": _screen, "jpeg": _photograph, "tiff": _fax, "jp2": _archived}[form]
    dpi = {"png": rng.choice((100, 120, 150)), "jpeg": rng.choice((110, 130, 150)), "tiff": _FAX_DPI, "jp2": _JP2_DPI}[form]
    count = len(canvases) if form == "tiff" else 1
    leaves = [leaf(picture(source, index, dpi), canvases[index], canvases[index].truth(index), rng) for index in range(count)]
    return _file(form, [image for image, _ in leaves], dpi, rng), tuple(_resized(truth, image, dpi) for image, truth in leaves)


def encoded(image: Image.Image, form: str, dpi: int, **options: object) -> bytes:
    """Return the image as Pillow writes it."""
    buffer = io.BytesIO()
    image.save(buffer, form, dpi=(dpi, dpi), **options)
    return buffer.getvalue()


def _screen(clean: Image.Image, _: Canvas, truth: PageTruth, rng: Random) -> Leaf:
    return clean.quantize(64) if rng.random() < 0.5 else clean, truth


def _photograph(clean: Image.Image, canvas: Canvas, truth: PageTruth, rng: Random) -> Leaf:
    wear = Wear.draw(rng)
    return scanned(clean, canvas, wear, rng), wear.skew(canvas.width, canvas.height).truth(truth)


def _fax(clean: Image.Image, canvas: Canvas, truth: PageTruth, rng: Random) -> Leaf:
    wear = replace(Wear.draw(rng), shadow=0)
    level = wear.ink + (wear.paper - wear.ink) * _FAX_LEVEL
    gray = scanned(clean.convert("L"), canvas, wear, rng)
    return gray.point(lambda tone: 255 * (tone > level)).convert("1"), wear.skew(canvas.width, canvas.height).truth(truth)


def _archived(clean: Image.Image, _: Canvas, truth: PageTruth, __: Random) -> Leaf:
    return clean.convert("L"), truth


def _file(form: Form, images: Sequence[Image.Image], dpi: int, rng: Random) -> bytes:
    first, *others = images
    match form:
        case "png":
            return encoded(first, "PNG", dpi, optimize=True)
        case "jpeg":
            return encoded(first, "JPEG", dpi, quality=rng.randrange(55, 90))
        case "tiff":
            return encoded(first, "TIFF", dpi, save_all=True, append_images=others, compression="group4")
        case "jp2":
            return encoded(first, "JPEG2000", dpi, quality_mode="rates", quality_layers=[12], irreversible=False)


def _resized(truth: PageTruth, image: Image.Image, dpi: int) -> PageTruth:
    """Return the truth on a page of whole pixels, a hair larger or smaller than the drawn one."""
    width, height = image.width * 72 / dpi, image.height * 72 / dpi
    stretched = Skew.stretch(width / truth.width_pt, height / truth.height_pt).truth(truth)
    return stretched.model_copy(update={"width_pt": width, "height_pt": height})
