"""Task ocr: all text of a view, in reading order.

A cut-off or looping text is a reject and nothing of it is kept: half a page passed on as a page is worse than none, and the ladder
asks again with finer views. The completion itself stays in the page's row, so the words are not lost to a person who looks.
"""

from pipeline.tasks.base import Ask, Reading
from pipeline.tasks.faults import absent, fault, stray_tokens
from pipeline.tasks.prompts import filled
from schemas.job import OcrTask
from schemas.page import Line
from schemas.view import Affine, Completion

PROMPT = "ocr"


def ask(task: OcrTask) -> Ask:
    """Return the question that reads a view's text."""
    prompt = filled(task.prompt or PROMPT)

    def read(completion: Completion, affine: Affine) -> Reading:
        return decode(completion, affine, prompt)

    return Ask(key="ocr", prompt=prompt, max_tokens=task.max_tokens, decode=read, is_text=True)


def decode(completion: Completion, _affine: Affine, prompt: str = PROMPT) -> Reading:
    """Return the text, and a line without a box for each of its lines that is not empty."""
    if broken := fault(completion, prompt) or stray_tokens(completion.text):
        return broken
    text = completion.text.strip()
    if not text:
        return absent("empty", "the model read nothing here")
    lines = tuple(Line(text=line.strip()) for line in text.splitlines() if line.strip())
    return Reading(verdict="value", text=text, lines=lines)
