"""The ladder in stages: neighbouring rungs that one checkpoint answers are climbed in one pass, the next checkpoint's in a later one.

Between two passes, rows stand that are not final: of a question that is still to climb they carry its fingerprint with the stage that it
waits for, so that a run that was killed between two passes goes on with the second.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from schemas.job import Job, Model, Rung

_MARK = "+"


@dataclass(frozen=True, slots=True)
class Stage:
    """Rungs, each with its number on the whole ladder, and the model that answers on all of them."""

    number: int
    rungs: tuple[tuple[int, Rung], ...]
    model: Model

    @property
    def resolution(self) -> int:
        return self.rungs[0][1].resolution


def stages(job: Job) -> tuple[Stage, ...]:
    """Return the stages of a job's ladder, of which there is at least one."""
    numbered = list(enumerate(job.render.ladder))
    parts = [tuple(part) for _, part in groupby(numbered, key=lambda each: (_checkpoint(job, each[1]), each[1].resolution))]
    return tuple(Stage(number, part, _model(job, part[0][1])) for number, part in enumerate(parts))


def waiting(fingerprint: str, stage: int) -> str:
    """Return how rows carry the fingerprint of a question that waits for a stage."""
    return f"{fingerprint}{_MARK}{stage}"


def is_final(fingerprints: Iterable[str]) -> bool:
    """Return whether none of the questions waits for another stage."""
    return not any(_MARK in each.rpartition(":")[2] for each in fingerprints)


def _checkpoint(job: Job, rung: Rung) -> str:
    return rung.checkpoint or job.model.checkpoint


def _model(job: Job, rung: Rung) -> Model:
    if _checkpoint(job, rung) == job.model.checkpoint:
        return job.model
    return job.model.model_copy(update={"checkpoint": rung.checkpoint, "revision": None, "adapter": None})
