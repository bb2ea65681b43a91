"""The example jobs: each is right, and asks what it says (the demo: test_demo.py)."""

from pathlib import Path

import pytest

from jobs.jobfile import load

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "jobs" / "examples").glob("*.yaml"))


def test_the_examples_are_the_four():
    """Each way to use Pagemill has its example."""
    assert [path.stem for path in EXAMPLES] == ["backfill", "demo", "lake", "nightly"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_a_job(path):
    """It loads, and says in its first line what it is for."""
    assert load(path).sink.uri
    assert path.read_text().startswith("# ")


@pytest.mark.ray
@pytest.mark.parametrize("name", ["backfill", "lake", "nightly"])
def test_an_example_reads_documents(name, mill, machine):
    """With places and a model that are here, what an example asks is asked: all of its fields have rows, and the sink is exact."""
    example = load(ROOT / "jobs" / "examples" / f"{name}.yaml")
    mill.put("2026/a.pdf", machine.pdf("Invoice 17, to pay 12 EUR", ""))
    mill.put("drafts/b.pdf", machine.pdf("a draft"))
    source = example.source.model_copy(update={"uri": str(mill.source), "inventory": None, "passwords": None})
    job = example.model_copy(update={"source": source, "model": mill.job().model, "sink": mill.job().sink})
    assert not mill.run(job).left
    read_names = {str(Path(row["source_uri"]).relative_to(mill.source)) for row in mill.rows()}
    assert read_names == ({"2026/a.pdf"} if name == "lake" else {"2026/a.pdf", "drafts/b.pdf"})
    fields = {field.name for task in job.tasks for field in getattr(task, "fields", ())}
    assert {row["name"] for row in mill.rows("fields")} == fields
    assert mill.verify().is_exact
