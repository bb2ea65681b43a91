"""Which course each stage of the embedded checkpoint is, and what it begins with of what the stages before it taught."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar, cast

import torch
from torch import nn
from transformers import PaliGemmaForConditionalGeneration

from jobs.train.begin import see_neighbours
from jobs.train.feed import Batch, as_pixels, batches
from jobs.train.grids import GridCourse
from jobs.train.handover import HandOver
from jobs.train.joint import WholeCourse, fit_projector
from jobs.train.loop import load_learning
from jobs.train.nearness import begin_near_alike
from jobs.train.places import PlacesCourse
from jobs.train.recipe import Recipe, Stage, StageName
from jobs.train.state import read_state
from jobs.train.tower import TowerCourse
from pipeline.engines.vocabulary import Vocabulary
from pipeline.errors import CheckpointError
from pipeline.tasks.tokens import loc

C = TypeVar("C", bound=nn.Module)
_FIRST_BATCHES = 24
_HANDSHAKE_BATCHES = 8


def state_path(out: Path, stage: StageName) -> Path:
    """Return where a stage's state is kept."""
    return out / f"{stage}.pt"


@dataclass(frozen=True, slots=True, eq=False)
class Succession:
    """A stage of a recipe that is taught in `out`; the model's weights are set to what it begins with."""

    recipe: Recipe
    stage: Stage
    out: Path
    model: PaliGemmaForConditionalGeneration
    vocabulary: Vocabulary
    device: torch.device
    say: Callable[[str], None]

    def course(self) -> nn.Module:
        """Return the stage's course; the loop takes over what this one has learned already. Raises CheckpointError where one is missing before it."""
        match self.stage.name:
            case "tower":
                return self._tower()
            case "grids":
                return self._grids()
            case "walk":
                return self._walk()
            case "words":
                return self._words()
            case "large":
                return self._large()
            case "places":
                return self._places()
            case "whole":
                return self._whole()

    def _tower(self) -> nn.Module:
        if self._is_new:
            pixels = [as_pixels(batch) for batch in self._some(_FIRST_BATCHES)]
            see_neighbours(self.model.model.vision_tower, torch.cat(pixels))
        return TowerCourse(self.model).to(self.device)

    def _grids(self) -> GridCourse:
        return GridCourse(self.model).to(self.device)

    def _walk(self) -> nn.Module:
        walking = self._taking(self._grids(), "grids")
        walking.standins.requires_grad_(False)
        return walking

    def _words(self) -> nn.Module:
        known = self._taking(self._grids(), "grids").standins
        course = HandOver(self.model, known).to(self.device)
        if self._is_new:
            self._taking(course, "tower")
            left = fit_projector(self.model, known, self._some(_HANDSHAKE_BATCHES))
            self.say(f"words: the projector leaves {left:.0%} of what stood for the glyphs unexplained")
        return course

    def _large(self) -> nn.Module:
        course = self._joint()
        if self._is_new:
            handed = self._taking(HandOver(self.model, self._grids().standins).to(self.device), "words")
            course.heads.load_state_dict(handed.heads.state_dict())
            self._taking(self._grids(), "walk")
        return course

    def _places(self) -> nn.Module:
        self._taking(self._joint(), "large")
        if self._is_new:
            begin_near_alike(cast("nn.Embedding", self.model.get_input_embeddings()), self._first_place, self.recipe.seed)
        return self._of_places()

    def _whole(self) -> nn.Module:
        course = self._joint()
        if self._is_new:
            self._taking(course, "large")
            self._taking(self._of_places(), "places")
            self.model.requires_grad_(True)
        return course

    def _joint(self) -> WholeCourse:
        return WholeCourse(self.model, self._first_place).to(self.device)

    def _of_places(self) -> PlacesCourse:
        return PlacesCourse(self.model, self._first_place).to(self.device)

    @property
    def _is_new(self) -> bool:
        return not state_path(self.out, self.stage.name).exists()

    @property
    def _first_place(self) -> int:
        return cast("int", self.vocabulary.tokenizer.token_to_id(loc(0)))

    def _some(self, count: int) -> Iterator[Batch]:
        made = batches(replace(self.recipe, processes=0), self.stage, self.vocabulary, 0)
        return (batch.to(self.device) for batch in islice(made, count))

    def _taking(self, course: C, name: StageName) -> C:
        """Return a course with what a stage taught."""
        state = read_state(state_path(self.out, name), self.device)
        if state is None:
            raise CheckpointError(f"{self.out} has no {name}.pt: teach the stage `{name}` first")
        load_learning(course, state)
        return course
