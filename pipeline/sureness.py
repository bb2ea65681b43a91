"""How surely each part of an answer was said, a line, a cell or a thing, and how that goes with the part once the answer is decoded. Pure.

It weighs nothing: who knows how does (pipeline.signals). What a text layer says, no model said: that it can be believed is all that is known of it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TypeVar

from pipeline.documents.letters import shows
from pipeline.tasks.base import Reading
from pipeline.tasks.parts import Span, spans
from schemas.box import LabelledBox
from schemas.job import THINGS
from schemas.page import CompletionRecord, Line, PartSaid
from schemas.table import Cell, Table
from schemas.view import Completion

_PLACE = re.compile(r"\s*<(?:loc|seg)\d+>\s*")
_OF_LAYER, _OF_FEW_LETTERS = 0.99, 0.95
"""How sure a text layer is that was believed: the document says it itself, so that little is left but letters that were exchanged for others, which
are found where there are many (42 to 50 of 58 such pages), and are not where there are few. Taken for granted, and not measured.
"""
_Part = TypeVar("_Part", Line, Cell, LabelledBox)

Weigh = Callable[[str | None, PartSaid, CompletionRecord], float]
"""Returns the probability that a part of a completion is right; its text is None where it names a thing rather than print."""


def said_of(key: str, completion: Completion) -> tuple[PartSaid, ...]:
    """Return how surely each part of an answer was said; nothing where the engine does not tell, or the answer has no parts.

    Of lines and cells the words count, and not where they stand.
    """
    pieces, logprobs = completion.pieces, completion.logprobs
    if len(pieces) != len(logprobs) or "".join(pieces) != completion.text:
        return ()
    is_thing = key.split(".", maxsplit=1)[0] in THINGS
    starts = accumulate(map(len, pieces), initial=0)
    counted = [
        (start, index)
        for index, (start, piece) in enumerate(zip(starts, pieces, strict=False))
        if piece and (is_thing or not _PLACE.fullmatch(piece))
    ]
    found = [_said(span, counted, completion) for span in spans(key, completion.text)]
    return tuple(each for each in found if each) if all(found) else ()


def weighed(reading: Reading, item: CompletionRecord, weigh: Weigh | None) -> Reading:
    """Return what a completion says with how sure each line, cell or thing of it is."""
    if weigh is None or not item.parts:
        return reading
    cells = [cell for table in reading.tables for cell in table.cells]
    sure = iter(_sure(cells, [cell.text for cell in cells], item, weigh))
    tables = tuple(table.model_copy(update={"cells": tuple(next(sure) for _ in table.cells)}) for table in reading.tables)
    lines = tuple(_sure(reading.lines, [line.text for line in reading.lines], item, weigh))
    return replace(
        reading, lines=lines, tables=tables, boxes=tuple(_sure(reading.boxes, [None] * len(reading.boxes), item, weigh))
    )


def weighed_by_layer(text: str, lines: Sequence[Line], tables: Sequence[Table]) -> tuple[tuple[Line, ...], tuple[Table, ...]]:
    """Return the lines and tables of a page's text layer with how sure they are, where nobody has said so yet."""
    sure = _OF_LAYER if shows(text) else _OF_FEW_LETTERS
    cells = ([_taken(cell, sure) for cell in table.cells] for table in tables)
    return tuple(_taken(line, sure) for line in lines), tuple(
        table.model_copy(update={"cells": tuple(mine)}) for table, mine in zip(tables, cells, strict=True)
    )


def _taken(part: _Part, sure: float) -> _Part:
    return part if part.confidence is not None else part.model_copy(update={"confidence": sure})


def _said(span: Span, counted: Sequence[tuple[int, int]], completion: Completion) -> PartSaid | None:
    mine = [index for start, index in counted if span[0] <= start < span[1]]
    if not mine:
        return None
    logprobs = [completion.logprobs[index] for index in mine]
    margins = [completion.margins[index] for index in mine] if completion.margins else []
    return PartSaid(
        tokens=len(mine),
        mean_logprob=sum(logprobs) / len(mine),
        least_logprob=min(logprobs),
        least_margin=min(margins, default=None),
    )


def _sure(parts: Sequence[_Part], texts: Sequence[str | None], item: CompletionRecord, weigh: Weigh) -> Sequence[_Part]:
    """Return parts with how sure they are; as they are, where it is not known which of them was said how surely."""
    if len(parts) != len(item.parts):
        return parts
    return [
        part.model_copy(update={"confidence": weigh(text, said, item)})
        for part, text, said in zip(parts, texts, item.parts, strict=True)
    ]
