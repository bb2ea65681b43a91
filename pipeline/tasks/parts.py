"""Where in an answer each of its parts stands: its lines, its cells or its things, in the order in which they are decoded. Pure."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pipeline.tasks.tokens import QUAD
from schemas.job import THINGS

_PLACE = re.compile(QUAD)
_CELL = re.compile(r"<t[dh](?=[\s>])", re.IGNORECASE)

Span = tuple[int, int]


def spans(key: str, answer: str) -> tuple[Span, ...]:
    """Return the first character of each part and the one after its last; none where a task's answer has no parts."""
    task = key.split(".", maxsplit=1)[0]
    if task == "ocr":
        return tuple(_filled(answer, _lines(answer)))
    if task == "spot":
        return tuple(_filled(answer, _spotted(answer)))
    if task == "table":
        starts = [match.start() for match in _CELL.finditer(answer)]
        return tuple(pairwise([*starts, len(answer)]))
    return tuple(_filled(answer, _between(answer, ";"))) if task in THINGS else ()


def _lines(answer: str) -> Iterator[Span]:
    start = 0
    for line in answer.splitlines(keepends=True):
        yield start, start + len(line)
        start += len(line)


def _spotted(answer: str) -> Sequence[Span]:
    """Return places with their words, whichever come first."""
    places = [match.span() for match in _PLACE.finditer(answer)]
    if not places or not answer[: places[0][0]].strip():
        return list(pairwise([*(start for start, _ in places), len(answer)]))
    return list(pairwise([0, *(end for _, end in places)]))


def _between(answer: str, mark: str) -> Iterator[Span]:
    start = 0
    for piece in answer.split(mark):
        yield start, start + len(piece)
        start += len(piece) + len(mark)


def _filled(answer: str, found: Iterator[Span] | Sequence[Span]) -> Iterator[Span]:
    return ((start, end) for start, end in found if answer[start:end].strip())
