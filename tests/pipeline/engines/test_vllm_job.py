"""A whole job on the real vLLM, through Ray and to Parquet: the rows are those of the transformers engine. Run by `make parity`."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import read

pytestmark = pytest.mark.vllm
DTYPE = os.environ.get("PAGEMILL_PARITY_DTYPE", "float32")
ROOT = Path(__file__).parents[3]
# These say which run a row is of, and on what it ran; everything else must be the same.
OF_THE_RUN = {"engine", "seconds", "run_id", "processed_at"}
# A mean of log-probabilities, and what is worked out from one; each token's may differ by that much (parity.TOLERANCES).
WITHIN = 0.001
# The demo's questions and, after them, those of every other task. Noise does not stop, so answers are kept short.
TASKS: list[dict[str, Any]] = [
    {"type": "ocr"},
    {
        "type": "answer",
        "fields": [
            {"name": "number", "question": "what is the invoice number?"},
            {"name": "date", "question": "what is the date?", "type": "date"},
            {"name": "total", "question": "what is the total?", "type": "money"},
        ],
    },
    {"type": "spot"},
    {"type": "detect", "labels": ["signature", "stamp"]},
    {"type": "segment", "labels": ["logo"]},
    {"type": "refer", "phrase": "the stamp", "ask_as": "segment"},
    {"type": "refer", "phrase": "the seal"},
    {"type": "caption", "box": [0.05, 0.05, 0.95, 0.5]},  # of a region: its places are tokens of the prompt
    {"type": "question", "answer": "42", "prompt": "ask {lang} {answer}"},
    {"type": "table"},
    {"type": "raw", "name": "toc", "prompt": "list the headings"},
]
KEYS = {
    *("ocr", "answer.number", "answer.date", "answer.total", "spot", "detect", "segment", "refer.the-stamp", "refer.the-seal"),
    *("caption", "question", "table", "raw.toc"),
}


@pytest.fixture(scope="module")
def sinks(tmp_path_factory: pytest.TempPathFactory, lively: Callable[[Any, int], Path]) -> dict[str, str]:
    """Run every task on both engines, over the documents of the demo that have no text layer; return each one's sink."""
    checkpoint = lively("paligemma2", 448)
    return run_on_both(tmp_path_factory.mktemp("job"), lambda engine, sink: _job(checkpoint, engine, sink))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run the demo's own job on both engines, its answers cut short; return each one's sink."""
    return run_on_both(tmp_path_factory.mktemp("demo"), _demo)


def run_on_both(folder: Path, job_of: Callable[[str, str], dict[str, Any]]) -> dict[str, str]:
    made = {}
    for engine in ("transformers", "vllm"):
        made[engine] = str(folder / engine)
        job = folder / f"{engine}.yaml"
        job.write_text(json.dumps(job_of(engine, made[engine])))
        done = subprocess.run(
            [Path(sys.executable).with_name("pagemill"), "run", job, "--json", "--quiet"],
            cwd=ROOT,
            env={**os.environ, "PAGEMILL_CACHE": str(folder / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return made


def test_every_task_is_asked_of_both_engines(sinks: dict[str, str]) -> None:
    """Each page has an answer to each task from either engine, named in its rows; no request failed; and no two pages have the same."""
    for engine, sink in sinks.items():
        pages = read(sink, "pages").to_pylist()
        assert len(pages) >= 4
        for page in pages:
            assert page["engine"].startswith(f"{engine} ")
            assert {completion["task"] for completion in page["completions"]} == KEYS
            assert all(completion["tokens"] and completion["finish_reason"] != "error" for completion in page["completions"])
        said = [tuple(completion["raw"] for completion in page["completions"]) for page in pages]
        assert len(set(said)) == len(said)


@pytest.mark.skipif(DTYPE != "float32", reason="in bfloat16 answers may part at a tie")
@pytest.mark.parametrize("dataset", ["documents", "pages", "fields"])
def test_the_rows_are_the_same(sinks: dict[str, str], dataset: str) -> None:
    """All rows of the three datasets are equal but for the engine, the run and its times, and log-probabilities within tolerance."""
    rows = {engine: read(sink, dataset).to_pylist() for engine, sink in sinks.items()}
    assert rows["vllm"]
    assert list(differences(rows["transformers"], rows["vllm"])) == []


@pytest.mark.skipif(DTYPE != "float32", reason="in bfloat16 answers may part at a tie")
@pytest.mark.parametrize("dataset", ["documents", "pages"])
def test_the_demo_has_the_same_rows(demo: dict[str, str], dataset: str) -> None:
    """The job of `make demo`, with the checkpoint that ships, gives the same rows on either engine: text layers, scans, and what cannot be opened."""
    rows = {engine: read(sink, dataset).to_pylist() for engine, sink in demo.items()}
    if dataset == "pages":
        asked = [row for row in rows["vllm"] if row["completions"]]
        assert len(asked) >= 4
        assert {row["engine"].split()[0] for row in asked} == {"vllm"}
        assert any(row["text_source"] == "text_layer" for row in rows["vllm"])
    assert list(differences(rows["transformers"], rows["vllm"])) == []


def test_rows_that_differ_are_told_apart() -> None:
    """The comparison itself can fail: another word, another number, a row too many."""
    row = {"text": "a", "confidence": 0.5, "engine": "x", "boxes": [{"x0": 1.0}]}
    assert list(differences([row], [{**row, "engine": "y", "confidence": 0.5001}])) == []
    for other in ([{**row, "text": "b"}], [{**row, "confidence": 0.51}], [{**row, "boxes": [{"x0": 1.1}]}], [row, row]):
        assert list(differences([row], other))


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Return the places at which two values differ, in words."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            found
            for key in sorted((one.keys() | other.keys()) - OF_THE_RUN)
            for found in differences(one.get(key), other.get(key), f"{where}.{key}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            found
            for index, pair in enumerate(zip(one, other, strict=True))
            for found in differences(*pair, f"{where}[{index}]")
        ]
    if isinstance(one, float) and isinstance(other, float) and math.isclose(one, other, abs_tol=WITHIN, rel_tol=0):
        return []
    return [] if one == other else [f"{where}: {one!r} and {other!r}"]


def _demo(engine: str, sink: str) -> dict[str, Any]:
    """Return the demo's job for an engine: the file as it ships, but for the engine, the sink, and answers that are cut after some tokens.

    What is cut is a reject; the rows keep it, word for word. Pages of many tiles are left out: vLLM takes half a second for each request.
    """
    job: dict[str, Any] = yaml.safe_load((ROOT / "jobs/examples/demo.yaml").read_text())
    job["source"]["exclude"] += ["**/article.pdf", "**/statement*", "**/invoice-rotated.pdf"]
    job["model"] |= {"engine": engine, "dtype": DTYPE}
    job["tasks"] = [{**task, "max_tokens": 16} for task in job["tasks"]]
    return {**job, "accept": {"max_reject_rate": 1.0}, "sink": {"uri": sink}}


def _job(checkpoint: Path, engine: str, sink: str) -> dict[str, Any]:
    return {
        "name": "both-engines",
        "source": {
            "uri": "jobs/examples/documents",
            "include": ["**/receipt.png", "**/receipt-photo.jpg", "**/letter.jp2", "**/invoice-scan.pdf"],
        },
        "model": {"checkpoint": str(checkpoint), "engine": engine, "dtype": DTYPE},
        "render": {"text_layer": "ignore"},
        "tasks": [{**task, "max_tokens": 24} for task in TASKS],
        "accept": {"max_reject_rate": 1.0},
        "sink": {"uri": sink},
    }
