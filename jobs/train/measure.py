"""How well a checkpoint reads pages that it was never taught, by kind of document, finish and task: through the engine that serves it.

Views are asked one by one, as training asks them, of seeds that training cannot have; a whole run's ladder and its rejects are not in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from jobs.synth.document import stream
from jobs.train.asked import asked
from jobs.train.recipe import Asks, Lesson, Tiling
from jobs.train.scores import Score, score
from jobs.train.views import Seen, views
from pipeline.engines.base import Engine
from pipeline.engines.description import describe
from pipeline.engines.start import launch
from pipeline.tasks.unanswerable import UNANSWERABLE
from schemas.job import Model
from schemas.view import Completion, Request, View

_VIEWS_A_DOCUMENT, _SCANS, _AT_ONCE, _MOST_TOKENS = 3, 0.3, 16, 900


@dataclass(frozen=True, slots=True)
class Measured:
    """One answer: what was seen and asked, what is true, what the model said and how sure it was of it, from 0 to 1."""

    kind: str
    finish: str
    task: str
    true: str
    said: str
    ended: bool
    confidence: float


def measured(folder: Path, counts: Mapping[Asks, int], tilings: Sequence[Tiling]) -> list[Measured]:
    """Ask the checkpoint so many questions of each task about held-out views of these tilings."""
    description = describe(folder)
    engine = launch(Model(checkpoint=str(folder), engine="transformers", dtype="float32"), description)
    try:
        return [
            answer
            for task, count in counts.items()
            for answer in _asked_of(engine, islice(_questions(task, tilings, description.resolution), count))
        ]
    finally:
        engine.close()


def by_kind(answers: Sequence[Measured]) -> list[tuple[str, str, Score]]:
    """Return (kind, finish, score) for each task that was asked of them, in the order of their names.

    The kind "all" is all kinds together; of values, those that the view shows and those that it does not are told apart besides.
    """
    groups: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for each in answers:
        for kind in _groups(each):
            groups.setdefault((kind, each.finish, each.task), []).append((each.said, each.true))
    return [(kind, finish, found) for (kind, finish, task), pairs in sorted(groups.items()) for found in score(task, pairs)]


def _groups(answer: Measured) -> tuple[str, ...]:
    if answer.task != "answer":
        return "all", answer.kind
    return "all", answer.kind, "all, not shown" if answer.true == UNANSWERABLE else "all, shown"


def _asked_of(engine: Engine, questions: Iterator[tuple[Seen, str, str]]) -> Iterator[Measured]:
    while some := list(islice(questions, _AT_ONCE)):
        said = engine.generate([Request(_view(seen), prompt, _MOST_TOKENS) for seen, prompt, _ in some])
        yield from (_measured(*question, answer) for question, answer in zip(some, said, strict=True))


def _questions(task: Asks, tilings: Sequence[Tiling], resolution: int) -> Iterator[tuple[Seen, str, str]]:
    lesson: Lesson = "fields" if task == "answer" else "tiles"
    seed = 0
    while True:
        rng = stream("measure", lesson, seed)
        for seen in views(
            lesson, seed, resolution, count=_VIEWS_A_DOCUMENT, scans=_SCANS, split="evaluate", tilings=tuple(tilings)
        ):
            shown, prompt, answer = asked(rng, seen, lesson, resolution, ((task, 1),))
            if _task(prompt) == task:  # a view without a table is mostly asked for its text
                yield shown, prompt, answer
        seed += 1


def _task(prompt: str) -> str:
    return prompt.split(maxsplit=1)[0]


def _view(seen: Seen) -> View:
    if seen.image is None:
        raise ValueError("a view that was not drawn cannot be shown")
    return View("", seen.page.page_index, seen.region, seen.image)


def _measured(seen: Seen, prompt: str, true: str, answer: Completion) -> Measured:
    return Measured(
        kind=seen.sheet.kind,
        finish=seen.sheet.finish,
        task=_task(prompt),
        true=true,
        said=answer.text,
        ended=answer.finish_reason == "stop",
        confidence=float(np.exp(answer.mean_logprob or 0.0)),
    )
