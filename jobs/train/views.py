"""Views of made-up pages, without end and by seed: drawn in this process by the very code that draws them for a run.

It knows lessons, not tasks: what is asked of a view is asked.py's.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from jobs.synth.document import Split, generate, stream
from jobs.synth.finish import Finish, finished
from jobs.synth.locales import locale
from jobs.synth.samples import READABLE
from jobs.train.recipe import ALL_TILINGS, Lesson, Tiling
from jobs.train.words import SIDE_PT, few_words
from pipeline.documents.document import open_document
from pipeline.documents.gutters import grid_of
from pipeline.documents.padding import padded as whitened
from pipeline.documents.picture import Pixels
from pipeline.documents.tiles import PIXELS_PER_POINT, whole_page
from pipeline.documents.whitespace import PICTURE_PX, cut
from pipeline.engines.glimpse import shows
from pipeline.engines.reader import read, visible_lines
from schemas.box import Box
from schemas.job import Limits
from schemas.truth import PageTruth
from schemas.view import Affine, Region

WITH_FIELDS = ("invoice", "receipt", "form", "letter", "statement", "article")
_TELLING = 0.75
"""So often a view that is to be asked for values shows one, where any does: a run asks all of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A page of a document's bytes, and its truth."""

    data: bytes
    kind: str
    finish: Finish
    page: PageTruth


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A view of a sheet; `image` is RGB, (side, side, 3), or None where only the truth was asked for."""

    sheet: Sheet
    region: Region
    image: Pixels | None

    @property
    def affine(self) -> Affine:
        """Return the map of all of the view's pixels."""
        return self.region.frame

    @property
    def page(self) -> PageTruth:
        return self.sheet.page

    def answer(self, prompt: str) -> str | None:
        """Return what a perfect reader answers to a prompt; None to one of no task that is known."""
        return read(self.page, self.region.affine, prompt, frame=self.affine)

    def line_boxes(self) -> list[Box]:
        """Return where the lines stand that it shows, in fractions of the view."""
        in_view = self.region.affine.then(self.affine.back())
        shown = visible_lines(self.page, self.region.affine, in_view=True)
        return [in_view.box(line.box.x0, line.box.y0, line.box.x1, line.box.y1) for line in shown if line.box]


def views(
    lesson: Lesson,
    seed: int,
    resolution: int,
    *,
    count: int = 4,
    scans: float = 0.0,
    drawn: bool = True,
    split: Split = "train",
    tilings: tuple[Tiling, ...] = ALL_TILINGS,
) -> tuple[Seen, ...]:
    """Return the views of one seed's document, always the same ones: `count`, but of a page of words one; tiles by `tilings`, evenly."""
    rng = stream("lesson", lesson, split, seed)
    finish: Finish = "scan" if rng.random() < scans and drawn else "pdf"
    if lesson in ("word", "words"):
        sheet = _of_words(rng, lesson, finish)
        regions = [_window(rng, sheet.page, SIDE_PT * rng.uniform(0.9, 1.15))]
    elif lesson == "lines":
        sheet = _of_document(rng, "text", seed, finish, split)
        side = resolution / PIXELS_PER_POINT
        regions = [_window(rng, sheet.page, side * rng.uniform(0.85, 1.2)) for _ in range(count)]
    else:
        sheet = _of_document(rng, rng.choice(READABLE if lesson == "tiles" else WITH_FIELDS), seed, finish, split)
        chosen = [rng.choice(tilings) for _ in range(count)]
        regions = _as_served(rng, sheet, resolution, chosen, with_values=lesson == "fields")
    return _seen(sheet, regions, resolution) if drawn else tuple(Seen(sheet, region, None) for region in regions)


def redrawn(seen: Seen, region: Region, resolution: int) -> Seen:
    """Return the view of another region of the same sheet; it is drawn if this one is."""
    if seen.image is None or region == seen.region:
        return replace(seen, region=region)
    return _seen(seen.sheet, [region], resolution)[0]


def _of_words(rng: Random, lesson: Lesson, finish: Finish) -> Sheet:
    most = (1, 2) if lesson == "word" else (5, 3)
    file = finished((few_words(rng, locale(rng), *most),), finish, rng)
    return Sheet(file.data, lesson, finish, file.pages[0])


def _of_document(rng: Random, kind: str, seed: int, finish: Finish, split: Split) -> Sheet:
    data, truth = generate(kind, seed, finish, split)
    return Sheet(data, kind, finish, rng.choice(truth.pages))


def _window(rng: Random, page: PageTruth, side: float) -> Region:
    """Return a square window anywhere on the page, around its middle where it is larger than the page."""
    x0, y0 = (
        rng.uniform(0, room) if (room := length - side) > 0 else rng.uniform(room, 0)
        for length in (page.width_pt, page.height_pt)
    )
    return Region("window", Affine.of_box(Box(x0=x0, y0=y0, x1=x0 + side, y1=y0 + side)))


def _as_served(
    rng: Random, sheet: Sheet, resolution: int, tilings: Sequence[Tiling], *, with_values: bool = False
) -> list[Region]:
    """Return regions as the rungs of a run cut them: the whole page, tiles of a grid, tiles between lines; mostly `with_values`, if any has."""
    page = sheet.page
    found: dict[Tiling, list[Region]] = {}
    for tiling in sorted(set(tilings)):
        if tiling == "none":
            found[tiling] = [whole_page(page.width_pt, page.height_pt)]
        elif tiling == "grid":
            lines = [line.box for line in page.lines if line.box]
            found[tiling] = grid_of(lines, page.width_pt, page.height_pt, resolution)
        else:
            (picture,) = _rendered(sheet, [whole_page(page.width_pt, page.height_pt).affine], PICTURE_PX)
            found[tiling] = cut(picture, page.width_pt, page.height_pt, resolution)
        if with_values:
            boxes = [field.box for field in page.fields if field.box]
            telling = [region for region in found[tiling] if any(shows(region.affine, box) for box in boxes)]
            found[tiling] = telling if telling and rng.random() < _TELLING else found[tiling]
    return [rng.choice(found[tiling]).shown() for tiling in tilings]


def _seen(sheet: Sheet, regions: Sequence[Region], resolution: int) -> tuple[Seen, ...]:
    images = _rendered(sheet, [region.frame for region in regions], resolution)
    return tuple(Seen(sheet, region, whitened(image, region)) for region, image in zip(regions, images, strict=True))


def _rendered(sheet: Sheet, affines: Sequence[Affine], resolution: int) -> list[Pixels]:
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(sheet.data)
        file.flush()
        document = open_document(Path(file.name), Limits(), ())
        try:
            return list(document.render(sheet.page.page_index, affines, resolution))
        finally:
            document.close()
