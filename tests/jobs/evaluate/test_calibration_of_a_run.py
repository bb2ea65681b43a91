"""Confidence from end to end: a run by a reader who errs, calibrated on labels, and a run that goes by what was learned."""

import hashlib
import json

import pyarrow as pa
import pytest
from click.testing import CliRunner

from jobs.cli import cli
from pipeline.confidence import load
from pipeline.errors import JobError
from pipeline.ledger import Ledger
from pipeline.publish import publish
from pipeline.redecode import Redecoder
from pipeline.selection import select_kept, units
from schemas.box import Box
from schemas.field import FieldValue
from schemas.job import AnswerField, AnswerTask, Confidence, Model, Render
from schemas.truth import DocumentTruth, FieldTruth, PageTruth
from schemas.unit import StagedPart

WAYS = 25


@pytest.fixture
def erring(machine_of_tests, tmp_path, child):
    """Return the machine over six one-page documents whose total is asked in many words, a reader who errs, and labels of what is true."""
    mill = machine_of_tests.Mill(tmp_path, child)
    reader, lines = tmp_path / "reader", []
    reader.mkdir()
    (reader / "scripted.json").write_text(json.dumps({"misread_rate": 0.04, "seed": 3}))
    for number in range(6):
        data = machine_of_tests.pdf(f"number {number}")
        uri, truth = mill.put(f"{number}.pdf", data), _truth(data, number)
        (reader / f"{number}.truth.json").write_text(truth.model_dump_json())
        lines += [
            {"uri": uri, "task": "answer", "prompt": f"answer en {field.question}", "target": field.value.value_text}
            for field in truth.pages[0].fields
        ]
    labels = tmp_path / "labels.jsonl"
    labels.write_text("\n".join(map(json.dumps, lines)))
    fields = tuple(AnswerField(name=f"total_{way}", question=f"what is total {way}?") for way in range(WAYS))
    job = mill.job(
        AnswerTask(type="answer", fields=fields),
        model=Model(engine="scripted", checkpoint=str(reader)),
        render=Render(text_layer="ignore"),
    )
    return mill, job, labels


def test_labels_teach_confidence(erring, tmp_path):
    """`--calibrate` says how far fitted confidence can be trusted, writes its weights, and `redecode` with them needs no model."""
    mill, job, labels = erring
    mill.run(job)
    weights = tmp_path / "confidence.json"
    said = CliRunner().invoke(
        cli, ["evaluate", mill.sink_uri, str(labels), "--resamples", "5", "--json", "--calibrate", str(weights)]
    )
    assert said.exit_code == 0, said.output
    report = json.loads(said.stdout)
    assert (report["confidence"]["answers"], report["calibrated"]["answers"]) == (6 * WAYS, 6 * WAYS)
    assert report["calibrated"]["auc"] > 0.7
    assert load(str(weights)).fitted_on.wrong == report["calibrated"]["wrong"] > 10

    before = {row["field_id"]: row["confidence"] for row in mill.rows("fields")}
    _decode_again(mill, job.model_copy(update={"confidence": Confidence(model=str(weights))}))
    after = {row["field_id"]: row["confidence"] for row in mill.rows("fields")}
    assert before.keys() == after.keys()
    assert before != after


def test_too_few_labels_are_refused(erring, tmp_path):
    """Where labels are too few to learn from nothing is written."""
    mill, job, labels = erring
    mill.run(job)
    labels.write_text("\n".join(labels.read_text().splitlines()[:9]))
    said = CliRunner().invoke(cli, ["evaluate", mill.sink_uri, str(labels), "--calibrate", str(tmp_path / "out.json")])
    assert isinstance(said.exception, JobError)
    assert "too few" in str(said.exception)
    assert not (tmp_path / "out.json").exists()


def _truth(data: bytes, number: int) -> DocumentTruth:
    """Return what is true of a document: a total for each way of asking."""
    box = Box(x0=20, y0=20, x1=40, y1=40)
    fields = tuple(
        FieldTruth(
            name=f"total_{way}",
            question=f"what is total {way}?",
            type="string",
            value=FieldValue(status="ok", value_text=f"{number}{way}.75"),
            box=box,
        )
        for way in range(WAYS)
    )
    return DocumentTruth(
        document_id=hashlib.sha256(data).hexdigest(),
        kind="invoice",
        finish="pdf",
        split="train",
        seed=number,
        media_type="application/pdf",
        language="en",
        pages=(PageTruth(page_index=0, width_pt=200, height_pt=200, fields=fields),),
    )


def _decode_again(mill, job) -> None:
    """Do what `redecode` does, in this process."""
    run_id = "20260201T000000-dddddd"
    with Ledger(mill.store, mill.places, run_id) as ledger:
        ledger.reload()
        select_kept(ledger, job_name=job.name, run_id=run_id)
        worker = Redecoder(job, run_id, ())
        for batch in [*units(ledger)]:
            for text in worker(pa.Table.from_batches([batch]))["staged"].to_pylist():
                part = StagedPart.model_validate_json(text)
                ledger.commit([part], job_name=job.name, at=part.processed_at)
        publish(ledger, mill.store, mill.places, run_id)
