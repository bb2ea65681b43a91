"""Fine-tunes a PaliGemma from labelled pages: a course is taught, alone or together, and its result scored, with a card and a curve.

It knows neither a command line nor where the result goes in the end.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

import torch

from jobs.train.card import terms_of, tuned_card
from jobs.train.course import Course, Tuning, prepare, teach, top_rate
from jobs.train.curve import draw_curve
from jobs.train.examples import Example
from jobs.train.export import CARD
from jobs.train.loop import Progress
from jobs.train.scores import Score, score
from jobs.train.together import teach_together
from pipeline.engines.description import Description, describe
from pipeline.engines.start import launch
from pipeline.errors import JobError
from schemas.job import Model
from schemas.view import Affine, Region, Request, View

_ASKED_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came of it: where it stands, and each held-out score before and after."""

    progress: Progress
    learned_from: int
    left_out: dict[str, int]
    scores: tuple[tuple[Score, Score], ...]


def tune(tuning: Tuning, result: Path, work: Path, say: Callable[[str], None], minutes: float = math.inf) -> Tuned:
    """Go on with a training whose state is in `work`; once done, write the checkpoint into `result`.

    Raises JobError on labels that teach nothing and on a `work` folder of another training, CheckpointError on what cannot be taught.
    """
    _claim(tuning, work)
    course = prepare(tuning, work, say)
    say(f"{len(course.lessons)} examples to learn from, {len(course.held_out)} held out")
    progress = (
        teach(tuning, course, result, work, say, minutes)
        if tuning.workers == 1
        else teach_together(tuning, result, work, say, minutes)
    )
    draw_curve(progress.losses, work / "loss.png", f"{tuning.checkpoint}, {tuning.mode}")
    if not progress.done:
        return Tuned(progress, len(course.lessons), course.left_out, ())
    scores = _scores(tuning, course.description, result, course.held_out, course.views)
    (result / CARD).write_text(
        tuned_card(
            tuning.checkpoint, terms_of(course.description, tuning.checkpoint), _facts(tuning, course, progress), scores
        ),
        encoding="utf-8",
    )
    return Tuned(progress, len(course.lessons), course.left_out, scores)


def _claim(tuning: Tuning, work: Path) -> None:
    """Refuse a folder in which something else was trained: its state would be taken for this one's."""
    work.mkdir(parents=True, exist_ok=True)
    note, mine = work / "arguments.json", json.dumps(asdict(tuning), indent=2)
    if note.exists() and note.read_text(encoding="utf-8") != mine:
        raise JobError(
            f"{work} holds a training with other arguments ({note.name} says which): name another --out, or remove it"
        )
    note.write_text(mine, encoding="utf-8")


def _scores(
    tuning: Tuning, origin: Description, result: Path, held_out: Sequence[Example], views: Path
) -> tuple[tuple[Score, Score], ...]:
    """Ask the held-out questions of the checkpoint as it was and as it is now, through the engine that serves it."""
    if not held_out:
        return ()
    before = answers(origin, held_out, views, tuning.max_tokens)
    after = answers(describe(result), held_out, views, tuning.max_tokens)
    return tuple(zip(_by_task(held_out, before), _by_task(held_out, after), strict=True))


def answers(description: Description, examples: Sequence[Example], views: Path, max_tokens: int) -> list[str]:
    """Return what the served checkpoint says to the examples' prompts."""
    dtype = "bfloat16" if torch.cuda.is_available() else "float32"
    engine = launch(Model(checkpoint=str(description.folder), engine="transformers", dtype=dtype), description)
    said: list[str] = []
    try:
        for start in range(0, len(examples), _ASKED_AT_ONCE):
            some = examples[start : start + _ASKED_AT_ONCE]
            requests = [
                Request(View("", each.page, Region("page", Affine(*each.affine)), each.image(views)), each.prompt, max_tokens)
                for each in some
            ]
            said += [completion.text for completion in engine.generate(requests)]
    finally:
        engine.close()
    return said


def _by_task(examples: Sequence[Example], said: Sequence[str]) -> list[Score]:
    together = sorted(zip((each.task for each in examples), said, (each.target for each in examples), strict=True))
    return [
        found
        for task, group in groupby(together, key=lambda each: each[0])
        for found in score(task, [(said, true) for _, said, true in group])
    ]


def _facts(tuning: Tuning, course: Course, progress: Progress) -> dict[str, str]:
    what = {
        "lora": "LoRA, language model",
        "lora-all": "LoRA, all linear layers",
        "projector": "the projector",
        "full": "all weights",
    }
    rank = f", rank {tuning.rank}" if tuning.mode.startswith("lora") else ""
    processes = f" by {tuning.workers} processes" if tuning.workers > 1 else ""
    left_out = sum(course.left_out.values())
    return {
        "taught": what[tuning.mode] + rank,
        "from": f"{len(course.lessons)} examples of `{tuning.labels}`" + (f"; left out {left_out}" if left_out else ""),
        "steps": f"{progress.step} of {tuning.batch * tuning.accumulate * tuning.workers} examples{processes}, seed {tuning.seed}, "
        f"rate {top_rate(tuning, course):.3g}",
        "loss": f"{_end(progress.losses):.4f} a token at the end",
        "time": f"{progress.seconds / 3600:.2f} hours on {_machine()}",
    }


def _end(losses: Sequence[float]) -> float:
    last = losses[-max(1, len(losses) // 20) :]
    return sum(last) / max(1, len(last))


def _machine() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} threads of a CPU"
