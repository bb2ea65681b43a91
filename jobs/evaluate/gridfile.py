"""A grid file: a job, labels, and the settings to try in every combination. It starts nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from jobs.evaluate.forms import Form
from jobs.explain import dotted
from jobs.jobfile import load, with_sink
from jobs.refusals import refusals
from jobs.yamlfile import parse
from pipeline.errors import JobError
from pipeline.storage import join
from schemas.job import Job, Name, Resolution, Rung, Tiling
from schemas.shape import Shape
from schemas.source import identity


class Prompts(Shape):
    """Prompts by task type, with a name to tell them by; the job's own stay where none is given."""

    name: Name
    ocr: str | None = None
    spot: str | None = None
    answer: str | None = None
    detect: str | None = None
    segment: str | None = None
    caption: str | None = None
    question: str | None = None
    table: str | None = None


class Grid(Shape):
    """A grid file. `sample` takes so many documents at random (by `seed`), the same for every combination.

    `scratch` is where the runs' sinks go. With `tiles`, the ladder is one rung; `resolutions` replace those of every rung. The
    job's `text_layer` does not count but the grid's: it would spare the model the pages that it is tried on.
    """

    job: str = Field(min_length=1)
    labels: str = Field(min_length=1)
    format: Form | None = None
    scratch: str = Field(default="pagemill-grid", min_length=1)
    sample: int | None = Field(default=None, ge=1)
    seed: int = 0
    text_layer: Literal["ignore", "prefer", "compare"] = "ignore"
    checkpoints: tuple[str, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    tiles: tuple[Tiling, ...] = ()
    prompts: tuple[Prompts, ...] = ()

    @model_validator(mode="after")
    def _has_something_to_compare(self) -> "Grid":
        if not (self.checkpoints or self.resolutions or self.tiles or self.prompts):
            raise ValueError("a grid needs settings to compare: `checkpoints`, `resolutions`, `tiles` or `prompts`")
        names = [prompts.name for prompts in self.prompts]
        if len(set(names)) < len(names):
            raise ValueError("`prompts` of one name could not be told apart")
        return self


@dataclass(frozen=True, slots=True)
class Combination:
    """One choice of each setting; None keeps the job's. `job` is ready to run, into a sink of its own."""

    checkpoint: str | None
    resolution: Resolution | None
    tiles: Tiling | None
    prompts: str | None
    job: Job

    @property
    def name(self) -> str:
        """Return the choices as a person would say them."""
        chosen = (
            self.checkpoint,
            self.resolution,
            self.tiles and f"tiles {self.tiles}",
            self.prompts and f"prompts {self.prompts}",
        )
        return ", ".join(str(each) for each in chosen if each)


def read_grid(path: Path) -> Grid:
    """Read a grid file; raises JobError with one line for each thing that is wrong."""
    try:
        file = parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise JobError(f"{path}: cannot be read: {exc}") from exc
    lines = [f"{path}:{each.line}: {each.message}" for each in file.problems]
    if not lines:
        try:
            return Grid.model_validate_json(json.dumps(file.value, default=str), strict=True)
        except ValidationError as exc:
            for each in exc.errors(include_url=False):
                place = tuple(each["loc"])
                lines.append(f"{path}:{file.line(place)}: {dotted(place)}: {each['msg'].removeprefix('Value error, ')}")
    raise JobError("\n".join(lines))


def combinations(grid: Grid) -> Iterator[Combination | tuple[str, str]]:
    """Yield every combination, or its name and why no run can be made of it."""
    job = load(grid.job)
    job = job.model_copy(update={"render": job.render.model_copy(update={"text_layer": grid.text_layer})})
    choices = product(grid.checkpoints or (None,), grid.resolutions or (None,), grid.tiles or (None,), grid.prompts or (None,))
    for checkpoint, resolution, tiles, prompts in choices:
        changed = _with_prompts(_with_ladder(_with_checkpoint(job, checkpoint), resolution, tiles), prompts)
        named = _placed(changed, grid)
        made = Combination(checkpoint, resolution, tiles, prompts.name if prompts else None, named)
        wrong = refusals(named)
        yield (made.name, "; ".join(message for _, message in wrong)) if wrong else made


def _with_checkpoint(job: Job, checkpoint: str | None) -> Job:
    if checkpoint is None:
        return job
    model = job.model.model_copy(update={"checkpoint": checkpoint, "revision": None})
    return job.model_copy(update={"model": model})


def _with_ladder(job: Job, resolution: Resolution | None, tiles: Tiling | None) -> Job:
    ladder = job.render.ladder
    if tiles is not None:
        ladder = (Rung(resolution=ladder[0].resolution, tiles=tiles),)
    if resolution is not None:
        ladder = tuple(rung.model_copy(update={"resolution": resolution}) for rung in ladder)
    return job.model_copy(update={"render": job.render.model_copy(update={"ladder": ladder})})


def _with_prompts(job: Job, prompts: Prompts | None) -> Job:
    if prompts is None:
        return job
    given: dict[str, str] = prompts.model_dump(exclude={"name"}, exclude_none=True)
    tasks = [task.model_copy(update={"prompt": given.get(task.type, task.prompt)}) for task in job.tasks]
    return Job.model_validate(job.model_dump() | {"tasks": [task.model_dump() for task in tasks]})


def _placed(job: Job, grid: Grid) -> Job:
    """Return the job with a sink that no other settings share, so that what a run costs is told apart and need not be paid twice."""
    kept = job.model_dump_json(exclude={"sink", "workers", "accept", "stop"})
    return with_sink(job, join(grid.scratch, identity(kept, str(grid.sample), grid.seed)[:16]))
