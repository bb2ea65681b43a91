"""What the embedded checkpoint is taught, in which order and for how long: all numbers of its training, in one frozen value.

The order was found by trials. Taught on text alone, a small model stays on the language plateau for tens of thousands of samples and learns
nothing from the picture. So the tower is taught first, patch by patch, by the places of the glyphs, on views of 224 px laid anywhere into the
frame of 448; the decoder apart from it, on true grids of glyphs in place of the tower's features, first rows without paper, then whole tiles
with their paper and some glyphs wrong, as a tower errs (walk); then the tower says glyphs in the very words that the decoder knows (words);
then both together at 448 (large). Places are learned last: by the decoder, of a tower that is held as it is (places), then by both (whole).

The tower begins with patches that see their neighbours (begin.py) and takes large steps: it told 62% of the glyphs after 500 of them, 75% after
900 and 89% after 1,750. One that began with noise, on print from 8 px on and with AdamW, had told 18%, 41% and 62%, and 84% after 5,200.

What made the decoder learn to walk: made-up rows of letters that have no language to be learned instead (pieces.py), blank patches left out,
rows and columns told to each patch, keys of its own for each head, batches of like length, Muon. On one core it read 62% of the letters
after 10 minutes and 95% of 14 lines of 48 after 26, where pages of words and one shared key had given 34% after an hour.
"""

from dataclasses import dataclass, replace
from typing import Literal

from pipeline.checkpoints.architecture import EMBEDDED, Sizes

StageName = Literal["tower", "grids", "walk", "words", "large", "places", "whole"]
Lesson = Literal["word", "words", "lines", "tiles", "fields"]
Asks = Literal["ocr", "spot", "answer", "detect", "table", "lines"]
"""What a tile is asked; `lines` are the places of its lines, which are asked for in training alone."""
Tiling = Literal["none", "grid", "whitespace"]
Device = Literal["cpu", "cuda"]

