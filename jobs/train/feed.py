"""Batches by number, made by worker processes: batch n is the same whoever makes it and whenever, so a resumed course sees what it would have."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from jobs.synth.document import stream
from jobs.train.asked import asked
from jobs.train.glyphs import glyph_grid
from jobs.train.recipe import Recipe, Stage
from jobs.train.suffix import Rows, packed
from jobs.train.views import Seen, views
from pipeline.engines.vocabulary import Vocabulary

_APART = 10**9
"""The seeds of a stage begin at a multiple of this, so that no two stages read the same pages."""
_ORDER = ("tower", "grids", "joint", "large")


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Views and what they are asked: pixels uint8 (n, side, side, 3); grids (n, patches, slots). What a stage does not use is None."""

    pixels: Tensor | None
    grids: Tensor | None
    rows: Rows | None

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        pixels, grids = (each.to(device, non_blocking=True) if each is not None else None for each in (self.pixels, self.grids))
        return Batch(pixels, grids, self.rows.to(device) if self.rows is not None else None)


def batches(recipe: Recipe, stage: Stage, vocabulary: Vocabulary, start: int) -> Iterator[Batch]:
    """Yield the batches of a stage from number `start` to its last."""
    course = _Course(recipe, stage, vocabulary)
    numbers = range(start, stage.steps)
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
    def __init__(self, recipe: Recipe, stage: Stage, vocabulary: Vocabulary) -> None:
        self._recipe = recipe
        self._stage = stage
        self._vocabulary = vocabulary

    def __getitem__(self, number: int) -> Batch:
        stage = self._stage
        lesson = stage.lesson(number)
        seen = self._seen(number)
        rng = stream("asked", stage.name, self._recipe.seed, number)
        return Batch(
            pixels=None
            if stage.name == "grids"
            else torch.from_numpy(np.stack([each.image for each in seen if each.image is not None])),
            grids=_grids(seen, stage) if stage.name in ("tower", "grids") else None,
            rows=None
            if stage.name == "tower"
            else packed(self._vocabulary, [asked(rng, each, lesson, stage.resolution) for each in seen]),
        )

    def _seen(self, number: int) -> list[Seen]:
        stage = self._stage
        lesson, recipe = stage.lesson(number), self._recipe
        documents = stage.batch if lesson in ("word", "words") else -(-stage.batch // recipe.views)
        first = _APART * (1 + _ORDER.index(stage.name)) + recipe.seed * 10**6 + number * stage.batch
        found: list[Seen] = []
        for seed in range(first, first + documents):
            found += views(lesson, seed, stage.resolution, count=recipe.views, scans=recipe.scans, drawn=stage.name != "grids")
        return found[: stage.batch]


def _grids(seen: list[Seen], stage: Stage) -> Tensor:
    return torch.from_numpy(np.stack([glyph_grid(each.page, each.affine, stage.resolution) for each in seen]))


def _one_thread(_worker: int) -> None:
    torch.set_num_threads(1)


def as_pixels(batch: Batch) -> Tensor:
    """Return the views as the tower wants them, (n, 3, side, side), from -1 to 1, as the engine makes them."""
    pixels = cast("Tensor", batch.pixels)
    return pixels.permute(0, 3, 1, 2).float().div(127.5).sub(1.0)
