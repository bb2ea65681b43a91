"""Batches by number, made by worker processes: batch n is the same whoever makes it and whenever, so a resumed course sees what it would have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from jobs.synth.document import stream
from jobs.train.asked import LONGEST, asked, several
from jobs.train.company import WHOLE, Part
from jobs.train.frame import SIDE, places
from jobs.train.glyphs import BLANK, CLASSES, Grid, glyph_grid
from jobs.train.outlines import Outlines, outlines
from jobs.train.pieces import piece
from jobs.train.recipe import Lesson, Recipe, Stage
from jobs.train.suffix import Rows, packed
from jobs.train.views import Seen, views
from pipeline.checkpoints.architecture import PATCH_PX
from pipeline.engines.vocabulary import Vocabulary

_APART = 10**9
"""The seeds of a stage begin at a multiple of this, so that no two stages read the same pages."""
_ORDER = ("tower", "grids", "joint", "large", "walk", "words", "places", "whole")
_PIECES: dict[Lesson, tuple[int, int, float]] = {
    "word": (1, 10, 0.0),
    "words": (3, 20, 0.2),
    "lines": (8, 40, 0.5),
    "tiles": (14, 48, 0.7),
}
"""By lesson: lines, characters of a line, share of real writing."""
_WRONG, _LOST = 0.06, 0.015
"""Shares of a tile's glyphs that are another, or none, where the decoder learns to go on nevertheless."""
ANSWERS_A_VIEW = 3
_CHARACTERS = 60
"""A batch of pieces holds so many characters for each view of other stages' batches; short ones are more, up to twice its number."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Views and what they are asked: pixels uint8 (n, side, side, 3); grids (n, patches, slots), which lie at `where` in the frame, (n, patches).

    What a stage does not use is None; `outlines` are of whole views alone. Views may have several rows, each the
    same number, one after another. Pieces, which have different numbers of patches, come as one row of them: n is 1.
    """

    pixels: Tensor | None
    grids: Tensor | None
    rows: Rows | None
    where: Tensor | None = None
    outlines: Outlines | None = None

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        pixels, grids, where = (
            each.to(device, non_blocking=True) if each is not None else None for each in (self.pixels, self.grids, self.where)
        )
        rows = self.rows.to(device) if self.rows is not None else None
        return Batch(pixels, grids, rows, where, self.outlines.to(device) if self.outlines is not None else None)


def batches(recipe: Recipe, stage: Stage, vocabulary: Vocabulary, start: int, part: Part = WHOLE) -> Iterator[Batch]:
    """Yield the batches of a stage from step `start` to its last; of a part, its share of each step's views, which no other part has."""
    course = _Course(recipe, stage, vocabulary, part.of)
    numbers = range(start * part.of + part.index, stage.steps * part.of, part.of)
    if recipe.processes == 0:
        yield from (course[number] for number in numbers)
        return
    yield from DataLoader(
        course,
        batch_size=None,
        sampler=numbers,
        num_workers=recipe.processes,
        prefetch_factor=4,
        multiprocessing_context="fork",
        worker_init_fn=_one_thread,
    )


