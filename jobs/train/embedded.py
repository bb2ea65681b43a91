"""Teaches the checkpoint that ships: `python -m jobs.train.embedded --out FOLDER [--stage NAME] [--minutes N]` goes on where it was.

On a machine with a GPU the same command uses it, with larger batches. `torchrun --standalone --nproc-per-node 2 -m jobs.train.embedded --threads 1 …`
shares the views of each step among processes. `python -m jobs.train.release` makes a checkpoint of the result.
"""

import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import get_args

import click
import torch
from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration

from jobs.train.company import ALONE, WHOLE, Company, Part, joined
from jobs.train.feed import Batch, batches
from jobs.train.frame import FRAME_PX
from jobs.train.loop import Plan, Progress, learn
from jobs.train.precision import takes_bfloat16
from jobs.train.recipe import Recipe, Stage, StageName, recipe
from jobs.train.succession import Succession, state_path
from pipeline.checkpoints.architecture import Sizes
from pipeline.checkpoints.build import build
from pipeline.engines import attention
from pipeline.engines.description import describe
from pipeline.engines.vocabulary import Vocabulary


@click.command()
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where the state is kept.")
@click.option("--stage", "only", type=click.Choice(list(get_args(StageName))), help="This stage alone.")
@click.option("--minutes", type=float, default=math.inf, help="Stop after so many; the same command goes on.")
@click.option("--steps", type=click.IntRange(min=1), help="So many steps a stage, for a trial.")
@click.option("--processes", type=click.IntRange(min=0), help="Processes that make the pages; the recipe's, if not given.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads of a CPU; all, if not given.")
def main(
    out: Path, only: StageName | None, minutes: float, steps: int | None, processes: int | None, threads: int | None
) -> None:
    """Teach the embedded checkpoint, stage by stage."""
    if threads:
        torch.set_num_threads(threads)
    company, part = joined()
    device = torch.device("cuda", part.index) if torch.cuda.is_available() else torch.device("cpu")
    chosen = recipe("cuda" if device.type == "cuda" else "cpu", steps)
    if processes is not None:
        chosen = replace(chosen, processes=processes)
    until = time.monotonic() + 60 * minutes
    for stage in chosen.stages:
        minutes_left = (until - time.monotonic()) / 60
        if only in (None, stage.name) and not teach(chosen, stage, out, device, minutes_left, company, part).done:
            return


def teach(
    recipe: Recipe,
    stage: Stage,
    out: Path,
    device: torch.device,
    minutes: float = math.inf,
    company: Company = ALONE,
    part: Part = WHOLE,
) -> Progress:
    """Teach one stage, beginning with what the stages before it left in `out`; the sizes are those it was begun with."""
    begun = time.monotonic()
    if company.first:
        blank_checkpoint(recipe, FRAME_PX, out)
    company.wait()
    blank = blank_checkpoint(recipe, FRAME_PX, out)
    vocabulary = Vocabulary.load(describe(blank))
    model = fresh_model(blank, recipe.seed).to(device)
    course = Succession(recipe, stage, out, model, vocabulary, device, _say).course()

    def feed(start: int) -> Iterator[Batch]:
        return batches(recipe, stage, vocabulary, start, part)

    plan = Plan(
        name=stage.name,
        steps=stage.steps,
        batches=feed,
        rate=stage.rate_at,
        state_path=state_path(out, stage.name),
        decay=recipe.decay,
        clip=recipe.clip,
        half=takes_bfloat16(device),
        muon=True,
    )
    progress = learn(course, plan, device, _say, minutes, company=company)
    if company.first:
        _note(out, stage, progress, time.monotonic() - begun, device, part.of)
    company.wait()  # for the state that the first one has written
    return progress


def kept_sizes(out: Path) -> Sizes | None:
    """Return the sizes of the model that is taught in `out`, or None where none is yet."""
    note = out / "sizes.json"
    return Sizes(**json.loads(note.read_text(encoding="utf-8"))) if note.exists() else None


def blank_checkpoint(recipe: Recipe, resolution: int, out: Path) -> Path:
    """Return a folder with the configuration and the vocabulary of the model that is taught in `out`, or the recipe's; its weights are noise."""
    folder = out / f"blank-{resolution}"
    if not (folder / "model.safetensors").exists():
        sizes = kept_sizes(out) or recipe.sizes
        build(folder, resolution=resolution, sizes=sizes)
        (out / "sizes.json").write_text(json.dumps(asdict(sizes)), encoding="utf-8")
    return folder


def fresh_model(folder: Path, seed: int) -> PaliGemmaForConditionalGeneration:
    """Return a model of the folder's configuration with weights drawn by `seed`, ready to be taught."""
    attention.register()
    configuration = PaliGemmaConfig.from_pretrained(folder, local_files_only=True)
    configuration._attn_implementation = {"text_config": attention.NAME, "vision_config": "sdpa"}  # noqa: SLF001 - it has no other name
    torch.manual_seed(seed)
    return PaliGemmaForConditionalGeneration(configuration).float().train()


def _note(out: Path, stage: Stage, progress: Progress, seconds: float, device: torch.device, processes: int) -> None:
    """Add a line on this stretch of the course to history.jsonl: the model card goes by it."""
    machine = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {processes * torch.get_num_threads()} threads"
    last = progress.losses[-100:]
    line = {
        "stage": stage.name,
        "step": progress.step,
        "steps": stage.steps,
        "batch": stage.batch,
        "loss": sum(last) / max(1, len(last)),
        "right": progress.accuracy,
        "seconds": round(seconds, 1),
        "machine": machine,
    }
    with (out / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
