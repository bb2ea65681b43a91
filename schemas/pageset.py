"""Which pages of a document are meant, as a person writes it: `first`, `last`, `3`, `2-5`, `3-last`. Pages count from 1 here, and only here."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

_RANGE = re.compile(r"(?P<start>first|last|[1-9]\d{0,8})(?:\s*-\s*(?P<end>last|[1-9]\d{0,8}))?")


def holds(pages: tuple[str, ...], page_index: int, page_count: int | None) -> bool:
    """Return whether a page (from 0) is meant; no range at all means every page, as may any page of a document of unknown length."""
    return not pages or any(start <= page_index <= end for start, end in _bounds(pages, page_count, page_index))


def holds_any(pages: tuple[str, ...], page_count: int) -> bool:
    """Return whether any page of a document is meant."""
    return any(start < page_count and start <= end for start, end in _bounds(pages, page_count, 0)) or not pages


def _bounds(pages: tuple[str, ...], page_count: int | None, page_index: int) -> list[tuple[int, int]]:
    """Return the first and last index of each range; of a document of unknown length, any page may be its last."""
    last = page_index if page_count is None else page_count - 1
    found = []
    for text in pages:
        match = _match(text)
        start, end = match["start"], match["end"] or match["start"]
        found.append((_index(start, last), _index(end, last)))
    return found


def _index(name: str, last: int) -> int:
    return 0 if name == "first" else last if name == "last" else int(name) - 1


def _match(text: str) -> re.Match[str]:
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} names no pages: write first, last, a number from 1, or a range as 2-5 or 3-last")
    return match


def _as_written(value: object) -> object:
    """Take one range for a list of one, and a number for what it says; anything else is left for pydantic to judge."""
    several = value if isinstance(value, list | tuple) else [value]
    return tuple(str(each) if isinstance(each, int) and not isinstance(each, bool) else each for each in several)


def _each_is_one(pages: tuple[str, ...]) -> tuple[str, ...]:
    for text in pages:
        match = _match(text)
        start, end = match["start"], match["end"]
        if start == "last" and end:
            raise ValueError(f"{text!r} goes backwards: nothing comes after the last page")
        if start.isdigit() and (end or "").isdigit() and int(end) < int(start):
            raise ValueError(f"{text!r} goes backwards: write {end}-{start}")
    return tuple(text.strip() for text in pages)


_ONE = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": f"^{_RANGE.pattern.replace('?P<start>', '').replace('?P<end>', '')}$"},
    ]
}
Pages = Annotated[
    tuple[str, ...],
    BeforeValidator(_as_written),
    AfterValidator(_each_is_one),
    WithJsonSchema({"anyOf": [*_ONE["anyOf"], {"type": "array", "items": _ONE}]}),
]
