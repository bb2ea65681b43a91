"""The ladder's later passes through real Ray: another checkpoint, in workers of its own."""

from pathlib import Path

import pytest

from jobs.evaluate.values import equal
from jobs.synth import generate
from pipeline import read
from pipeline.flow import run
from pipeline.verify import verify
from schemas.arrow import from_table
from schemas.field import FieldRow
from schemas.job import AnswerField, AnswerTask, Job, Model, Render, Rung, Sink, Source, Workers

WORKERS = Workers(cpus=2)
# Ray warns of its own settings as it reads them, and leaves files open in the process that started it.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.usefixtures("ray_started")
def test_a_second_checkpoint_answers_what_the_first_could_not(tmp_path: Path) -> None:
    """The first knows no document and says nothing that is money; the second is started in a pass of its own, over those pages, once."""
    (tmp_path / "in").mkdir()
    folders = [tmp_path / "knows-nothing", tmp_path / "knows-all"]
    for folder in folders:
        folder.mkdir()
        (folder / "scripted.json").write_text("{}")
    truths = {}
    for seed in (3, 4):
        data, truth = generate("invoice", seed)
        (tmp_path / "in" / f"{seed}.pdf").write_bytes(data)
        (folders[1] / f"{seed}.truth.json").write_text(truth.model_dump_json())
        truths[truth.document_id] = truth
    asked = next(each for each in truth.pages[0].fields if each.type == "money")
    task = AnswerTask(type="answer", fields=(AnswerField(name=asked.name, question=asked.question, type="money"),))
    job = Job(
        name="ladder",
        source=Source(uri=str(tmp_path / "in")),
        model=Model(engine="scripted", checkpoint=str(folders[0])),
        render=Render(text_layer="ignore", ladder=(Rung(), Rung(resolution=896, checkpoint=str(folders[1])))),
        tasks=(task,),
        workers=WORKERS,
        sink=Sink(uri=str(tmp_path / "out")),
    )
    summary = run(job)
    rows = [row for row in from_table(read(job.sink.uri, "fields"), FieldRow) if row.page_index == 0]
    documents = {row["source_id"]: row["document_id"] for row in read(job.sink.uri, "documents").to_pylist()}
    for row in rows:
        true = {each.name: each.value for each in truths[documents[row.source_id]].pages[0].fields}
        assert (row.rung, row.resolution) == (1, 896)
        assert equal(row, true[asked.name], "money")
    assert len(rows) == 2
    first, second = summary.tally.rungs
    assert first == second == summary.pages_selected
    assert verify(job.sink.uri).is_exact
    assert run(job).tally.requests == 0
