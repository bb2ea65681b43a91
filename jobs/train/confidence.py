"""Fits the weights of confidence to the checkpoint that ships: it answers about made-up pages that it never saw, and their truth judges it.

`python -m jobs.train.confidence [--checkpoint FOLDER] [--documents 120] [--out FILE]`. A checkpoint that answers too little
rightly teaches nothing of fields, or of lines: that is said, and their weights are those that ship. It runs as any job does, in a folder that goes
again, and reads pages in tiles, as letters of a whole page are too small for the checkpoint that ships.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from jobs.evaluate.evaluation import evaluate
from jobs.evaluate.report import Report
from jobs.synth.folder import synth, truth_of
from pipeline.checkpoints import EMBEDDED_CONFIDENCE
from pipeline.errors import PagemillError
from pipeline.flow import run
from schemas.job import AnswerField, AnswerTask, Job, Model, OcrTask, Render, Rung, Sink, Source, Tiling
from schemas.run import RunSummary

KIND = "invoice"  # one kind has one set of questions
SEED = 40_000  # of the split that nothing is taught from


def main() -> int:
    """Fit, write, and say how far such weights can be trusted on documents that they have not seen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", default="embedded")
    parser.add_argument("--documents", type=int, default=120)
    parser.add_argument("--out", type=Path, default=EMBEDDED_CONFIDENCE)
    options = parser.parse_args()
    model = Model(checkpoint=options.checkpoint, engine="transformers", dtype="float32")
    with tempfile.TemporaryDirectory(prefix="pagemill-confidence-") as folder:
        try:
            found = fit(model, options.documents, Path(folder), options.out, tiles="grid")
        except PagemillError as error:
            sys.stderr.write(f"{error}\n{options.out} is as it was\n")
            return 1
    for name, trust in (("fields", found.calibrated), ("lines", found.calibrated_lines)):
        said = trust.model_dump_json(exclude={"bins", "risks"}) if trust else "too few were right, or wrong: as they were"
        sys.stdout.write(f"{options.out}: {name}: {said}\n")
    return 0


def fit(
    model: Model,
    documents: int,
    folder: Path,
    out: Path,
    run: Callable[[Job], RunSummary | object] = run,
    tiles: Tiling = "none",
) -> Report:
    """Read as many made-up documents with a checkpoint, whole or in tiles, and fit the weights in `out` to what is right of it. Raises JobError."""
    source = folder / "in"
    paths = synth(source, count=documents, seed=SEED, kinds=(KIND,), finishes=("scan", "pdf"), split="evaluate")
    asked = {
        field.name: AnswerField(name=field.name, question=field.question, type=field.type)
        for path in paths
        for page in truth_of(path).pages
        for field in page.fields
        if field.type != "enum"
    }
    job = Job(
        name="confidence",
        source=Source(uri=str(source), exclude=("**/*.json",)),
        model=model,
        render=Render(text_layer="compare", ladder=(Rung(tiles=tiles),)),
        tasks=(OcrTask(type="ocr"), AnswerTask(type="answer", fields=tuple(asked.values()))),
        sink=Sink(uri=str(folder / "out")),
    )
    run(job)
    return evaluate(job.sink.uri, str(source), resamples=1, calibrate_to=out)


if __name__ == "__main__":
    sys.exit(main())
