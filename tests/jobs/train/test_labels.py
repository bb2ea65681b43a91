"""Label files as people write them, and the examples that they become."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.synth import generate
from jobs.train.examples import prepared, prompt, target
from jobs.train.labels import labels_of, read_labels
from jobs.train.split import split
from pipeline.documents.child import Child
from pipeline.errors import JobError
from pipeline.tasks import spot, table
from schemas.box import Box, LabelledBox
from schemas.field import FieldRow
from schemas.job import Limits
from schemas.label import Label
from schemas.page import CompletionRecord, Line, PageRow
from schemas.table import Cell, Table
from schemas.view import Affine, Completion

WHOLE = Affine.of_box(Box(x0=0, y0=0, x1=100, y1=200))
CORNER = {"x0": 0, "y0": 0, "x1": 1, "y1": 1}
ANSWER = {"uri": "a.pdf", "task": "answer", "prompt": "answer en what is it?", "target": "x"}


def test_jsonl_and_parquet_hold_the_same_labels(tmp_path) -> None:
    """Either file gives the same labels; relative uris are below the file's folder, absolute and s3 ones stay."""
    rows = [
        ANSWER,
        {**ANSWER, "uri": "s3://b/a b.pdf", "page": 3},
        {"uri": "/x/y.png", "task": "detect", "labels": ["a", "b"], "boxes": [{"label": "a", "box": CORNER}]},
    ]  # fmt: skip
    (tmp_path / "l.jsonl").write_text("".join(json.dumps(row) + "\n\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows, schema=_schema()), tmp_path / "l.parquet")
    lines, table_rows = read_labels(str(tmp_path / "l.jsonl")), read_labels(str(tmp_path / "l.parquet"))
    assert lines == table_rows
    assert [label.uri for label in lines] == [str(tmp_path / "a.pdf"), "s3://b/a b.pdf", "/x/y.png"]
    assert [label.task for label in read_labels(str(tmp_path / "l.jsonl"), ("detect",))] == ["detect"]


def _schema() -> pa.Schema:
    box = pa.struct([(name, pa.float64()) for name in ("x0", "y0", "x1", "y1")])
    boxes = pa.list_(pa.struct([("label", pa.string()), ("box", box)]))
    text = {name: pa.string() for name in ("uri", "task", "prompt", "target")}
    return pa.schema({**text, "page": pa.int64(), "labels": pa.list_(pa.string()), "boxes": boxes})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "line 2: no JSON"),
        (json.dumps({**ANSWER, "tsak": "x"}), "line 2: tsak"),
        (json.dumps({"uri": "a", "task": "answer", "target": "x"}), "line 2: .*needs its `prompt`"),
        (json.dumps({"uri": "a", "task": "ocr"}), "line 2: .*`target`"),
        (json.dumps({**ANSWER, "prompt": "a\nb"}), "line 2: prompt"),
    ],
)
def test_what_is_no_label_is_named_by_its_line(tmp_path, row, said) -> None:
    """A mistake in a label file is found before anything starts, with its line and key."""
    (tmp_path / "l.jsonl").write_text(json.dumps(ANSWER) + "\n" + row + "\n")
    with pytest.raises(JobError, match=said):
        read_labels(str(tmp_path / "l.jsonl"))


def test_answers_are_built_as_their_decoders_read_them() -> None:
    """Boxes become places, tables HTML with places x first, lines text, with and without boxes; only what the view shows."""
    lines = (Line(text="in it", box=Box(x0=10, y0=10, x1=40, y1=20)), Line(text="below", box=Box(x0=10, y0=150, x1=40, y1=160)))
    half = Affine.of_box(Box(x0=0, y0=0, x1=100, y1=100))
    assert target(Label(uri="a", task="ocr", lines=lines), half) == "in it"
    spotted = target(Label(uri="a", task="spot", lines=lines), WHOLE)
    assert [line.text for line in spot.decode(_said(spotted), WHOLE).lines] == ["in it", "below"]
    boxes = (LabelledBox(label="stamp", box=Box(x0=0, y0=0, x1=50, y1=100)),)
    found = Label(uri="a", task="detect", labels=("logo", "stamp"), boxes=boxes)
    assert target(found, WHOLE) == "<loc0000><loc0000><loc0512><loc0512> stamp"
    assert prompt(found) == "detect logo ; stamp"
    cell = Cell(row_index=0, col_index=0, text="7", box=Box(x0=0, y0=0, x1=50, y1=200))
    made = Table(table_index=0, n_rows=1, n_cols=1, html="", cells=(cell,))
    html = target(Label(uri="a", task="table", tables=(made,)), WHOLE)
    assert html == '<table><tr><td coords="<loc0000><loc0000><loc0512><loc1023>">7</td></tr></table>'
    assert table.decode(_said(html), WHOLE).tables[0].cells[0].text == "7"
    assert target(Label(uri="a", task="ocr", lines=lines[1:]), half) is None


