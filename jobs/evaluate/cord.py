"""CORD (receipts): json/NAME.json with `valid_line` and `gt_parse`, or a metadata.jsonl of `file_name` and `ground_truth`.

Each value of `gt_parse` that stands once is a field, named by its path (total.total_price). What stands in lists, such as the items of
the menu, has no name that a field could be asked by, and is left out. The text is that of the lines that are labelled: CORD leaves
others, the shop's name for one, without.
"""

from collections import defaultdict
from collections.abc import Iterator

from pydantic import Field, JsonValue

from jobs.evaluate.expected import Expected, Labels, LeftOut, Place, stem
from jobs.evaluate.jsonfile import Foreign, as_shape, lines_of, validated


class Quad(Foreign):
    """Four corners in pixels, of which two say where a word begins."""

    x1: float
    y1: float


class Word(Foreign):
    """One word; words of one `row_id` stand on one line of the receipt."""

    text: str
    quad: Quad
    row_id: int


class ValidLine(Foreign):
    """The words of one labelled piece."""

    words: tuple[Word, ...]


class Receipt(Foreign):
    """One file, or one `ground_truth`."""

    gt_parse: dict[str, JsonValue] = Field(default_factory=dict)
    valid_line: tuple[ValidLine, ...] = ()


class Entry(Foreign):
    """One line of metadata.jsonl; `ground_truth` is JSON in a string."""

    file_name: str
    ground_truth: str


def read_cord(uris: list[str]) -> Labels:
    """Return the text and the fields of each receipt. Raises JobError on what is none."""
    expected: list[Expected] = []
    left_out: list[LeftOut] = []
    for place, receipt in _receipts(uris):
        if receipt.valid_line:
            expected.append(Expected(place, "cord", "ocr", answers=(_text(receipt),)))
        for path, value in _leaves(receipt.gt_parse):
            if value is None:
                left_out.append(LeftOut("values in lists, which no field asks for", f"{place.document} {path}"))
            else:
                expected.append(Expected(place, "cord", "answer", name=path, answers=(value,)))
    return Labels("cord", tuple(expected), tuple(left_out))


def _receipts(uris: list[str]) -> Iterator[tuple[Place, Receipt]]:
    for uri in uris:
        if uri.endswith(".json"):
            yield Place(0, stem=stem(uri)), as_shape(uri, Receipt)
            continue
        for entry in lines_of(uri, Entry):
            yield (
                Place(0, name=entry.file_name),
                validated(entry.ground_truth, Receipt, f"{uri}, {entry.file_name}, ground_truth"),
            )


def _leaves(value: JsonValue, path: str = "") -> Iterator[tuple[str, str | None]]:
    """Yield each value by its path; None for a list."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        yield path, None
    elif value is not None:
        yield path, str(value)


def _text(receipt: Receipt) -> str:
    rows: dict[int, list[Word]] = defaultdict(list)
    for line in receipt.valid_line:
        for word in line.words:
            rows[word.row_id].append(word)
    ordered = sorted(rows.values(), key=lambda row: min(word.quad.y1 for word in row))
    return "\n".join(" ".join(word.text for word in sorted(row, key=lambda word: word.quad.x1)) for row in ordered)
