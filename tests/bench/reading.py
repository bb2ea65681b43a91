"""How well the checkpoint that ships reads held-out pages, through whole runs: `pagemill synth`, `run` and `evaluate`, one after another.

`python tests/bench/reading.py [PAGES] [--engine vllm] [--seed N] [--folder FOLDER]`; `make reading PAGES=500`. PAGES documents of the generator's
split "evaluate", turn by turn of each kind and both finishes, are read without their text layers, in tiles: text, and the fields of invoices,
receipts and forms. The report is by kind, finish and field; --folder keeps documents, rows and report.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jobs.synth.folder import synth, truth_of

KINDS = ("invoice", "receipt", "letter", "form", "statement", "article")
FINISHES = ("pdf", "scan")
FIELDS = (
    ("number", "what is the invoice number?", "string"),
    ("date", "what is the date?", "string"),
    ("total", "what is the total?", "string"),
    ("store", "what is the name of the store?", "string"),
    ("name", "what is the full name?", "string"),
    ("form_number", "what is the form number?", "string"),
)
AIMS = (
    "Aims: character error rate 2% of born-digital pages and 5% of scans; fields exactly right 95%; mAP at 0.5 0.90; TEDS 0.90."
)
PAGEMILL = Path(sys.executable).with_name("pagemill")


def main() -> None:
    """Make the documents, read them, judge, and print the report as Markdown."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pages", type=int, nargs="?", default=60)
    parser.add_argument("--engine", choices=("transformers", "vllm"), default="transformers")
    parser.add_argument("--checkpoint", default="embedded")
    parser.add_argument("--seed", type=int, default=500_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--everything", action="store_true", help="fields, boxes and tables too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        print(report(folder, options.pages, options.engine, options.checkpoint, options.seed, everything=options.everything))


def report(folder: Path, pages: int, engine: str, checkpoint: str, seed: int, *, everything: bool) -> str:
    """Return what `pagemill evaluate` says of `pages` held-out pages, and how long they took."""
    documents = folder / "documents"
    made = documents_of(documents, pages, seed)
    job = folder / "job.yaml"
    job.write_text(job_of(documents, folder / "rows", engine, checkpoint, everything=everything), encoding="utf-8")
    begun = time.monotonic()
    ran = subprocess.run([PAGEMILL, "run", job], capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begun
    if ran.returncode not in (0, 1):
        raise SystemExit(f"pagemill run ended with {ran.returncode}: {ran.stderr[-2000:]}")
    judged = subprocess.run(
        [PAGEMILL, "evaluate", folder / "rows", documents, "--format", "truth", "--markdown"],
        capture_output=True,
        text=True,
        check=True,
    )
    (folder / "report.md").write_text(judged.stdout, encoding="utf-8")
    return (
        f"{judged.stdout}\n{AIMS}\n{len(made)} documents, read in {seconds / 60:.1f} minutes by {engine}, seeds {seed:,} and on"
    )


def documents_of(folder: Path, pages: int, seed: int) -> list[Path]:
    """Write documents until they have so many pages; a folder that has documents keeps them."""
    paths = sorted(path for path in folder.glob("*") if path.suffix != ".json") if folder.exists() else []
    if paths:
        return paths
    paths = synth(folder, count=pages, seed=seed, kinds=KINDS, finishes=FINISHES, split="evaluate")
    counted = 0
    for number, path in enumerate(paths):
        if counted >= pages:
            for beyond in paths[number:]:
                beyond.with_name(f"{beyond.stem}.truth.json").unlink()
                beyond.unlink()
            return paths[:number]
        counted += len(truth_of(path).pages)
    return paths


def job_of(documents: Path, rows: Path, engine: str, checkpoint: str, *, everything: bool) -> str:
    """Return the job, as YAML."""
    fields = "".join(f"\n      - {{name: {name}, question: '{question}', type: {kind}}}" for name, question, kind in FIELDS)
    answers = f"\n  - type: answer\n    max_tokens: 40\n    fields:{fields}"
    things = "\n  - {type: detect, labels: [title, table, total, signature, logo, stamp]}\n  - {type: table}"
    return (
        "name: reading\n"
        f"source: {{uri: '{documents}', exclude: ['**/*.json']}}\n"
        f"model: {{checkpoint: '{checkpoint}', engine: {engine}, dtype: float32}}\n"
        "render: {text_layer: ignore, ladder: [{tiles: grid}]}\n"
        "tasks:\n  - {type: ocr, max_tokens: 1200}"
        f"{answers + things if everything else ''}\n"
        "accept: {max_reject_rate: 1.0}\n"
        f"sink: {{uri: '{rows}'}}\n"
    )


if __name__ == "__main__":
    main()
