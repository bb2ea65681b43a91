"""Labelled pages as people have them: a JSONL or Parquet file, or a sink whose rows were corrected. It opens no page."""

import io
import json
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from pipeline.errors import JobError
from pipeline.reader import read
from pipeline.storage import canonical, join, open_store
from pipeline.storage.uris import is_s3
from pipeline.tasks.answer import PROMPT as ANSWER
from pipeline.tasks.prompts import filled
from pipeline.tasks.unanswerable import UNANSWERABLE
from schemas.arrow import from_table
from schemas.box import ROUGH
from schemas.field import FieldRow
from schemas.job import TEXTS
from schemas.label import Label
from schemas.page import PageRow
from schemas.table import Table


def read_labels(uri: str, tasks: Sequence[str] = ()) -> list[Label]:
    """Return the labels of a .jsonl or .parquet file, or of a sink, in order; of these tasks alone where any are named.

    Raises JobError, with the line, on what is no label.
    """
    if uri.endswith((".jsonl", ".ndjson")):
        found = [*_from_lines(uri)]
    elif uri.endswith(".parquet"):
        found = [*_from_parquet(uri)]
    else:
        found = [*_from_sink(uri)]
    found = [label for label in found if not tasks or label.task in tasks]
    if not found:
        wanted = f" of {', '.join(tasks)}" if tasks else ""
        raise JobError(f"{uri} holds no label{wanted}")
    return found


def _from_lines(uri: str) -> Iterator[Label]:
    for number, line in enumerate(open_store(uri).read(uri).decode("utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except ValueError as exc:
            raise JobError(f"{uri}, line {number}: no JSON: {exc}") from exc
        yield _label(content, uri, f"line {number}")


def _from_parquet(uri: str) -> Iterator[Label]:
    try:
        table = pq.read_table(io.BytesIO(open_store(uri).read(uri)))
    except pa.ArrowException as exc:
        raise JobError(f"{uri} cannot be read as Parquet: {exc}") from exc
    for number, row in enumerate(table.to_pylist(), start=1):
        yield _label(_without_nulls(row), uri, f"row {number}")


def _label(content: object, source: str, place: str) -> Label:
    try:
        label = Label.model_validate(content)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise JobError(f"{source}, {place}: {f'{where}: ' if where else ''}{first['msg']}") from exc
    return label.model_copy(update={"uri": _beside(source, label.uri)})


def _beside(source: str, uri: str) -> str:
    """Return a page's uri as it is, or below the label file's folder where it is relative."""
    if is_s3(uri) or uri.startswith(("/", "file://")):
        return canonical(uri)
    return join(canonical(source).rsplit("/", 1)[0], uri)


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value


def _from_sink(uri: str) -> Iterator[Label]:
    yield from labels_of(from_table(read(uri, "pages"), PageRow), from_table(read(uri, "fields"), FieldRow))


def labels_of(pages: Sequence[PageRow], fields: Sequence[FieldRow]) -> Iterator[Label]:
    """Yield what rows of a sink teach, taken as true: their text, tables, boxes and values, asked as they were asked.

    Of rows among which a person corrected any (`pagemill rerun --corrections`), only what that person said: nobody looked at the others.
    """
    texts, values = (
        [page for page in pages if page.text_source == "human"],
        [row for row in fields if row.value_source == "human"],
    )
    if texts or values:
        yield from (label for page in texts for label in _of_page(page) if label.task in TEXTS)
        yield from _of_fields(pages, values)
        return
    for page in pages:
        if page.status in ("ok", "partial"):
            yield from _of_page(page)
    yield from _of_fields(pages, fields)


def _of_fields(pages: Sequence[PageRow], fields: Sequence[FieldRow]) -> Iterator[Label]:
    prompts = {(page.page_id, each.task): each.prompt for page in pages for each in page.completions}
    for field in fields:
        if field.status in ("ok", "absent"):
            asked = prompts.get((field.page_id, f"answer.{field.name}")) or filled(ANSWER, lang="en", question=field.question)
            answer = field.value_text if field.status == "ok" else UNANSWERABLE
            if answer:
                yield Label(uri=field.source_uri, page=field.page_index, task="answer", prompt=asked, target=answer)


def _of_page(page: PageRow) -> Iterator[Label]:
    """Yield what a page's row teaches; prompts are those that were asked, where the row still has them."""
    asked = {each.task: each.prompt for each in page.completions}
    place = {"uri": page.source_uri, "page": page.page_index}
    boxed = page.lines and all(line.box and line.box_source not in ROUGH for line in page.lines)
    if page.text:
        whole = {"lines": page.lines} if boxed else {"target": page.text}
        yield Label.model_validate({**place, "task": "ocr", "prompt": asked.get("ocr"), **whole})
    if boxed:
        yield Label.model_validate({**place, "task": "spot", "prompt": asked.get("spot"), "lines": page.lines})
    if page.tables:
        yield Label.model_validate(
            {**place, "task": "table", "prompt": asked.get("table"), "tables": tuple(map(_placed, page.tables))}
        )
    if "detect" in asked or page.boxes:
        answer = {"boxes": page.boxes} if page.boxes else {"target": ""}
        yield Label.model_validate({**place, "task": "detect", "prompt": asked.get("detect"), **answer})


def _placed(table: Table) -> Table:
    """Return a table whose cells have only the places that are known: nobody learns from a tile's box where a cell stands."""
    cells = (cell.model_copy(update={"box": None}) if cell.box_source in ROUGH else cell for cell in table.cells)
    return table.model_copy(update={"cells": tuple(cells)})
