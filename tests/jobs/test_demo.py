"""The demo, which needs nothing but this machine: run to its end, its rows are true."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jobs.evaluate.boxes import ENOUGH, overlaps
from jobs.evaluate.text import character_errors
from jobs.evaluate.trees import likenesses
from pipeline import read
from schemas.box import LabelledBox
from schemas.table import Table

ROOT = Path(__file__).parents[2]
DOCUMENTS = ROOT / "jobs" / "examples" / "documents"
pytestmark = [pytest.mark.ray, pytest.mark.slow]


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


def test_the_demos_text_layers_are_true(demo):
    """A page whose text comes from its text layer has the very words that the truth beside the document has, and there are such pages."""
    _, sink = demo
    pages = [page for page in read(sink, "pages").to_pylist() if page["text_source"] == "text_layer"]
    assert len(pages) >= 3
    for page in pages:
        truth = _truth(page["source_uri"], page["page_index"])
        words = sorted(word for line in truth["lines"] for word in line["text"].split())
        assert sorted(page["text"].split()) == words


def test_the_demos_scans_are_read_by_the_model(demo):
    """A page without a text layer has text that is more right than wrong, but for at most one."""
    _, sink = demo
    pages = [page for page in read(sink, "pages").to_pylist() if page["text_source"] == "model" and page["status"] == "ok"]
    assert len(pages) >= 3
    misread = []
    for page in pages:
        truth = _truth(page["source_uri"], page["page_index"])
        edits, count = character_errors(page["text"], "\n".join(line["text"] for line in truth["lines"]))
        misread += [page["source_uri"]] if edits > 0.6 * count else []
    assert len(misread) <= 1, misread


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("invoice.pdf", {"date", "total"}),
        ("invoice-rotated.pdf", {"date", "total"}),
        ("invoice-scan.pdf", {"total"}),
        ("receipt.png", {"date", "total"}),
        ("receipt-photo.jpg", {"date", "total"}),
    ],
)
def test_the_demos_values_are_true(demo, name, found):
    """Dates and totals of invoices and receipts are those that the truth beside the document has, whatever the other tiles of the page said."""
    _, sink = demo
    truth = _truth(name, 0)
    wanted = {f"what is the {key}?": key for key in ("date", "total")}
    true = {wanted[field["question"]]: field["value"]["value_text"] for field in truth["fields"] if field["question"] in wanted}
    rows = [row for row in read(sink, "fields").to_pylist() if Path(row["source_uri"]).name == name]
    assert {row["name"]: row["value_raw"] for row in rows if row["status"] == "ok"} == {key: true[key] for key in found}


def test_what_the_demo_shows_of_values_is_true(demo):
    """No value of any document is shown as right that the truth beside it does not have."""
    _, sink = demo
    rows = [row for row in read(sink, "fields").to_pylist() if row["status"] == "ok"]
    assert len(rows) >= 12
    for row in rows:
        fields = _truth(Path(row["source_uri"]).name, row["page_index"])["fields"]
        assert row["value_raw"] in {field["value"].get("value_text") for field in fields}, row["source_uri"]


def test_the_demo_finds_things_where_they_stand(demo):
    """Three in four of the titles, tables, totals and logos that it shows cover those of the truth, and each invoice and receipt has some that do."""
    _, sink = demo
    found: dict[str, list[float]] = {}
    for page in read(sink, "pages").to_pylist():
        if page["boxes"]:
            true = [LabelledBox.model_validate(box) for box in _truth(page["source_uri"], page["page_index"])["boxes"]]
            said = [LabelledBox.model_validate(box) for box in page["boxes"]]
            found.setdefault(Path(page["source_uri"]).name, []).extend(overlaps(true, said))
    every = [share >= ENOUGH for shares in found.values() for share in shares]
    assert len(every) >= 20
    assert sum(every) >= 0.7 * len(every)
    for name in ("invoice.pdf", "invoice-rotated.pdf", "invoice-scan.pdf", "receipt.png", "receipt-photo.jpg"):
        assert sum(share >= ENOUGH for share in found[name]) >= 2, name


def test_the_demo_reads_a_table_of_a_photo(demo):
    """The receipt's lines are a table with the rows, columns and words of the truth, but for a letter or two."""
    _, sink = demo
    (page,) = [page for page in read(sink, "pages").to_pylist() if page["source_uri"].endswith("receipt-photo.jpg")]
    said = [Table.model_validate(table) for table in page["tables"]]
    true = [Table.model_validate(table) for table in _truth("receipt-photo.jpg", 0)["tables"]]
    assert [round(each, 1) for each in likenesses(said, true)] == [1.0]


def test_the_demos_sink_is_exact(demo):
    """`pagemill verify` finds nothing wrong with what the demo wrote."""
    _, sink = demo
    command = [Path(sys.executable).with_name("pagemill"), "verify", sink]
    assert "exact" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _truth(name: str, page_index: int) -> dict[str, Any]:
    """Return what stands on a page of a document that ships, from the file beside it."""
    return json.loads((DOCUMENTS / f"{Path(name).stem}.truth.json").read_text())["pages"][page_index]
