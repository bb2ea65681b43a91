"""Fine-tunes a PaliGemma from labelled pages: labels → views → lessons → steps → a checkpoint folder with its card and curve.

It knows neither a command line nor where the result goes in the end.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

import torch
import transformers
from transformers import PaliGemmaForConditionalGeneration

from jobs.train.adapt import adapt
from jobs.train.card import terms_of, tuned_card
from jobs.train.company import ALONE, Company
from jobs.train.curve import draw_curve
from jobs.train.examples import Example, prepared
from jobs.train.export import CARD, write_checkpoint
from jobs.train.feed import Batch
from jobs.train.joint import JointCourse
from jobs.train.labels import read_labels
from jobs.train.lessons import WHOLE, Part, batches, teachable
from jobs.train.loop import Plan, Progress, learn
from jobs.train.modes import RATES, Mode
from jobs.train.scores import Score, score
from jobs.train.split import split
from pipeline.engines import attention
from pipeline.engines.description import Description, describe
from pipeline.engines.start import launch
from pipeline.engines.vocabulary import Vocabulary
from pipeline.engines.weights import EMBEDDED, resolve
from pipeline.errors import CheckpointError, JobError
from schemas.job import Model, Tiling
from schemas.view import Affine, Region, Request, View

_ASKED_AT_ONCE = 16
_SMALL_MODEL_RATE, _SMALL_BYTES = 10.0, 10**8


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was asked for. `rate` and `steps` are worked out where None; `minutes` bounds this call alone."""

    labels: str
    checkpoint: str = EMBEDDED
    revision: str | None = None
    mode: Mode = "lora"
    tasks: tuple[str, ...] = ()
    tiling: Tiling = "none"
    rank: int = 16
    epochs: float = 4.0
    batch: int = 8
    accumulate: int = 1
    rate: float | None = None
    hold_out: float = 0.1
    max_tokens: int = 512
    seed: int = 0
    checkpointing: bool = False
    workers: int = 1


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
    if tuning.workers == 1:
        progress = teach(tuning, course, result, work, say, minutes)
    else:
        from jobs.train.together import teach_together

        progress = teach_together(tuning, result, work, say, minutes)
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


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What is taught: the checkpoint to begin with, the examples to learn from and those held out, and the folder of their views."""

    description: Description
    vocabulary: Vocabulary
    lessons: list[Example]
    held_out: list[Example]
    left_out: dict[str, int]
    views: Path


def prepare(tuning: Tuning, work: Path, say: Callable[[str], None]) -> Course:
    """Read labels and render their views, or take what was rendered before. Raises JobError and CheckpointError, as `tune`."""
    description = describe(resolve(tuning.checkpoint, tuning.revision))
    if description.quantization is not None:
        raise CheckpointError(f"{tuning.checkpoint} holds {description.quantization} weights, which cannot be taught")
    vocabulary = Vocabulary.load(description)
    views = work / "views"
    shown = prepared(read_labels(tuning.labels, tuning.tasks), description.resolution, tuning.tiling, views, say)
    examples, left_out = teachable(vocabulary, shown, tuning.max_tokens)
    for reason, count in left_out.items():
        say(f"left out {count}: {reason}")
    lessons, held_out = split(examples, tuning.hold_out, tuning.seed)
    if not lessons:
        raise JobError(f"{tuning.labels} leaves nothing to learn from")
    return Course(description, vocabulary, lessons, held_out, left_out, views)


def teach(
    tuning: Tuning,
    course: Course,
    result: Path,
    work: Path,
    say: Callable[[str], None],
    minutes: float = math.inf,
    part: Part = WHOLE,
    company: Company = ALONE,
) -> Progress:
    """Go through the steps, and write the checkpoint once they are done; the model's memory is free again afterwards.

    In company, `part` says which batches are this process's; the first process writes the checkpoint.
    """
    model = load(course.description)
    adapted = adapt(model, tuning.mode, tuning.rank, tuning.seed, tuning.checkpoint)
    if tuning.checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    taught, plan = JointCourse(model, course.description.final_softcap), _plan(tuning, course, work, part)
    progress = learn(taught, plan, model.device, say, minutes, company=company)
    if progress.done and company.first:
        write_checkpoint(adapted.merged(work / "adapter"), course.description.folder, result, card="")
    return progress


def load(description: Description) -> PaliGemmaForConditionalGeneration:
    """Return the checkpoint's model ready to be taught: on the GPU in bfloat16 where there is one, else in float32."""
    attention.register()
    transformers.utils.logging.disable_progress_bar()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    configuration = transformers.PaliGemmaConfig.from_pretrained(description.folder, local_files_only=True)
    if description.family == "paligemma2":  # it was trained without a window
        configuration.text_config.layer_types = ["full_attention"] * configuration.text_config.num_hidden_layers
    model = PaliGemmaForConditionalGeneration.from_pretrained(
        description.folder,
        config=configuration,
        dtype=torch.bfloat16 if device.type == "cuda" else torch.float32,
        attn_implementation={"text_config": attention.NAME, "vision_config": "sdpa"},
        local_files_only=True,
        use_safetensors=True,
    )
    return model.to(device).train()


def _claim(tuning: Tuning, work: Path) -> None:
    """Refuse a folder in which something else was trained: its state would be taken for this one's."""
    work.mkdir(parents=True, exist_ok=True)
    note, mine = work / "arguments.json", json.dumps(asdict(tuning), indent=2)
    if note.exists() and note.read_text(encoding="utf-8") != mine:
        raise JobError(
            f"{work} holds a training with other arguments ({note.name} says which): name another --out, or remove it"
        )
    note.write_text(mine, encoding="utf-8")


def _plan(tuning: Tuning, course: Course, work: Path, part: Part) -> Plan[Batch]:
    at_once = tuning.batch * tuning.accumulate * tuning.workers
    steps = max(1, math.ceil(tuning.epochs * len(course.lessons) / at_once))
    top = _top_rate(tuning, course)

    def feed(step: int) -> Iterator[Batch]:
        first = step * tuning.accumulate * tuning.workers
        return batches(
            course.vocabulary, course.lessons, course.views, size=tuning.batch, seed=tuning.seed, start=first, part=part
        )

    return Plan(
        name="training",
        steps=steps,
        batches=feed,
        rate=lambda step: _rate(top, step, steps),
        state_path=work / "state.pt",
        accumulate=tuning.accumulate,
        half=torch.cuda.is_available(),
    )


def _top_rate(tuning: Tuning, course: Course) -> float:
    return tuning.rate or RATES[tuning.mode] * (_SMALL_MODEL_RATE if _is_small(course.description) else 1.0)


def _is_small(description: Description) -> bool:
    return sum(path.stat().st_size for path in description.folder.glob("*.safetensors")) < _SMALL_BYTES


def _rate(top: float, step: int, steps: int) -> float:
    """Warm up over a twentieth of the steps, then fall along a half cosine to a tenth."""
    warm = max(1, steps // 20)
    if step < warm:
        return top * (step + 1) / warm
    return top * (0.55 + 0.45 * math.cos(math.pi * (step - warm) / max(1, steps - warm)))


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
        f"rate {_top_rate(tuning, course):.3g}",
        "loss": f"{_end(progress.losses):.4f} a token at the end",
        "time": f"{progress.seconds / 3600:.2f} hours on {_machine()}",
    }


def _end(losses: Sequence[float]) -> float:
    last = losses[-max(1, len(losses) // 20) :]
    return sum(last) / max(1, len(last))


def _machine() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} threads of a CPU"
