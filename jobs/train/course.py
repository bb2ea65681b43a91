"""What one process does in a fine-tuning: it reads labels, goes through the steps, and writes the checkpoint that comes of them.

It knows neither held-out scores nor how many processes there are beside it, but for its part of the batches.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from transformers import PaliGemmaForConditionalGeneration

from jobs.train.adapt import adapt
from jobs.train.company import ALONE, WHOLE, Company, Part
from jobs.train.examples import Example, prepared
from jobs.train.export import write_checkpoint
from jobs.train.feed import Batch
from jobs.train.joint import JointCourse
from jobs.train.labels import read_labels
from jobs.train.lessons import batches, teachable
from jobs.train.loop import Plan, Progress, learn
from jobs.train.modes import RATES, Mode
from jobs.train.precision import takes_bfloat16
from jobs.train.split import split
from pipeline.checkpoints import EMBEDDED
from pipeline.engines import attention
from pipeline.engines.description import Description, describe
from pipeline.engines.vocabulary import Vocabulary
from pipeline.engines.weights import resolve
from pipeline.errors import CheckpointError, JobError
from schemas.job import Tiling

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
    taught, plan = JointCourse(model, course.description.final_softcap), _plan(tuning, course, work, part, model.device)
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


def top_rate(tuning: Tuning, course: Course) -> float:
    """Return the highest learning rate of a training: what was asked for, or the way's own, and more of it for a small model."""
    return tuning.rate or RATES[tuning.mode] * (_SMALL_MODEL_RATE if _is_small(course.description) else 1.0)


def _plan(tuning: Tuning, course: Course, work: Path, part: Part, device: torch.device) -> Plan[Batch]:
    at_once = tuning.batch * tuning.accumulate * tuning.workers
    steps = max(1, math.ceil(tuning.epochs * len(course.lessons) / at_once))
    top = top_rate(tuning, course)

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
        half=takes_bfloat16(device),
    )


def _rate(top: float, step: int, steps: int) -> float:
    """Warm up over a twentieth of the steps, then fall along a half cosine to a tenth."""
    warm = max(1, steps // 20)
    if step < warm:
        return top * (step + 1) / warm
    return top * (0.55 + 0.45 * math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _is_small(description: Description) -> bool:
    return sum(path.stat().st_size for path in description.folder.glob("*.safetensors")) < _SMALL_BYTES
