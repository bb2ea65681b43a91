"""`pagemill train`: teach a PaliGemma one's own pages."""

import hashlib
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import cast, get_args

import click

from jobs.train.modes import MODES, Mode
from schemas.job import Tiling
from schemas.label import LabelTask

_TASKS = get_args(LabelTask)
_WORK = "training"


@click.command()
@click.argument("labels")
@click.option("--out", required=True, help="A folder or s3:// prefix for the checkpoint.")
@click.option("--checkpoint", default="embedded", show_default=True, help="`embedded`, a folder, an s3:// prefix or a hub id.")
@click.option("--revision", help="The revision of a hub id.")
@click.option("--teach", "mode", type=click.Choice(MODES), default="lora", show_default=True, help="What learns.")
@click.option("--task", "tasks", multiple=True, type=click.Choice(_TASKS), help="Labels of this task alone; may be repeated.")
@click.option(
    "--tiles",
    "tiling",
    type=click.Choice(["none", "whitespace"]),
    default="none",
    show_default=True,
    help="Cut pages whose lines have boxes into tiles, as that rung of a ladder does.",
)
@click.option("--rank", type=click.IntRange(min=1), default=16, show_default=True, help="Of LoRA's factors.")
@click.option("--epochs", type=click.FloatRange(min=0, min_open=True), default=4.0, show_default=True)
@click.option("--batch", type=click.IntRange(min=1), default=8, show_default=True, help="Examples at once.")
@click.option("--accumulate", type=click.IntRange(min=1), default=1, show_default=True, help="Batches a step.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="The highest learning rate; one that suits, if not given."
)
@click.option(
    "--hold-out", type=click.FloatRange(0, 0.9), default=0.1, show_default=True, help="The share of documents kept to be asked."
)
@click.option(
    "--max-tokens", type=click.IntRange(min=2), default=512, show_default=True, help="The longest answer that is taught."
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--checkpointing", is_flag=True, help="Compute activations twice and keep few: less memory, a third slower.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes that learn together with Ray Train, a GPU each where there are any; a step then takes as many batches.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=math.inf,
    help="Stop after so many; the same command goes on.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON.")
def train(
    labels: str,
    out: str,
    checkpoint: str,
    revision: str | None,
    mode: str,
    tasks: tuple[str, ...],
    tiling: str,
    rank: int,
    epochs: float,
    batch: int,
    accumulate: int,
    rate: float | None,
    hold_out: float,
    max_tokens: int,
    seed: int,
    workers: int,
    minutes: float,
    *,
    checkpointing: bool,
    as_json: bool,
) -> int:
    """Fine-tune a checkpoint from LABELS: a .jsonl or .parquet file, or a sink whose rows are right.

    \b
    A line of JSONL, or a row of Parquet, is a page or image, what is asked of it and the answer:
      {"uri": "a.pdf", "page": 0, "task": "answer", "prompt": "answer en what is the total?", "target": "12.00"}
      {"uri": "a.pdf", "task": "detect", "labels": ["stamp"], "boxes":
        [{"label": "stamp", "box": {"x0": 10, "y0": 20, "x1": 60, "y1": 70}}]}
    Instead of a target, `boxes` (detect), `lines` with boxes (ocr, spot) or `tables`, in points from the page's top left.

    What a checkpoint could read before, it forgets while it learns something else, unless labelled pages of that are taught along.

    The exit code is 0 once the checkpoint is written, and 3 where --minutes ended the training before: the same command goes on.
    """  # noqa: D301 - \b is click's own mark: this paragraph stays as it is
    from jobs.train.card import scores_table
    from jobs.train.course import Tuning
    from jobs.train.tune import tune
    from pipeline.storage.uris import is_s3, local_path

    tuning = Tuning(
        labels=labels,
        checkpoint=checkpoint,
        revision=revision,
        mode=cast("Mode", mode),
        tasks=tasks,
        tiling=cast("Tiling", tiling),
        rank=rank,
        epochs=epochs,
        batch=batch,
        accumulate=accumulate,
        rate=rate,
        hold_out=hold_out,
        max_tokens=max_tokens,
        seed=seed,
        checkpointing=checkpointing,
        workers=workers,
    )
    result = _kept_here(out) if is_s3(out) else Path(local_path(out))
    work = result / _WORK
    done = tune(tuning, result, work, lambda line: click.echo(line, err=True), minutes)
    if done.progress.done and is_s3(out):
        _send(result, out)
    if as_json:
        click.echo(json.dumps({"out": out, **asdict(done)}))
    elif done.progress.done:
        click.echo(f"{scores_table(done.scores)}\nThe checkpoint is in {out}; the loss curve is {work / 'loss.png'}")
    return 0 if done.progress.done else 3


def _kept_here(out: str) -> Path:
    """Return where a checkpoint that goes to s3:// is made: the same place for the same prefix, so that it can go on."""
    from pipeline.engines.weights import cache_folder

    return cache_folder() / "training" / hashlib.sha256(out.rstrip("/").encode()).hexdigest()[:32]


def _send(result: Path, out: str) -> None:
    """Upload the checkpoint, its configuration last: what has none is no checkpoint yet."""
    from pipeline.storage import join, open_store

    store = open_store(out)
    files = [path for path in result.rglob("*") if path.is_file() and "views" not in path.parts and path.name != "state.pt"]
    for path in sorted(files, key=lambda path: path.name == "config.json"):
        store.upload(path, join(out, *path.relative_to(result).parts))
