"""Whole runs of the scripted engine over made-up documents, judged: right where they are, and wrong by as much as was planted."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.cli import cli
from jobs.evaluate.evaluation import evaluate
from jobs.evaluate.report import Report
from jobs.evaluate.text import plain
from pipeline.engines.reader import visible_lines
from pipeline.errors import JobError
from schemas.truth import DocumentTruth
from schemas.view import Affine


def _totals(report: Report) -> dict[str, float]:
    return {f"{score.task}.{score.metric}": score.value for score in report.totals}


def _truths(folder: Path) -> dict[Path, DocumentTruth]:
    return {path: DocumentTruth.model_validate_json(path.read_bytes()) for path in sorted(folder.glob("*.truth.json"))}


def _liar(bench, change: Callable[[DocumentTruth], DocumentTruth]) -> Path:
    """Return a checkpoint that tells the truth but for a change to every document's."""
    folder = bench.folder / "liar"
    folder.mkdir()
    for path, truth in _truths(Path(bench.source)).items():
        (folder / path.name).write_text(change(truth).model_dump_json(exclude_defaults=True))
    return folder


def test_a_perfect_reader_is_perfect(true_run):
    """An engine that knows the truth has no character wrong, all fields right, all things found and all tables whole."""
    report = evaluate(true_run.sink, true_run.source, resamples=20)
    totals = _totals(report)
    assert totals.pop("detect.iou") > 0.97  # places are told in 1024ths
    assert totals == {
        "text.cer": 0,
        "text.wer": 0,
        "fields.exact": 1,
        "fields.anls": 1,
        "detect.map50": pytest.approx(1),
        "table.teds": 1,
        "table.teds_struct": 1,
    }
    assert (report.pages, report.documents) == (4, 4)
    assert {(each.by, each.group) for each in report.scores if each.metric == "cer"} >= {
        ("kind", "invoice"),
        ("kind", "receipt"),
        ("finish", "png"),
        ("resolution", "448"),
        ("rung", "1"),
        ("prompt", "ocr"),
    }
    # Receipts have no truth about an invoice's number, and no field is asked for most of what is known of invoices.
    reasons = {each.reason: each.count for each in report.left_out}
    assert reasons["answers without a label: answer.number"] == 2
    assert reasons["the run does not ask for it: answer"] > 0


def test_what_is_missing_is_wrong(true_run):
    """A labelled document that was never read is wrong throughout, unless only what was listed is to count."""
    labels = true_run.folder / "labels"
    shutil.copytree(true_run.source, labels)
    (path, truth), *_ = _truths(labels).items()
    unread = truth.model_copy(update={"document_id": "0" * 64})
    (labels / "unread.truth.json").write_text(unread.model_dump_json())
    report = evaluate(true_run.sink, str(labels), resamples=5)
    characters = {path: len(plain(truth.pages[0].text)) for path, truth in _truths(labels).items()}
    totals = _totals(report)
    assert totals["text.cer"] == pytest.approx(characters[path] / sum(characters.values()))
    assert totals["table.teds"] == pytest.approx(4 / 5)
    assert {score.missing for score in report.totals if score.metric == "cer"} == {1}
    assert (report.pages, report.documents) == (5, 5)

    listed = evaluate(true_run.sink, str(labels), listed_only=True, resamples=5)
    assert _totals(listed)["text.cer"] == 0
    assert [each.reason for each in listed.left_out if "unread" in each.example] == [
        "labels of documents that the run's source does not have"
    ]


def _misread(truth: DocumentTruth) -> DocumentTruth:
    """Change the last figure of every field's answer, lose each page's first thing, and one word in its tables."""
    pages = []
    for page in truth.pages:
        fields = tuple(
            field.model_copy(
                update={"value": field.value.model_copy(update={"value_text": f"{field.value.value_text}7"}), "box": None}
            )
            if field.question == "what is the total?"
            else field
            for field in page.fields
        )
        lines = (page.lines[0].model_copy(update={"text": page.lines[0].text[:-1] + "#"}), *page.lines[1:])
        pages.append(page.model_copy(update={"fields": fields, "lines": lines, "boxes": ()}))
    return truth.model_copy(update={"pages": tuple(pages)})


