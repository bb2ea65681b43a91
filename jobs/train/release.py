"""Makes a checkpoint of what `python -m jobs.train.embedded` taught, asks it about pages that it never saw, and writes that into its card.

`python -m jobs.train.release --state FOLDER --to FOLDER [--views N] [--notes FILE]`.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import click
import torch

from jobs.train.embedded import fresh_model, kept_sizes
from jobs.train.export import write_checkpoint
from jobs.train.frame import FRAME_PX
from jobs.train.joint import JointCourse
from jobs.train.loop import load_learning
from jobs.train.measure import Measured, by_kind, measured
from jobs.train.recipe import ALL_TASKS, ON_CPU, Asks, StageName
from jobs.train.state import State, read_state
from jobs.train.succession import state_path
from pipeline.checkpoints.architecture import Sizes
from pipeline.checkpoints.build import build
from pipeline.errors import CheckpointError

_ONE_IN: dict[Asks, int] = {"ocr": 1, "answer": 2, "detect": 4, "spot": 8, "table": 8}
"""By task: one question for so many views that are read."""
_RELEASED: tuple[StageName, ...] = ("whole", "large")
"""The stages that teach the whole model, the last one first."""
_COMMAND = "python -m jobs.train.embedded --out FOLDER && python -m jobs.train.release --state FOLDER --to CHECKPOINT"


@click.command()
@click.option("--state", "state_folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--to", "target", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where the checkpoint goes."
)
@click.option("--views", default=600, show_default=True, type=click.IntRange(min=1), help="How many it is asked about.")
@click.option("--notes", type=click.File(encoding="utf-8"), help="What the card shall say besides, in Markdown.")
def main(state_folder: Path, target: Path, views: int, notes: TextIO | None) -> None:
    """Write the checkpoint and its card."""
    sys.stdout.write(release(state_folder, target, views, notes.read() if notes else "") + "\n")


def release(state_folder: Path, target: Path, views: int, notes: str = "") -> str:
    """Write the checkpoint that a training's state holds, in bfloat16; return its card, which ends with the notes.

    Raises CheckpointError where there is nothing to release yet.
    """
    sizes, stage, state = _taught(state_folder)
    taught = ON_CPU.through(stage).taught
    with tempfile.TemporaryDirectory() as scratch:
        blank = build(Path(scratch), resolution=FRAME_PX, sizes=sizes, dtype="bfloat16")
        model = fresh_model(blank, seed=0)
        load_learning(JointCourse(model), state)
        write_checkpoint(model, blank, target, card="")
    answers = measured(
        target, {task: max(1, views // each) for task, each in _ONE_IN.items() if task in taught}, ON_CPU.tilings
    )
    parameters = sum(parameter.numel() for parameter in model.parameters())
    written = card(sizes, FRAME_PX, parameters, _history(state_folder), answers) + notes
    (target / "MODEL_CARD.md").write_text(written, encoding="utf-8")
    return written


def card(
    sizes: Sizes, resolution: int, parameters: int, history: Sequence[dict[str, object]], answers: Sequence[Measured]
) -> str:
    """Return the card: what the model is, how it was taught, and what it got right, by kind of document."""
    hours = sum(float(str(each["seconds"])) for each in history) / 3600
    machines = ", ".join(sorted({str(each["machine"]) for each in history}))
    ended = sum(each.ended for each in answers) / max(1, len(answers))
    facts = {
        "architecture": f"PaliGemma 1: SigLIP tower ({sizes.vision_layers} layers, width {sizes.vision_width}, 14 px patches), linear "
        f"projector, Gemma ({sizes.text_layers} layers, width {sizes.text_width}, {sizes.text_kv_heads} key and value heads)",
        "weights": f"{parameters / 1e6:.1f} million, bfloat16, safetensors",
        "resolution": f"{resolution} px, {(resolution // 14) ** 2:,} image tokens",
        "vocabulary": "its own: characters, tags of tables, 1,024 `<loc>`, 128 `<seg>`, specials",
        "data": f"made-up documents of `jobs/synth`, split `train`, seed {ON_CPU.seed}; measured on split `evaluate`",
        "training": "; ".join(_stretches(history)),
        "time": f"{hours:.1f} hours on {machines}",
        "made by": f"`{_COMMAND}`",
        "licence": "Apache-2.0, like the code; it derives from no published weights",
    }
    unasked = sorted({name for name, _ in ALL_TASKS} - {each.task for each in answers})
    left_out = f" Not taught, or to no avail: {', '.join(unasked)}." if unasked else ""
    rows = "".join(f"| {name} | {value} |\n" for name, value in facts.items())
    scores = "".join(
        f"| {kind} | {finish} | {found.task} | {found.metric} | {found.value:.1%} | {found.count} |\n"
        for kind, finish, found in by_kind(answers)
    )
    return (
        f"# The embedded checkpoint\n\n| | |\n|---|---|\n{rows}\n## What it reads\n\n"
        f"{len(answers)} held-out views, asked one by one; {ended:.0%} of the answers came to an end by themselves.\n\n"
        f"| document | finish | task | measure | value | answers |\n|---|---|---|---|---|---|\n{scores}\n"
        "Aims: character error rate 2% of born-digital tiles and 5% of scans, fields exactly right 95%."
        f"{left_out}\n"
    )


def _stretches(history: Sequence[dict[str, object]]) -> list[str]:
    """Return each stage's last word: its steps, batch and loss."""
    last = {str(each["stage"]): each for each in history}
    return [
        f"{stage}: {each['step']} of {each['steps']} steps of {each['batch']}, loss {float(str(each['loss'])):.3f}"
        for stage, each in last.items()
    ]


def _taught(folder: Path) -> tuple[Sizes, StageName, State]:
    """Return the sizes of what a training has taught, the last of its stages that teach the whole model, and where that stands."""
    sizes = kept_sizes(folder)
    for stage in _RELEASED:
        state = read_state(state_path(folder, stage), torch.device("cpu"))
        if sizes is not None and state is not None:
            return sizes, stage, state
    raise CheckpointError(f"{folder} holds no joint training yet: python -m jobs.train.embedded --out {folder} goes on with it")


def _history(folder: Path) -> list[dict[str, object]]:
    path = folder / "history.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


if __name__ == "__main__":
    main()
