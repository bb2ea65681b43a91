"""What `pagemill train` gains on a kind of document that the shipped checkpoint never saw, and what it loses on the kinds that it knew.

`python tests/bench/new_kind.py [--pages 200] [--held-out 60] [--beside 1600] [--old 120] [--teach lora] [--rank 8] [--epochs 1.5] [--rate 6e-4]`;
`make new-kind`. Parking tickets, which the generator does not draw, are labelled with four fields each. Aim: 40 points more of the fields
exactly right, and no more than 2 points lost on the old kinds, in characters and in fields. Views of the old kinds are taught along
(--beside), half of them asked for their text and half for values, as one would with one's own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from jobs.synth.canvas import Canvas
from jobs.synth.document import stream
from jobs.synth.faces import Face, Family, Pen
from jobs.synth.finish import finished
from jobs.synth.names import code, name
from jobs.train.asked import LONGEST, values
from jobs.train.examples import prepared
from jobs.train.labels import read_labels
from jobs.train.measure import by_kind, measured
from jobs.train.recipe import ON_CPU, Lesson
from jobs.train.tune import answers
from jobs.train.views import views
from pipeline.engines.description import describe
from pipeline.engines.weights import resolve

SIDE_PT = 300.0
PAGEMILL = Path(sys.executable).with_name("pagemill")
_LESSONS: tuple[Lesson, ...] = ("tiles", "fields")


def main() -> None:
    """Label, teach, ask before and after, and print both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--held-out", type=int, default=60)
    parser.add_argument("--beside", type=int, default=1600, help="labelled views of the old kinds that are taught along")
    parser.add_argument(
        "--old", type=int, default=120, help="so many views of the old kinds are asked for their text, and for a value"
    )
    parser.add_argument("--teach", default="lora")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--epochs", type=float, default=1.5)
    parser.add_argument("--rate", type=float, default=6e-4)
    parser.add_argument("--checkpoint", default="embedded")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        resolution = describe(resolve("embedded", None)).resolution
        taught = [*tickets(folder, options.pages, "train"), *old_pages(folder, options.beside, resolution)]
        labels, asked_for = folder / "labels.jsonl", folder / "held-out.jsonl"
        labels.write_text("\n".join(map(json.dumps, taught)), encoding="utf-8")
        asked_for.write_text("\n".join(map(json.dumps, tickets(folder, options.held_out, "evaluate"))), encoding="utf-8")
        before = known(resolve(options.checkpoint, None), asked_for, folder, options.old)
        begun = time.monotonic()
        command = ["train", labels, "--out", folder / "taught", "--checkpoint", options.checkpoint, "--teach", options.teach]
        steps = ["--epochs", str(options.epochs), "--rate", str(options.rate), "--rank", str(options.rank), "--hold-out", "0"]
        # By default the densest of the old tiles would be left out.
        subprocess.run([PAGEMILL, *command, *steps, "--max-tokens", str(LONGEST[resolution])], check=True)
        minutes = (time.monotonic() - begun) / 60
        after = known(folder / "taught", asked_for, folder, options.old)
        for measure, value in after.items():
            print(f"{measure:44} {before[measure]:6.1%} {value:6.1%}")
        print(
            f"{options.pages} tickets and {options.beside} old views, {options.epochs:g} epochs of {options.teach}, {minutes:.1f} minutes"
        )


def known(folder: Path, asked_for: Path, scratch: Path, old: int) -> dict[str, float]:
    """Return what share of the tickets' fields a checkpoint gets exactly right, and its scores on the old kinds."""
    description = describe(folder)
    examples = prepared(read_labels(str(asked_for)), description.resolution, "none", scratch / "views", print)
    said = answers(description, examples, scratch / "views", 24)
    right = sum(text == each.target for text, each in zip(said, examples, strict=True))
    found = {"new kind: fields exactly right": right / len(examples)}
    for kind, finish, score in by_kind(measured(folder, {"ocr": old, "answer": old}, ON_CPU.tilings)):
        if kind == "all":
            found[f"old kinds, {finish}: {score.task}, {score.metric}"] = score.value
    return found


def tickets(folder: Path, count: int, split: str) -> Iterator[dict[str, object]]:
    """Write tickets, and yield the labels of their fields."""
    for seed in range(count):
        rng = stream("ticket", split, seed)
        canvas, fields = ticket(rng)
        path = folder / f"{split}-{seed}.pdf"
        path.write_bytes(finished((canvas,), "pdf", rng).data)
        for question, value in fields.items():
            yield {"uri": path.name, "task": "answer", "prompt": f"answer en {question}", "target": value}


def ticket(rng: Random) -> tuple[Canvas, dict[str, str]]:
    """Draw a ticket of four labelled values, in any order, large enough to be read on one view."""
    canvas = Canvas(SIDE_PT, SIDE_PT)
    size = rng.uniform(10, 13)
    family: Family = rng.choice(("sans", "serif", "mono"))
    pen, strong = Pen(Face(family), size), Pen(Face(family, bold=True), size)
    rows = {
        "what is the plate?": ("Plate", code(rng, rng.choice(("AA-A ###", "### AAA", "AA## AAA")))),
        "which zone is it?": ("Zone", code(rng, rng.choice(("A", "A#", "##")))),
        "how much was paid?": ("Paid", f"{rng.randrange(1, 40)}.{rng.choice(('00', '50', '20', '80'))}"),
        "until when is it valid?": ("Until", f"{rng.randrange(24):02}:{rng.randrange(0, 60, 5):02}"),
    }
    y = rng.uniform(20, 50)
    canvas.text(30, y, f"PARKING {name(rng).upper()}", Pen(Face(family, bold=True), 1.4 * size))
    y += 3 * size
    for head, value in rng.sample(list(rows.values()), len(rows)):
        canvas.text(30, y, head, pen)
        canvas.text(rng.uniform(110, 150), y, value, strong)
        y += rng.uniform(1.6, 2.6) * size
    return canvas, {question: value for question, (_, value) in rows.items()}


def old_pages(folder: Path, count: int, resolution: int) -> Iterator[dict[str, object]]:
    """Write documents of the old kinds, three in ten as scans, and yield a label of one view of each."""
    for seed in range(count):
        rng, lesson = stream("beside", seed), _LESSONS[seed % 2]
        (seen,) = views(lesson, 10**8 + seed, resolution, count=1, scans=0.3, tilings=("grid",))
        path = folder / f"old-{seed}.pdf"
        path.write_bytes(seen.sheet.data)
        prompt, target = values(rng, seen, 1)[0] if lesson == "fields" else ("ocr", seen.answer("ocr") or "")
        x0, y0, x1, y1 = seen.affine.e, seen.affine.f, seen.affine.e + seen.affine.a, seen.affine.f + seen.affine.d
        yield {
            "uri": path.name,
            "page": seen.page.page_index,
            "task": prompt.split(maxsplit=1)[0],
            "prompt": prompt,
            "target": target,
            "region": {"x0": x0, "y0": y0, "x1": x1, "y1": y1},
        }


if __name__ == "__main__":
    main()