Shares = tuple[tuple[Asks, int], ...]
"""How often of all times tiles are asked what."""
ALL_TASKS: Shares = (("ocr", 40), ("spot", 15), ("answer", 30), ("detect", 10), ("table", 5))
TEXT_ALONE: Shares = (("ocr", 1),)
ALL_TILINGS: tuple[Tiling, ...] = ("none", "grid", "whitespace")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: views of `resolution` pixels, `batch` of them a step, a learning rate that warms up, holds, and falls over the last share.

    `falls` is that share; `lessons` says up to which share of the steps which pages are read. Every so many-th batch, if `answers_every` is
    set, asks for values instead, several of each view: an answer of six letters weighs nothing beside a tile of four hundred. Of tiles the
    stage `asks` by shares.
    """

    name: StageName
    resolution: int
    steps: int
    batch: int
    rate: float
    lessons: tuple[tuple[float, Lesson], ...]
    falls: float = 0.2
    answers_every: int | None = None
    asks: Shares = TEXT_ALONE

    def lesson(self, step: int) -> Lesson:
        """Return what is read at a step."""
        if self.answers_every and step % self.answers_every == self.answers_every - 1:
            return "fields"
        return next((lesson for until, lesson in self.lessons if step < until * self.steps), self.lessons[-1][1])

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step."""
        warm, fall = max(1, min(200, self.steps // 20)), max(1, int(self.steps * self.falls))
        return self.rate * min(1.0, (step + 1) / warm, (self.steps - step) / fall)


@dataclass(frozen=True, slots=True)
class Recipe:
    """The whole course.

    `processes` make the data, `views` of each document, which takes longer to make than to look at; `scans` is the share of scanned pages.
    """

    sizes: Sizes
    stages: tuple[Stage, ...]
    seed: int = 2024
    processes: int = 1
    views: int = 4
    scans: float = 0.1
    tilings: tuple[Tiling, ...] = ALL_TILINGS
    decay: float = 0.02
    clip: float = 1.0

    @property
    def taught(self) -> frozenset[Asks]:
        """Return the tasks that any stage teaches, of those that are tasks."""
        values: tuple[Asks, ...] = ("answer",) if any(stage.answers_every for stage in self.stages) else ()
        asked = {name for stage in self.stages for name, _ in stage.asks} | set(values)
        return frozenset(name for name, _ in ALL_TASKS if name in asked)

    def through(self, name: StageName) -> "Recipe":
        """Return the recipe up to this stage, with it."""
        return replace(self, stages=self.stages[: self.stages.index(self.stage(name)) + 1])

    def stage(self, name: StageName) -> Stage:
        """Return the stage of this name."""
        return next(stage for stage in self.stages if stage.name == name)


WIDE = Sizes(
    vision_width=256,
    vision_layers=5,
    vision_heads=4,
    vision_mlp=1024,
    text_width=256,
    text_layers=5,
    text_heads=4,
    text_kv_heads=4,
    text_mlp=768,
    head_dim=64,
)
"""9 million weights, for a GPU."""

_WORD_BY_WORD: tuple[tuple[float, Lesson], ...] = ((0.14, "word"), (0.47, "words"), (0.85, "lines"), (1.0, "tiles"))
_DENSE_FIRST: tuple[tuple[float, Lesson], ...] = ((0.2, "lines"), (1.0, "tiles"))

_PLACES: Shares = (("lines", 35), ("spot", 30), ("detect", 10), ("table", 10), ("ocr", 15))
_EVERYTHING: Shares = (("ocr", 50), ("lines", 6), ("spot", 11), ("detect", 13), ("table", 20))

ON_CPU = Recipe(
    sizes=EMBEDDED,
    stages=(
        Stage("tower", 224, 2_000, 16, 5e-3, ((1.0, "lines"),), falls=0.5),
        Stage("grids", 448, 1_700, 48, 2e-3, _WORD_BY_WORD),
        Stage("walk", 448, 160, 6, 1.2e-3, _DENSE_FIRST, falls=0.7),
        Stage("words", 448, 420, 4, 2.5e-3, _DENSE_FIRST, falls=0.8),
        Stage("large", 448, 16_000, 4, 7e-4, _DENSE_FIRST, falls=0.8, answers_every=3),
        Stage("places", 448, 1_400, 8, 1e-3, ((1.0, "tiles"),), falls=0.1, answers_every=3, asks=_PLACES),
        Stage("whole", 448, 14_000, 8, 9e-4, ((1.0, "tiles"),), falls=0.9, answers_every=4, asks=_EVERYTHING),
    ),
    views=2,
    scans=0.35,
    tilings=("grid",),
)
"""Some twenty-two hours of one core with matrix units. The checkpoint that ships went through it, in stretches that its card tells of."""
ON_CUDA = Recipe(
    sizes=WIDE,
    stages=(
        Stage("tower", 224, 4_000, 256, 5e-3, ((1.0, "lines"),), falls=0.5),
        Stage("grids", 448, 3_000, 256, 1.5e-3, _WORD_BY_WORD),
        Stage("walk", 448, 500, 64, 1e-3, _DENSE_FIRST, falls=0.7),
        Stage("words", 448, 1_500, 64, 2.5e-3, _DENSE_FIRST, falls=0.8),
        Stage("large", 448, 3_000, 64, 6e-4, ((1.0, "tiles"),), answers_every=4),
        Stage("places", 448, 500, 64, 1e-3, ((1.0, "tiles"),), falls=0.2, answers_every=3, asks=_PLACES),
        Stage("whole", 448, 1_500, 64, 6e-4, ((1.0, "tiles"),), falls=0.8, answers_every=3, asks=_EVERYTHING),
    ),
    processes=14,
    views=8,
    scans=0.25,
)
"""Sized for some 20 minutes of one H100 whose 16 cores make the pages, at 3 to 5 ms a view of 224 px and 20 ms of 448; not yet tried on one."""


def recipe(device: Device, steps: int | None = None) -> Recipe:
    """Return the recipe of a device; `steps` shortens every stage, for a trial."""
    chosen = ON_CUDA if device == "cuda" else ON_CPU
    if steps is None:
        return chosen
    return replace(chosen, stages=tuple(replace(stage, steps=steps) for stage in chosen.stages))