def _said(text: str | None) -> Completion:
    return Completion(text or "", (), (), "stop")


def test_pages_are_rendered_once_and_broken_ones_left_out(tmp_path) -> None:
    """Views are kept; asked again the same labels open nothing; a document that is not one is told and costs no other."""
    data, truth = generate("receipt", 1)
    (tmp_path / "good.pdf").write_bytes(data)
    (tmp_path / "bad.pdf").write_bytes(b"nothing")
    page = truth.pages[0]
    labels = [
        Label(uri=str(tmp_path / "bad.pdf"), task="ocr", target="x"),
        Label(uri=str(tmp_path / "good.pdf"), task="ocr", target=page.text),
        Label(uri=str(tmp_path / "good.pdf"), task="spot", lines=page.lines),
        Label(uri=str(tmp_path / "good.pdf"), task="ocr", target="corner", region=Box(x0=0, y0=0, x1=50, y1=50)),
    ]
    said: list[str] = []
    examples = prepared(labels, 224, "none", tmp_path / "views", said.append)
    assert [each.target for each in examples] == [page.text, spot.encode(page.lines, Affine(*examples[1].affine)), "corner"]
    assert examples[0].view == examples[1].view != examples[2].view
    assert examples[0].image(tmp_path / "views").shape == (224, 224, 3)
    assert len(said) == 1
    assert "bad.pdf" in said[0]
    (tmp_path / "good.pdf").unlink()
    assert prepared(labels, 224, "none", tmp_path / "views", said.append) == examples
    tiled = [Label(uri=str(tmp_path / "again.pdf"), task="ocr", lines=page.lines)]
    (tmp_path / "again.pdf").write_bytes(data)
    parts = prepared(tiled, 224, "whitespace", tmp_path / "views", said.append)
    assert len(parts) > 1
    assert sorted("\n".join(part.target for part in parts).split("\n")) == sorted(line.text for line in page.lines)


def test_held_out_documents_are_whole_and_stay_held_out() -> None:
    """No document is on both sides; one document alone is learned from; the split does not depend on the order."""
    from jobs.train.examples import Example

    made = [Example("v", (1, 0, 0, 1, 0, 0), f"doc{n % 10}", n, "ocr", "ocr", "x") for n in range(40)]
    lessons, asked = split(made, 0.2, 0)
    assert len({each.uri for each in asked}) == 2
    assert not {each.uri for each in asked} & {each.uri for each in lessons}
    assert len(lessons) + len(asked) == 40
    assert {each.uri for each in split(made[::-1], 0.2, 0)[1]} == {each.uri for each in asked}
    assert split(made[:1], 0.5, 0) == (made[:1], [])
    assert split(made, 0.0, 0)[1] == []


def test_corrected_rows_give_back_the_questions_that_were_asked() -> None:
    """Text, lines, tables, boxes and values become labels with the prompts of their completions; what failed teaches nothing."""
    said = {"view": "page", "affine": (1.0, 0, 0, 1.0, 0, 0), "rung": 0, "raw": "", "finish_reason": "stop", "tokens": 1}
    asked = {"spot": "spot", "detect": "detect total ; stamp", "answer.total": "answer en what is due?", "table": "table"}
    made = {"job_name": "j", "run_id": "r", "processed_at": datetime(2026, 1, 2, tzinfo=UTC)}
    box = Box(x0=0, y0=0, x1=5, y1=5)
    whole = Table(table_index=0, n_rows=1, n_cols=1, html="", cells=(Cell(row_index=0, col_index=0, text="7", box=box),))
    page = PageRow(
        page_id="p", source_id="s", document_id="d", source_uri="/in/a.pdf", page_index=4, status="ok", text="one", seconds=1,
        lines=(Line(text="one", box=box),), tables=(whole,), boxes=(LabelledBox(label="stamp", box=box),),
        completions=tuple(CompletionRecord(task=task, prompt=each, **said) for task, each in asked.items()), **made,
    )  # fmt: skip
    place = {"page_id": "p", "source_id": "s", "source_uri": "/in/a.pdf", "page_index": 4, "task_fingerprint": "t"}
    when = {"run_id": "r", "processed_at": made["processed_at"]}
    fields = [
        FieldRow(field_id="1", name="total", question="what is due?", status="ok", value_text="7.00", **place, **when),
        FieldRow(field_id="2", name="moon", question="which moon?", status="absent", **place, **when),
        FieldRow(field_id="3", name="sun", question="which sun?", status="rejected", value_text="?", **place, **when),
    ]
    failed = page.model_copy(update={"page_id": "q", "page_index": 5, "status": "failed"})
    labels = list(labels_of([page, failed], fields))
    assert {(label.uri, label.page) for label in labels} == {("/in/a.pdf", 4)}
    assert {label.prompt: label.target for label in labels if label.task == "answer"} == {
        "answer en what is due?": "7.00",
        "answer en which moon?": "unanswerable",
    }
    others = {label.task: label for label in labels if label.task != "answer"}
    assert others.keys() == {"ocr", "spot", "table", "detect"}
    assert others["detect"].prompt == "detect total ; stamp"
    assert target(others["ocr"], WHOLE) == "one"
    assert others["table"].tables == (whole,)
    blank = page.model_copy(update={"boxes": ()})
    nothing = next(label for label in labels_of([blank], []) if label.task == "detect")
    assert target(nothing, WHOLE) == ""


