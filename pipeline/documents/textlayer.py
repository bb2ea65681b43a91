"""A page's own text layer, and whether it can be believed; it knows no PDF library, only glyphs as they were found."""

from dataclasses import dataclass
from typing import Literal

from schemas.page import Line
from schemas.table import Table

Verdict = Literal["trusted", "empty", "nonsense"]


@dataclass(frozen=True, slots=True)
class TextLayer:
    """What the page says by itself: `text`, `lines` and `tables` in reading order, boxes in points as a person sees the page.

    "trusted": it may stand in for the model. "empty" and "nonsense": it may not, and `reason` says why; what could be read is kept.
    `hidden_chars` counts the characters that no person sees (invisible, off the page, white on white, behind an image): they are
    never part of the text.
    """

    verdict: Verdict
    reason: str | None
    text: str
    lines: tuple[Line, ...]
    tables: tuple[Table, ...]
    hidden_chars: int
