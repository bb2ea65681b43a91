"""The example jobs: each is right, and the demo, which needs nothing but this machine, really runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.jobfile import load
from pipeline import read

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "jobs" / "examples").glob("*.yaml"))
DOCUMENTS = ROOT / "jobs" / "examples" / "documents"


def test_the_examples_are_the_four():
    """Each way to use Pagemill has its example."""
    assert [path.stem for path in EXAMPLES] == ["backfill", "demo", "lake", "nightly"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_a_job(path):
    """It loads, and says in its first line what it is for."""
    assert load(path).sink.uri
    assert path.read_text().startswith("# ")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run the demo as `make demo` does, into a folder of its own, and return its summary and its sink."""
    sink = tmp_path_factory.mktemp("demo") / "out"
    command = [
        Path(sys.executable).with_name("pagemill"),
        "run",
        "jobs/examples/demo.yaml",
        "--sink",
        str(sink),
        "--json",
        "--quiet",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), str(sink)


def test_the_demo_reads_every_document_that_ships(demo):
    """Every document has its row; those that nobody can open say why, and all others have their pages."""
    _, sink = demo
    rows = {Path(row["source_uri"]).name: row for row in read(sink, "documents").to_pylist()}
    assert set(rows) == {path.name for path in DOCUMENTS.iterdir() if path.suffix != ".json"}
    failed = {name for name, row in rows.items() if row["status"] == "failed"}
    assert all(rows[name]["failures"] for name in failed)
    assert 0 < len(failed) < len(rows) / 2


def test_the_demo_says_where_text_and_values_come_from(demo):
    """Pages with a text layer give the text that stands there; the model's reading is marked as the model's."""
    _, sink = demo
    pages = read(sink, "pages").to_pylist()
    sources = {page["text_source"] for page in pages if page["status"] == "ok"}
    assert "text_layer" in sources
    truth = {path.name.removesuffix(".truth.json"): json.loads(path.read_text()) for path in DOCUMENTS.glob("*.truth.json")}
    assert truth
    assert {row["value_source"] for row in read(sink, "fields").to_pylist() if row["status"] == "ok"} <= {"model", "text_layer"}


def test_a_second_demo_has_nothing_to_do(demo):
    """The sink of the demo is whole."""
    _, sink = demo
    command = [Path(sys.executable).with_name("pagemill"), "verify", sink]
    assert "exact" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
