"""Pieces that several kinds of documents are put together from: addresses, named values, feet of pages.

Each is drawn from a given place downwards and returns where it ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from jobs.synth import names
from jobs.synth.canvas import Align, Canvas, shorten
from jobs.synth.faces import Pen
from jobs.synth.locales import ABSENT, Language
from jobs.synth.marks import signature
from jobs.synth.style import Style
from schemas.box import Box
from schemas.field import FieldValue
from schemas.job import FieldType

Setting = Literal["inline", "columns", "stacked"]


@dataclass(frozen=True, slots=True)
class Question:
    """A field of a kind of document: its name, what is asked, and the type of the answer."""

    name: str
    text: str
    kind: FieldType = "string"

    def answered(self, canvas: Canvas, value: FieldValue, box: Box) -> None:
        """Record the answer that the page has."""
        canvas.field(self.name, self.text, self.kind, value, box)

    def absent(self, canvas: Canvas) -> None:
        """Record that the page has no answer."""
        canvas.field(self.name, self.text, self.kind, ABSENT, None)


Named = tuple[str, FieldValue, Question | None]


def address(
    rng: Random, canvas: Canvas, at: tuple[float, float], owner: str, style: Style, language: Language, align: Align = "left"
) -> float:
    """Write a street, a town and perhaps a way to call `owner`; return the bottom."""
    x, y = at
    rows = [*names.address(rng, language), *([names.contact(rng, owner)] if rng.random() < 0.6 else [])]
    for row in rows:
        canvas.text(x, y, row, style.body, align)
        y += style.leading
    return y


def named_values(
    rng: Random, canvas: Canvas, at: tuple[float, float], width: float, values: Sequence[Named], style: Style
) -> float:
    """Write labels with their values, all in one setting, and record the answers; return the bottom."""
    x, y = at
    mark = rng.choice((":", ":", ""))
    setting: Setting = rng.choice(("inline", "columns", "stacked"))
    indent = max(style.strong.width(label + mark) for label, _, _ in values) + 2 * style.size
    if setting == "columns" and indent + max(style.body.width(value.value_text or "") for _, value, _ in values) > width:
        setting = "stacked"
    for label, value, question in values:
        text = value.value_text or ""
        if setting == "inline":
            _, box = canvas.run(x, y, ((f"{label}{mark or ':'} ", style.strong), (text, style.body)))
        else:
            canvas.text(x, y, label + mark, style.strong)
            if setting == "stacked":
                y += 1.15 * style.size
            box = canvas.text(x + (indent if setting == "columns" else 0), y, text, style.body)
        if question:
            question.answered(canvas, value, box)
        y += style.leading + (0.3 * style.size if setting == "stacked" else 0)
    return y


def signed(rng: Random, canvas: Canvas, x: float, y: float, name: str, style: Style) -> tuple[float, Box]:
    """Leave a signature, and the name below it; return the bottom and the name's box."""
    width, height = rng.uniform(70, 120), rng.uniform(22, 34)
    signature(rng, canvas, x, y, width, height)
    y += height + 0.5 * style.size
    if rng.random() < 0.4:
        canvas.rule(x, y, x + width * 1.2, y, 0.6)
    box = canvas.text(x, y + 0.2 * style.size, name, style.body)
    return y + style.leading, box


def foot(canvas: Canvas, text: str, style: Style, align: Align = "centre") -> None:
    """Write a line below the bottom margin's edge."""
    pen: Pen = style.small
    x = {"left": style.left, "centre": (style.left + style.right) / 2, "right": style.right}[align]
    canvas.text(x, style.bottom + 2, shorten(text, pen, style.width), pen, align)