class _Course(Dataset[Batch]):
    def __init__(self, recipe: Recipe, stage: Stage, vocabulary: Vocabulary, of: int) -> None:
        self._recipe = recipe
        self._stage = replace(stage, batch=max(1, stage.batch // of))
        self._vocabulary = vocabulary
        self._of = of

    def __getitem__(self, number: int) -> Batch:
        if self._stage.name == "grids":
            return self._of_pieces(number)
        return self._of_tiles(number) if self._stage.name == "walk" else self._of_views(number)

    def _lesson(self, number: int) -> Lesson:
        return self._stage.lesson(number // self._of)

    def _of_pieces(self, number: int) -> Batch:
        stage, lesson = self._stage, self._lesson(number)
        rng = stream("pieces", self._recipe.seed, number)
        most_lines, most_characters, words = _PIECES[lesson]
        lines, characters = (
            rng.randint(1, most_lines),
            rng.randint(min(4, most_characters), most_characters),
        )  # alike, for the padding
        count = max(1, min(2 * stage.batch, stage.batch * _CHARACTERS // (lines * characters)))
        pieces = [piece(rng, lines, characters, words) for _ in range(count)]
        return Batch(
            pixels=None,
            grids=torch.from_numpy(np.concatenate([each.grid for each in pieces]))[None],
            rows=packed(self._vocabulary, [("ocr", each.text) for each in pieces], shown=[each.where for each in pieces]),
            where=torch.from_numpy(np.concatenate([each.where for each in pieces]))[None],
        )

    def _of_tiles(self, number: int) -> Batch:
        stage, seen = self._stage, self._seen(number, drawn=False)
        rng = stream("walk", self._recipe.seed, number)
        where = places(torch.zeros(len(seen), 2, dtype=torch.long), stage.resolution)
        rows, seen = self._rows(rng, seen, number, where)
        return Batch(pixels=None, grids=torch.from_numpy(_misread(rng, self._grids(seen))), rows=rows, where=where)

    def _of_views(self, number: int) -> Batch:
        stage, seen = self._stage, self._seen(number)
        rng = stream("asked", stage.name, self._recipe.seed, number)
        room = SIDE - stage.resolution // PATCH_PX
        corners = torch.tensor([[rng.randint(0, room), rng.randint(0, room)] for _ in seen])
        where = places(corners, stage.resolution)
        rows = None
        if stage.name not in ("tower", "words"):
            rows, seen = self._rows(rng, seen, number, where)
        return Batch(
            pixels=torch.from_numpy(np.stack([each.image for each in seen if each.image is not None])),
            grids=torch.from_numpy(self._grids(seen)),
            rows=rows,
            where=where,
            outlines=outlines(seen) if stage.name == "whole" else None,
        )

    def _rows(self, rng: Random, seen: list[Seen], number: int, where: Tensor) -> tuple[Rows, list[Seen]]:
        """Return what the views are asked and what they say, which the tower alone is not taught, and the views as they are shown for it."""
        stage, patches = self._stage, list(where.numpy())
        if self._lesson(number) == "fields":
            pairs = [pair for each in seen for pair in several(rng, each, ANSWERS_A_VIEW, stage.asks)]
            repeated = [each for each in patches for _ in range(ANSWERS_A_VIEW)]
            return packed(self._vocabulary, pairs, longest=LONGEST[stage.resolution] + 1, shown=repeated), seen
        questions = [asked(rng, each, self._lesson(number), stage.resolution, stage.asks) for each in seen]
        pairs = [(prompt, answer) for _, prompt, answer in questions]
        rows = packed(self._vocabulary, pairs, longest=LONGEST[stage.resolution] + 1, shown=patches)
        return rows, [shown for shown, _, _ in questions]

    def _grids(self, seen: Sequence[Seen]) -> Grid:
        side = self._stage.resolution
        return np.stack([glyph_grid(each.page, each.affine, side, each.region.part) for each in seen])

    def _seen(self, number: int, *, drawn: bool = True) -> list[Seen]:
        stage = self._stage
        lesson, recipe = self._lesson(number), self._recipe
        documents = stage.batch if lesson in ("word", "words") else -(-stage.batch // recipe.views)
        first = _APART * (1 + _ORDER.index(stage.name)) + recipe.seed * 10**6 + number * stage.batch
        found: list[Seen] = []
        for seed in range(first, first + documents):
            found += views(
                lesson, seed, stage.resolution, count=recipe.views, scans=recipe.scans, tilings=recipe.tilings, drawn=drawn
            )
        return found[: stage.batch]


def _misread(rng: Random, grids: Grid) -> Grid:
    """Return grids of which some glyphs are others, and some are not there."""
    luck = np.random.default_rng(rng.randrange(2**32))
    ink, chance = grids != BLANK, luck.random(grids.shape)
    others = np.where(ink & (chance < _WRONG), luck.integers(BLANK + 1, CLASSES, grids.shape), grids)
    return np.where(ink & (chance > 1 - _LOST), BLANK, others)


def _one_thread(_worker: int) -> None:
    torch.set_num_threads(1)


def as_pixels(batch: Batch) -> Tensor:
    """Return the views as the tower wants them, (n, 3, side, side), from -1 to 1, as the engine makes them."""
    pixels = cast("Tensor", batch.pixels)
    return pixels.permute(0, 3, 1, 2).float().div(127.5).sub(1.0)
