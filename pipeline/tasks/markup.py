"""Read the HTML of tables strictly: known tags, well nested, spans that fill a grid. Knows bins, but neither views nor pages."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from pipeline.tasks.tokens import QUAD, Malformed, bins

_PLACE = re.compile(rf'coords="({QUAD})"')
_MARK = "\x00"  # stands before places that were tokens, so that figures in their stead are told apart
_SPAN = re.compile(r"[1-9][0-9]{0,2}")
_PARENTS = {
    "table": {""},
    "thead": {"table"},
    "tbody": {"table"},
    "tfoot": {"table"},
    "tr": {"table", "thead", "tbody", "tfoot"},
    "td": {"tr"},
    "th": {"tr"},
}
_INLINE = frozenset({"b", "i", "u", "em", "strong", "sup", "sub", "br", "span"})
_NO_TAG = re.compile(  # seen to first, because the parser takes time in squares over tags that never end
    rf"<(?=[a-z/!?])(?!/?(?:{'|'.join([*_PARENTS, *sorted(_INLINE)])})(?:\s[^<>]*)?/?>)", re.IGNORECASE
)
_MOST_SLOTS = 100_000


@dataclass(frozen=True, slots=True)
class MarkedCell:
    """A cell in its grid; `bins` are its place, x first, or empty."""

    row: int
    col: int
    row_span: int
    col_span: int
    text: str
    bins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MarkedTable:
    """A table whose every slot is filled once."""

    n_rows: int
    n_cols: int
    cells: tuple[MarkedCell, ...]


@dataclass(slots=True)
class _Draft:
    """A cell as its tag says, before it has found its column."""

    row_span: int
    col_span: int
    bins: tuple[int, ...]
    pieces: list[str] = field(default_factory=list)


def read_tables(text: str) -> tuple[MarkedTable, ...]:
    """Return the tables of an answer; rows without a <table> around them are one. Raises Malformed."""
    if _MARK in text:
        raise Malformed("control characters do not belong in a table")
    plain = _PLACE.sub(lambda match: f'coords="{_MARK}{" ".join(str(number) for number in bins(match[1]))}"', text.strip())
    if broken := _NO_TAG.search(plain):
        raise Malformed(f"{plain[broken.start() : broken.start() + 20]!r} is no tag of a table")
    reader = _Reader()
    reader.feed(plain if plain.lower().startswith("<table") else f"<table>{plain}</table>")
    reader.close()
    reader.must_be_done()
    return tuple(_gridded(rows) for rows in reader.tables)


class _Reader(HTMLParser):
    """Collects tables row by row, and refuses what has no place in them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[_Draft]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        parent = self.open[-1] if self.open else ""
        if tag in _INLINE and (parent in {"td", "th"} or parent in _INLINE):
            self._inline(tag)
            return
        if parent not in _PARENTS.get(tag, set()):
            raise Malformed(f"<{tag}> stands in <{parent or 'nothing'}>")
        self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append(_draft(dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag != "br":
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            raise Malformed(f"</{tag}> closes <{self.open[-1] if self.open else 'nothing'}>")
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "<loc" in data or "<seg" in data:
            raise Malformed("a place stands among words")
        if self.open and (self.open[-1] in {"td", "th"} or self.open[-1] in _INLINE):
            self.tables[-1][-1][-1].pieces.append(data)
        elif data.strip():
            raise Malformed(f"{data.strip()[:40]!r} stands outside the cells")

    def must_be_done(self) -> None:
        """Refuse tags left open and text left unread."""
        if self.open:
            raise Malformed(f"<{self.open[-1]}> is not closed")
        if self.rawdata.strip():
            raise Malformed("the last tag is broken off")

    def _inline(self, tag: str) -> None:
        if tag == "br":
            self.tables[-1][-1][-1].pieces.append(" ")
        else:
            self.open.append(tag)


def _draft(attributes: dict[str, str | None]) -> _Draft:
    unknown = attributes.keys() - {"coords", "rowspan", "colspan"}
    if unknown:
        raise Malformed(f"a cell has no {', '.join(sorted(unknown))}")
    place = attributes.get("coords", "")
    if "coords" in attributes and not (place or "").startswith(_MARK):
        raise Malformed(f"{place!r} is not four places")
    numbers = tuple(int(number) for number in (place or "").removeprefix(_MARK).split())
    return _Draft(_span(attributes, "rowspan"), _span(attributes, "colspan"), numbers)


def _span(attributes: dict[str, str | None], name: str) -> int:
    value = attributes.get(name, "1") or ""
    if not _SPAN.fullmatch(value):
        raise Malformed(f"{name} {value!r} is not a number of cells")
    return int(value)


def _gridded(rows: list[list[_Draft]]) -> MarkedTable:
    """Give each cell its column as HTML does, and see that the grid is full."""
    taken: set[tuple[int, int]] = set()
    cells: list[MarkedCell] = []
    for row, drafts in enumerate(rows):
        col = 0
        for draft in drafts:
            while (row, col) in taken:
                col += 1
            _take(taken, row, col, draft, len(rows))
            text = " ".join("".join(draft.pieces).split())
            cells.append(MarkedCell(row, col, draft.row_span, draft.col_span, text, draft.bins))
    n_cols = 1 + max((col for _, col in taken), default=-1)
    if not cells or len(taken) != len(rows) * n_cols:
        raise Malformed("the rows of a table differ in length" if cells else "a table has no cells")
    return MarkedTable(len(rows), n_cols, tuple(cells))


def _take(taken: set[tuple[int, int]], row: int, col: int, draft: _Draft, n_rows: int) -> None:
    if row + draft.row_span > n_rows:
        raise Malformed("a cell spans past the last row")
    if len(taken) + draft.row_span * draft.col_span > _MOST_SLOTS:
        raise Malformed(f"a table has more than {_MOST_SLOTS} cells")
    slots = {(row + down, col + across) for down in range(draft.row_span) for across in range(draft.col_span)}
    if slots & taken:
        raise Malformed("two cells overlap")
    taken |= slots
