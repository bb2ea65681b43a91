"""Each kind of label file, in its published format: what is expected of which page, and which kind it is taken for."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.evaluate.expected import Expected
from jobs.evaluate.forms import read_expected
from pipeline.errors import JobError
from schemas.box import Box, LabelledBox


def _write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def _answers(expected: tuple[Expected, ...], task: str) -> dict[str, tuple[str, ...]]:
    return {each.name or each.question or "": each.answers for each in expected if each.task == task}


def _labels(folder: Path, form: str):
    """Read a folder as what it looks like, and make sure that it is taken for the right form."""
    labels = read_expected(str(folder))
    assert labels.form == form
    assert read_expected(str(folder), form) == labels
    return labels


def test_sroie_has_text_and_four_fields(tmp_path):
    """A receipt's boxes give its text, commas and all; its key file four fields, of which an empty one is absent."""
    _write(
        tmp_path / "box" / "X51005200931.txt",
        "72,25,326,25,326,64,72,64,TAN WOON YANN\n50,82,440,82,440,121,50,121,NO.53, JALAN SAGU 18,\n",
    )
    _write(
        tmp_path / "entities" / "X51005200931.txt",
        {"company": "ACME, SDN", "date": "25/12/2018", "address": "", "total": "9.00"},
    )
    labels = _labels(tmp_path, "sroie")
    assert _answers(labels.expected, "ocr") == {"": ("TAN WOON YANN\nNO.53, JALAN SAGU 18,",)}
    assert _answers(labels.expected, "answer") == {
        "company": ("ACME, SDN",),
        "date": ("25/12/2018",),
        "address": (),
        "total": ("9.00",),
    }
    assert [each.name for each in labels.expected if each.is_absent] == ["address"]
    assert {each.place.stem for each in labels.expected} == {"X51005200931"}


def test_sroie_files_that_are_none_are_told(tmp_path):
    """A file beside the labels that is none of them is left out and counted."""
    _write(tmp_path / "a.txt", "1,1,2,1,2,2,1,2,word")
    _write(tmp_path / "readme.txt", "read me")
    labels = read_expected(str(tmp_path), "sroie")
    assert [(each.reason, Path(each.example).name) for each in labels.left_out] == [
        ("files that are no SROIE labels", "readme.txt")
    ]


def _entity(number: int, label: str, text: str, box: list[int], *linking: list[int]) -> dict[str, object]:
    words = [{"text": word, "box": box} for word in text.split()]
    return {"id": number, "label": label, "text": text, "box": box, "linking": list(linking), "words": words}


def test_funsd_questions_are_fields_and_entities_text(tmp_path):
    """Entities are read in rows; a question's linked answers are its value; a question without one is no field."""
    form = [
        _entity(3, "answer", "Jan 5", [100, 40, 150, 50], [2, 3]),
        _entity(0, "header", "FAX COVER", [50, 10, 150, 20]),
        _entity(2, "question", "DATE:", [10, 41, 60, 51], [2, 3]),
        _entity(4, "question", "TO:", [10, 70, 60, 80]),
    ]
    _write(tmp_path / "annotations" / "0000971160.json", {"form": form})
    labels = _labels(tmp_path, "funsd")
    assert _answers(labels.expected, "ocr") == {"": ("FAX COVER\nDATE:\nJan 5\nTO:",)}
    assert _answers(labels.expected, "answer") == {"DATE:": ("Jan 5",)}


def _word(text: str, x: int, y: int, row: int) -> dict[str, object]:
    quad = {"x1": x, "y1": y, "x2": x + 9, "y2": y, "x3": x + 9, "y3": y + 9, "x4": x, "y4": y + 9}
    return {"quad": quad, "is_key": 0, "row_id": row, "text": text}


CORD = {
    "valid_line": [
        {"words": [_word("30.000", 90, 50, 2)], "category": "total.total_price", "group_id": 1},
        {"words": [_word("Total", 10, 51, 2)], "category": "total.total_price", "group_id": 1},
        {"words": [_word("Nasi", 10, 10, 1), _word("Goreng", 30, 10, 1)], "category": "menu.nm", "group_id": 2},
    ],
    "meta": {"version": "1.0", "split": "train", "image_id": 0, "image_size": {"width": 100, "height": 100}},
    "gt_parse": {"menu": [{"nm": "Nasi Goreng"}], "total": {"total_price": "30.000"}},
}


def test_cord_has_text_in_rows_and_values_by_path(tmp_path):
    """Words of a row are one line, rows from top to bottom; values that stand once are fields, those in lists are told as left out."""
    _write(tmp_path / "json" / "receipt_00000.json", CORD)
    labels = _labels(tmp_path, "cord")
    assert _answers(labels.expected, "ocr") == {"": ("Nasi Goreng\nTotal 30.000",)}
    assert _answers(labels.expected, "answer") == {"total.total_price": ("30.000",)}
    assert [(each.reason, each.example) for each in labels.left_out] == [
        ("values in lists, which no field asks for", "receipt_00000 menu")
    ]


