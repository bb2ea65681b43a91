"""Task spot: all text of a view, with a box a line.

The form this project trains is place first, one line of text a line: `<locY0><locX0><locY1><locX1> text`; the place first, as in detect,
because finding a line comes before reading it, and its end is then known. Fine-tunes that write the text first are read too: an answer that
begins with words must end with a place. No published checkpoint knows this task; it needs a fine-tune.
"""

import re
from collections.abc import Sequence

from pipeline.tasks.base import Ask, Reading
from pipeline.tasks.faults import absent, parsed
from pipeline.tasks.prompts import filled
from pipeline.tasks.tokens import QUAD, Malformed, bins, page_box, quad
from schemas.job import SpotTask
from schemas.page import Line
from schemas.view import Affine, Completion

PROMPT = "spot"

_QUAD = re.compile(rf"({QUAD})")
_TOKEN = re.compile(r"<(?:loc|seg)[0-9]*>?")


def ask(task: SpotTask) -> Ask:
    """Return the question that reads a view's lines and their places."""
    prompt = filled(task.prompt or PROMPT)

    def read(completion: Completion, affine: Affine) -> Reading:
        return decode(completion, affine, prompt)

    return Ask(key="spot", prompt=prompt, max_tokens=task.max_tokens, decode=read, is_text=True)


def decode(completion: Completion, affine: Affine, prompt: str = PROMPT) -> Reading:
    """Return the lines with their boxes in page points and the text they make; one damaged pair rejects them all."""
    return parsed(completion, prompt, lambda text: _read(text, affine))


def encode(lines: Sequence[Line], affine: Affine) -> str:
    """Return the answer that a model should give for these lines on this view. Raises ValueError on one without box or text."""
    return "\n".join(_encoded(line, affine) for line in lines)


def _read(text: str, affine: Affine) -> Reading:
    if not text.strip():
        return absent("empty", "the model read nothing here")
    lines = tuple(_line(place, words, affine) for place, words in _pairs(text.strip()))
    return Reading(verdict="value", text="\n".join(line.text for line in lines), lines=lines)


def _pairs(text: str) -> list[tuple[str, str]]:
    """Split an answer into (place, text), whichever comes first in it."""
    parts = [part.strip() for part in _QUAD.split(text)]
    if parts[0]:
        words, places, rest = parts[0::2], parts[1::2], parts[-1]
        if rest or not places:
            raise Malformed("the answer begins with words and does not end with a place")
        return list(zip(places, words, strict=False))
    return list(zip(parts[1::2], parts[2::2], strict=True))


def _line(place: str, text: str, affine: Affine) -> Line:
    if stray := _TOKEN.search(text):
        raise Malformed(f"{stray[0]} stands among words: a place has four tokens")
    if not text:
        raise Malformed(f"{place} has no text")
    return Line(text=" ".join(text.split()), box=page_box(bins(place), affine))


def _encoded(line: Line, affine: Affine) -> str:
    text = " ".join(line.text.split())
    if line.box is None or not text or _TOKEN.search(text):
        raise ValueError(f"a line to be spotted needs a box and plain words: {line!r}")
    return f"{quad(line.box, affine)} {text}"