def test_nobody_learns_a_place_that_is_not_known() -> None:
    """Where a tile or the whole page is all that is known of a line or a cell, words are taught, and no boxes."""
    box = Box(x0=0, y0=0, x1=500, y1=700)
    cell = Cell(row_index=0, col_index=0, text="7", box=box, box_source="tile")
    page = PageRow(
        page_id="p", source_id="s", document_id="d", source_uri="/in/a.pdf", page_index=0, status="ok", text="one", seconds=1,
        lines=(Line(text="one", box=box, box_source="page"),), job_name="j", run_id="r", processed_at=datetime(2026, 1, 2, tzinfo=UTC),
        tables=(Table(table_index=0, n_rows=1, n_cols=1, html="", cells=(cell,)),),
    )  # fmt: skip
    found = {label.task: label for label in labels_of([page], [])}
    assert found.keys() == {"ocr", "table"}
    assert found["ocr"].target == "one"
    assert target(found["table"], WHOLE) == "<table><tr><td>7</td></tr></table>"


@pytest.mark.slow
@pytest.mark.ray
def test_a_runs_own_sink_is_a_label_file(tmp_path) -> None:
    """What a run wrote is read as labels: each line and value of the truth that its engine read from."""
    (tmp_path / "in").mkdir()
    data, truth = generate("invoice", 2)
    (tmp_path / "in" / "invoice.pdf").write_bytes(data)
    (tmp_path / "in" / "invoice.truth.json").write_text(truth.model_dump_json())
    (tmp_path / "job.yaml").write_text(
        f"""
name: corrected
source: {{uri: {tmp_path}/in/, include: ["*.pdf"]}}
model: {{engine: scripted, checkpoint: {tmp_path}/in}}
render: {{text_layer: ignore}}
tasks:
  - {{type: spot}}
  - type: answer
    fields: [{{name: total, question: "what is the total?", type: money, locale: en_GB}}]
sink: {{uri: {tmp_path}/out}}
"""
    )
    command = [sys.executable, "-c", "from jobs.cli import main; main()", "run", str(tmp_path / "job.yaml"), "--quiet"]
    subprocess.run(command, check=False, timeout=300, capture_output=True)
    labels = read_labels(str(tmp_path / "out"))
    spotted = next(label for label in labels if label.task == "spot")
    assert [line.text for line in spotted.lines] == [line.text for line in truth.pages[0].lines]
    assert {label.task for label in labels} >= {"ocr", "spot"}


def test_a_slim_tile_is_learned_as_a_run_shows_it(tmp_path) -> None:
    """A headline over columns is padded, holds none of the lines that the white beside it covers, and its places count in the square."""
    data, truth = generate("article", 2019)
    (tmp_path / "a.pdf").write_bytes(data)
    label = Label(uri=str(tmp_path / "a.pdf"), task="spot", lines=truth.pages[0].lines)
    examples = prepared([label], 448, "grid", tmp_path / "views", lambda _: None)
    with Child(Limits()) as child:
        child.open(tmp_path / "a.pdf")
        slim = [region.padded() for region in child.regions(0, "grid", 448) if region.is_slim]
    frames = {(f.a, f.b, f.c, f.d, f.e, f.f): region for region in slim for f in [region.frame]}
    found = [(each, frames[each.affine]) for each in examples if each.affine in frames]
    assert found
    for each, region in found:
        part = region.affine.box(0, 0, 1, 1)
        for line in spot.decode(_said(each.target), region.frame).lines:
            assert line.box.intersection(part) > 0.5 * line.box.area