def test_cord_comes_as_metadata_too(tmp_path):
    """metadata.jsonl holds the same, in a string, beside the image's name."""
    line = {"file_name": "r1.png", "ground_truth": json.dumps({"gt_parse": CORD["gt_parse"]})}
    _write(tmp_path / "metadata.jsonl", json.dumps(line) + "\n")
    labels = _labels(tmp_path, "cord")
    assert [(each.place.name, each.name, each.answers) for each in labels.expected] == [
        ("r1.png", "total.total_price", ("30.000",))
    ]


def test_docvqa_has_questions_with_several_answers(tmp_path):
    """Every answer counts; questions of the test split, which have none, are left out and counted."""
    one = {"questionId": 1, "question": "what is the date?", "image": "documents/xnbl0037_1.png", "docId": 279}
    data = [one | {"answers": ["1/8/93", "8 Jan 93"], "data_split": "val"}, one | {"question": "who?", "data_split": "test"}]
    content = {"dataset_name": "docvqa", "dataset_version": "1.0", "dataset_split": "val", "data": data}
    labels = _labels(_write(tmp_path / "val_v1.0.json", content), "docvqa")
    (only,) = labels.expected
    assert (only.place.name, only.question, only.answers) == (one["image"], one["question"], ("1/8/93", "8 Jan 93"))
    assert [each.reason for each in labels.left_out] == ["questions without an answer"]


def _pubtabnet(name: str, structure: list[str], *cells: str) -> str:
    html = {
        "structure": {"tokens": structure},
        "cells": [{"tokens": ["<b>", *cell, "</b>"], "bbox": [1, 2, 3, 4]} for cell in cells],
    }
    return json.dumps({"filename": name, "split": "val", "imgid": 1, "html": html})


ROW = ["<tr>", "<td>", "</td>", "<td>", "</td>", "</tr>"]


def test_pubtabnet_has_a_table_an_image(tmp_path):
    """Structure and cells become one table, spans and header and all, without its styles; one that is not whole is left out."""
    whole = ["<thead>", "<tr>", "<td", ' colspan="2"', ">", "</td>", "</tr>", "</thead>", "<tbody>", *ROW, "</tbody>"]
    ragged = [*ROW, "<tr>", "<td>", "</td>", "</tr>"]
    lines = [_pubtabnet("PMC1_001_00.png", whole, "head", "a<1 & b", "c"), _pubtabnet("PMC2_000_00.png", ragged, "a", "b", "c")]
    labels = _labels(_write(tmp_path / "PubTabNet_2.0.0.jsonl", "\n".join(lines)), "pubtabnet")
    ((table,),) = [each.tables for each in labels.expected]
    assert (table.n_rows, table.n_cols) == (2, 2)
    assert [(cell.text, cell.col_span) for cell in table.cells] == [("head", 2), ("a<1 & b", 1), ("c", 1)]
    assert [(each.reason, each.example) for each in labels.left_out] == [
        ("tables whose rows differ in length", "PMC2_000_00.png")
    ]


BOX = {"label": "stamp", "box": {"x0": 1, "y0": 2, "x1": 3, "y1": 4}}
LINES = [
    {"uri": "a.pdf", "page": 1, "task": "ocr", "target": "words"},
    {"uri": "a.pdf", "task": "answer", "prompt": "answer en what?", "target": "unanswerable"},
    {"uri": "a.pdf", "task": "detect", "labels": ["logo", "stamp"], "boxes": [BOX]},
]


def _checked(labels, folder: Path) -> None:
    ocr, answer, detect = labels.expected
    assert (ocr.place.uri, ocr.place.page_index, ocr.target) == (str(folder / "a.pdf"), 1, "words")
    assert (answer.prompt, answer.is_absent, answer.answers) == ("answer en what?", True, ())
    assert detect.labels == ("logo", "stamp")
    assert detect.boxes == (LabelledBox(label="stamp", box=Box(x0=1, y0=2, x1=3, y1=4)),)


def test_labels_come_as_json_lines(tmp_path):
    """What `pagemill train` learns from is what `pagemill evaluate` judges by."""
    _write(tmp_path / "labels.jsonl", "\n".join(map(json.dumps, LINES)))
    _checked(_labels(tmp_path / "labels.jsonl", "labels"), tmp_path)


def test_labels_come_as_parquet(tmp_path):
    """The same labels as Parquet are the same."""
    pq.write_table(
        pa.Table.from_pylist([{**dict.fromkeys(key for line in LINES for key in line), **line} for line in LINES]),
        tmp_path / "l.parquet",
    )
    _checked(_labels(tmp_path / "l.parquet", "labels"), tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "form", "match"),
    [
        ("a.json", "{}", None, "of no form that is known"),
        ("a.json", '{"form": [{"id": 1}]}', "funsd", r"a\.json: form\.0"),
        ("a.json", '{"data": [{"image": "x"}]}', "docvqa", r"a\.json: data\.0\.question"),
        ("a.jsonl", '{"filename": "x", "html": {}}\n', "pubtabnet", r"line 1: html\.structure"),
        ("a.truth.json", "{}", None, "is no truth file"),
        ("a.csv", "a,b", None, "no label file"),
    ],
)
def test_what_is_no_label_file_is_refused(tmp_path, name, content, form, match):
    """A file that cannot be understood is an error that names it and the place in it."""
    _write(tmp_path / name, content)
    with pytest.raises(JobError, match=match):
        read_expected(str(tmp_path), form)
