"""The files that drawn pages become: born-digital or scanned PDF, images, and files that are hard to open on purpose.

A finish takes the pages and their truth, and gives bytes and the truth of what is on them now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

import pymupdf

from jobs.synth.canvas import Canvas
from jobs.synth.images import encoded, image_file
from jobs.synth.lock import locked
from jobs.synth.pdf import pdf, saved
from jobs.synth.scanner import Wear, picture, scanned, shone_through
from schemas.truth import PageTruth

Finish = Literal["pdf", "scan", "png", "jpeg", "tiff", "jp2", "rotated", "encrypted", "truncated"]
FINISHES: tuple[Finish, ...] = get_args(Finish)
PASSWORD = "pagemill"  # noqa: S105 - it stands in the truth for all to read
SUFFIXES: dict[Finish, str] = {"png": ".png", "jpeg": ".jpg", "tiff": ".tif", "jp2": ".jp2"}

MEDIA_TYPES: dict[Finish, str] = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "tiff": "image/tiff",
    "jp2": "image/jp2",
}


@dataclass(frozen=True, slots=True)
class Finished:
    """A file, and what is true of its pages."""

    data: bytes
    media_type: str
    pages: tuple[PageTruth, ...]
    password: str | None = None
    damage: Literal["truncated"] | None = None


def finished(canvases: Sequence[Canvas], finish: Finish, rng: Random, back: Canvas | None = None) -> Finished:
    """Return the pages as a file of the finish; of several pages, PNG, JPEG and JPEG 2000 keep the first.

    `back` is what is printed on the other side of scanned sheets.
    """
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
        return _scan(canvases, pages, rng, back)
    with pymupdf.open(stream=pdf(canvases)) as source:
        data, truths = image_file(finish, source, canvases, rng)
    return Finished(data, MEDIA_TYPES[finish], truths)


def _truncated(whole: bytes) -> bytes:
    """Return the first part of a file that lists its pages at its end, as most do: it opens, but has no page."""
    with pymupdf.open(stream=whole) as document:
        late: bytes = document.tobytes(garbage=3, deflate=True, no_new_id=True, use_objstms=1)
    return late[: late.index(b"/Type/ObjStm") * 3 // 4]


def _scan(canvases: Sequence[Canvas], pages: Sequence[PageTruth], rng: Random, back: Canvas | None) -> Finished:
    dpi, quality = rng.choice((100, 120, 144)), rng.randrange(45, 85)
    mode = rng.choice(("L", "L", "RGB"))
    truths = []
    with pymupdf.open(stream=pdf([*canvases, back or canvases[0]])) as source, pymupdf.open() as target:
        behind = picture(source, len(canvases), dpi) if back else None
        for index, canvas in enumerate(canvases):
            sheet = picture(source, index, dpi)
            wear = Wear.draw(rng)
            if behind:
                sheet = shone_through(sheet, behind, rng.randrange(8, 36))
            image = scanned(sheet.convert(mode), canvas, wear, rng)
            page = target.new_page(width=canvas.width, height=canvas.height)
            page.insert_image(page.rect, stream=encoded(image, "JPEG", dpi, quality=quality), keep_proportion=False)
            truths.append(wear.skew(canvas.width, canvas.height).truth(pages[index]))
        return Finished(saved(target), MEDIA_TYPES["pdf"], tuple(truths))
