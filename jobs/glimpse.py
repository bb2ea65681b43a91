"""A few lines of what a run wrote, of each kind, so that one sees at once whether it makes sense. Only for sinks on local disk."""

from pathlib import Path
from typing import Any

import duckdb

from pipeline.storage.uris import is_s3, local_path
from schemas.run import RunSummary

_PAGES, _FIELDS, _TABLES, _THINGS, _WIDTH = 12, 12, 8, 12, 72

_TEXT = """
SELECT source_uri, page_index, coalesce(text_source, status) AS origin, coalesce(nullif(text, ''), failures[1].message, '') AS text
FROM read_parquet(?, union_by_name = true) WHERE coalesce(run_id = ?, true)
QUALIFY row_number() OVER (PARTITION BY source_uri ORDER BY page_index) = 1 ORDER BY source_uri LIMIT ?
"""
_VALUES = """
SELECT source_uri, page_index, name, coalesce(value_text, value_number::VARCHAR, reason, status) AS value, coalesce(value_source, status) AS origin
FROM read_parquet(?, union_by_name = true) WHERE coalesce(run_id = ?, true) AND status = 'ok' ORDER BY source_uri, page_index, name LIMIT ?
"""
_TABLE = """
SELECT source_uri, page_index, it.n_rows, it.n_cols, list_transform(it.cells, lambda cell: cell.text) AS texts
FROM (SELECT source_uri, page_index, unnest(tables) AS it FROM read_parquet(?, union_by_name = true) WHERE coalesce(run_id = ?, true))
ORDER BY source_uri, page_index, it.table_index LIMIT ?
"""
_THING = """
SELECT source_uri, page_index, it.label, round(it.box.x0), round(it.box.y0), round(it.box.x1), round(it.box.y1)
FROM (SELECT source_uri, page_index, unnest(boxes) AS it FROM read_parquet(?, union_by_name = true) WHERE coalesce(run_id = ?, true))
ORDER BY source_uri, page_index, it.box.y0 LIMIT ?
"""


def glimpse(summary: RunSummary) -> str:
    """Return some pages, values, tables and things of this run, and where they came from; of earlier runs where this one had nothing to do."""
    if is_s3(summary.sink_uri):
        return ""
    sink, run_id = Path(local_path(summary.sink_uri)), summary.run_id if summary.pages_selected else None
    pages = [
        f"  {_place(uri, page)}  [{origin}]  {_short(text)}"
        for uri, page, origin, text in _rows(_TEXT, sink / "pages", run_id, _PAGES)
    ]
    values = [
        f"  {_place(uri, page)}  [{origin}]  {name} = {_short(value)}"
        for uri, page, name, value, origin in _rows(_VALUES, sink / "fields", run_id, _FIELDS)
    ]
    tables = [
        f"  {_place(uri, page)}  [{rows} × {columns}]  {_short(' | '.join(texts))}"
        for uri, page, rows, columns, texts in _rows(_TABLE, sink / "pages", run_id, _TABLES)
    ]
    things = [
        f"  {_place(uri, page)}  {label}  {x0:.0f}, {y0:.0f} – {x1:.0f}, {y1:.0f}"
        for uri, page, label, x0, y0, x1, y1 in _rows(_THING, sink / "pages", run_id, _THINGS)
    ]
    lines = [
        *_headed("first pages, and where their text is from", pages),
        *_headed("values, and who read them", values),
        *_headed("tables: rows × columns, and their cells", tables),
        *_headed("things, and where they stand, in points from the top left", things),
    ]
    return "".join(f"{line}\n" for line in lines)


def _rows(query: str, dataset: Path, run_id: str | None, limit: int) -> list[tuple[Any, ...]]:
    # Of a lake's files, one is glimpse enough.
    newest = max(dataset.glob("*/*.parquet"), key=lambda path: path.name, default=None)
    if newest is None:
        return []
    with duckdb.connect() as connection:
        return connection.execute(query, [str(newest), run_id, limit]).fetchall()


def _headed(heading: str, lines: list[str]) -> list[str]:
    return [f"{heading}:", *lines, ""] if lines else []


def _place(uri: str, page_index: str) -> str:
    return f"{uri.rsplit('/', 1)[-1]}:{int(page_index) + 1}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else f"{line[:_WIDTH]}…"
