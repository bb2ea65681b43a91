"""PubTabNet: JSON lines, a table's image a line, its HTML in `html.structure.tokens` and the words of its cells in `html.cells`."""

import re
from html import escape

from jobs.evaluate.expected import Expected, Labels, LeftOut, Place
from jobs.evaluate.jsonfile import Foreign, lines_of
from pipeline.tasks import table
from schemas.table import Table
from schemas.view import Affine, Completion

_STYLE = re.compile(r"</?[a-z]+>")


class Structure(Foreign):
    """Tags, split so that a cell with spans is `<td`, its spans, `>` and `</td>`."""

    tokens: tuple[str, ...]


class CellTokens(Foreign):
    """A cell's letters, one each, and tags of style between them."""

    tokens: tuple[str, ...] = ()


class Html(Foreign):
    """One table."""

    structure: Structure
    cells: tuple[CellTokens, ...]


class Entry(Foreign):
    """One line."""

    filename: str
    html: Html


def read_pubtabnet(uris: list[str]) -> Labels:
    """Return the table of each image. Raises JobError on what is none."""
    expected, left_out = [], []
    for uri in uris:
        for entry in lines_of(uri, Entry):
            if tables := _tables(entry.html):
                expected.append(Expected(Place(0, name=entry.filename), "pubtabnet", "table", tables=tables))
            else:
                left_out.append(LeftOut("tables whose rows differ in length", entry.filename))
    return Labels("pubtabnet", tuple(expected), tuple(left_out))


def _tables(html: Html) -> tuple[Table, ...]:
    """Return the table with its words, none of what is no whole table."""
    cells = iter(html.cells)
    pieces = []
    for token in html.structure.tokens:
        if token == "</td>":  # noqa: S105 - a tag
            pieces.append(escape(_words(next(cells, CellTokens())), quote=False))
        pieces.append(token)
    markup = f"<table>{''.join(pieces)}</table>"
    said = Completion(text=markup, token_ids=(), logprobs=(), finish_reason="stop")
    return table.decode(said, Affine(1.0, 0.0, 0.0, 1.0, 0.0, 0.0)).tables


def _words(cell: CellTokens) -> str:
    return "".join(token for token in cell.tokens if not _STYLE.fullmatch(token))
