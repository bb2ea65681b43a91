"""Views of made-up pages, without end and by seed: drawn in this process by the very code that draws them for a run.

It knows lessons, not tasks: what is asked of a view is asked.py's.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from jobs.synth.document import generate, stream
from jobs.synth.finish import Finish, finished
from jobs.synth.locales import locale
from jobs.synth.samples import READABLE
from jobs.train.recipe import Lesson
from jobs.train.words import SIDE_PT, few_words
from pipeline.documents.document import Pixels, open_document
from pipeline.documents.tiles import PIXELS_PER_POINT, grid, whole_page
from pipeline.documents.whitespace import PICTURE_PX, cut
from schemas.box import Box
from schemas.job import Limits
from schemas.truth import PageTruth
from schemas.view import Affine


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A view of a page whose truth is known; `image` is RGB, (side, side, 3), or None where only the truth was asked for."""

    page: PageTruth
    affine: Affine
    image: Pixels | None


def views(
    lesson: Lesson, seed: int, resolution: int, *, count: int = 4, scans: float = 0.0, drawn: bool = True
) -> tuple[Seen, ...]:
    """Return the views of one seed's document, always the same ones: `count`, but of a page of words one."""
    rng = stream("lesson", lesson, seed)
    finish: Finish = "scan" if rng.random() < scans and drawn else "pdf"
    if lesson == "words":
        canvas = few_words(rng, locale(rng))
        file = finished((canvas,), finish, rng)
        affine = _window(rng, file.pages[0], SIDE_PT * rng.uniform(0.9, 1.15))
        return tuple(looked_at(file.data, [(file.pages[0], affine)], resolution, drawn=drawn))
    kind = "text" if lesson == "lines" else rng.choice(READABLE)
    data, truth = generate(kind, seed, finish)
    page = rng.choice(truth.pages)
    if lesson == "lines":
        side = resolution / PIXELS_PER_POINT
        affines = [_window(rng, page, side * rng.uniform(0.85, 1.2)) for _ in range(count)]
    else:
        affines = as_served(rng, data, page, resolution, count)
    return tuple(looked_at(data, [(page, affine) for affine in affines], resolution, drawn=drawn))


def _window(rng: Random, page: PageTruth, side: float) -> Affine:
    """Return a square window anywhere on the page, around its middle where it is larger than the page."""
    x0, y0 = (
        rng.uniform(0, room) if (room := length - side) > 0 else rng.uniform(room, 0)
        for length in (page.width_pt, page.height_pt)
    )
    return Affine.of_box(Box(x0=x0, y0=y0, x1=x0 + side, y1=y0 + side))


def as_served(rng: Random, data: bytes, page: PageTruth, resolution: int, count: int) -> list[Affine]:
    """Return views as the rungs of a run cut them: the whole page, and tiles of a grid or tiles between lines."""
    whole = whole_page(page.width_pt, page.height_pt)
    tiles = grid(page.width_pt, page.height_pt, resolution)
    if rng.random() < 0.5:
        (picture,) = _rendered(data, page.page_index, [whole.affine], PICTURE_PX)
        tiles = cut(picture, page.width_pt, page.height_pt, resolution)
    chosen = [whole, *(rng.choice(tiles) for _ in range(count - 1))]
    return [region.affine for region in chosen]


def looked_at(data: bytes, seen: Sequence[tuple[PageTruth, Affine]], resolution: int, *, drawn: bool = True) -> Iterator[Seen]:
    """Yield the views of one page, drawn or not."""
    if not drawn:
        yield from (Seen(page, affine, None) for page, affine in seen)
        return
    images = _rendered(data, seen[0][0].page_index, [affine for _, affine in seen], resolution)
    yield from (Seen(page, affine, image) for (page, affine), image in zip(seen, images, strict=True))


def _rendered(data: bytes, page_index: int, affines: Sequence[Affine], resolution: int) -> list[Pixels]:
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(data)
        file.flush()
        document = open_document(Path(file.name), Limits(), ())
        try:
            return list(document.render(page_index, affines, resolution))
        finally:
            document.close()