def test_planted_errors_have_their_size(bench):
    """One letter wrong a page is one letter in all of them; lost things are lost; fields that say less are wrong by their share."""
    bench.mill.run(bench.job(_liar(bench, _misread)))
    report = evaluate(bench.sink, bench.source, resamples=5)
    totals = _totals(report)
    truths = _truths(Path(bench.source)).values()
    pages = [page for truth in truths for page in truth.pages]
    assert totals["text.cer"] == pytest.approx(len(pages) / sum(len(plain(page.text)) for page in pages))
    assert totals["text.wer"] == pytest.approx(len(pages) / sum(len(page.text.split()) for page in pages))
    assert (totals["detect.map50"], totals["detect.iou"]) == (0, 0)
    asked = {"what is the invoice number?", "what is the date?", "what is the total?"}
    fields = [field for page in pages for field in page.fields if field.question in asked]
    wrong = [field for field in fields if field.question == "what is the total?"]
    assert wrong
    assert totals["fields.exact"] == pytest.approx(1 - len(wrong) / len(fields))
    assert totals["table.teds"] == 1
    by_type = {score.group: score.value for score in report.scores if (score.by, score.metric) == ("field", "exact")}
    assert by_type == {"number": 1, "date": 1, "total": 0}


def test_an_engine_that_dies_is_wrong(bench):
    """Pages that the engine dies of are rejected, and rejected is wrong: they count with all their characters, fields and tables."""
    folder = _liar(bench, lambda truth: truth)
    lost = next(iter(_truths(Path(bench.source)).values()))
    (folder / "scripted.json").write_text(json.dumps({"dies_on": [f"{lost.document_id}/0"]}))
    bench.mill.run(bench.job(folder))
    report = evaluate(bench.sink, bench.source, resamples=5)
    pages = [page for truth in _truths(Path(bench.source)).values() for page in truth.pages]
    totals = _totals(report)
    assert totals["text.cer"] == pytest.approx(len(plain(lost.pages[0].text)) / sum(len(plain(page.text)) for page in pages))
    assert totals["table.teds"] == pytest.approx(3 / 4)
    assert totals["fields.exact"] < 1
    assert {score.metric: score.rejected for score in report.totals}["cer"] == 1


def test_the_command_prints_and_judges(true_run):
    """The command prints tables, JSON or Markdown of the same scores, and exits 1 where a bound is broken."""
    run = CliRunner().invoke
    arguments = ["evaluate", true_run.sink, true_run.source, "--resamples", "5"]
    shown = run(cli, [*arguments, "--accept", "cer<=0.01"], standalone_mode=False)
    assert shown.return_value == 0
    assert "CER" in shown.output
    assert "0.00% [0.00%, 0.00%]" in shown.output
    as_json = run(cli, [*arguments, "--json", "--accept", "iou>=0.999"], standalone_mode=False)
    assert as_json.return_value == 1
    assert "not accepted: iou>=0.999" in as_json.stderr
    assert Report.model_validate_json(as_json.stdout).sink_uri == true_run.sink
    as_markdown = run(cli, [*arguments, "--markdown"], standalone_mode=False)
    assert "| kind | receipt |" in as_markdown.output


def test_labels_that_fit_nothing_are_an_error(true_run):
    """Labels for what was never asked give no report that looks like one."""
    labels = true_run.folder / "other.jsonl"
    labels.write_text(json.dumps({"uri": "x.pdf", "task": "raw", "prompt": "p", "target": "t"}))
    with pytest.raises(JobError, match="has no label for what"):
        evaluate(true_run.sink, str(labels))


def test_ones_own_labels_are_judged_by_uri_and_prompt(true_run):
    """JSON lines are held against the page of their uri: text, fields in the run's own types, and boxes in a model's words."""
    (path, truth), *_ = _truths(Path(true_run.source)).items()
    page = truth.pages[0]
    document = next(each for each in true_run.documents if each.stem == path.name.removesuffix(".truth.json"))
    date = next(field for field in page.fields if field.question == "what is the date?")
    whole = Affine(page.width_pt, 0, 0, page.height_pt, 0, 0)
    text = "\n".join(line.text for line in visible_lines(page, whole))
    lines = [
        {"task": "ocr", "target": text},
        {"task": "answer", "prompt": "answer en what is the date?", "target": date.value.value_text},
        {"task": "answer", "prompt": "answer en what is the total?", "target": "unanswerable"},
        {"task": "detect", "labels": ["stamp"], "target": "<loc0000><loc0000><loc0100><loc0100> stamp"},
    ]
    labels = true_run.folder / "own.jsonl"
    labels.write_text("\n".join(json.dumps({"uri": str(document)} | line) for line in lines))
    report = evaluate(true_run.sink, str(labels), resamples=5)
    totals = _totals(report)
    assert totals["text.cer"] == 0
    assert totals["fields.exact"] == 0.5  # the date is right, and the total is on the page though the label denies it
    assert totals["detect.map50"] == 0
    assert {each.reason: each.count for each in report.left_out}["pages without a label"] == 3
