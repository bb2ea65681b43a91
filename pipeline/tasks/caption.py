"""Task caption: a description of the page, or of one region of it.

A region is asked as the base checkpoints were trained: `caption` and four location tokens, without a language. Its box is in fractions
of the page, so it means something on a view of the whole page only. A prompt of one's own is a template with {lang} and {box}.
"""

from pipeline.tasks.base import Ask, Reading
from pipeline.tasks.prompts import filled
from pipeline.tasks.prose import decode_words
from pipeline.tasks.tokens import quad
from schemas.box import Box
from schemas.job import CaptionTask
from schemas.view import Affine, Completion

PROMPT = "{style} {lang}"
REGION_PROMPT = "{style} {box}"

_WHOLE = Affine(1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def ask(task: CaptionTask) -> Ask:
    """Return the question for a description."""
    template = task.prompt or (REGION_PROMPT if task.box else PROMPT)
    box = quad(_fractions(task.box), _WHOLE) if task.box else ""
    prompt = filled(template, style=task.style, lang=task.lang, box=box)

    def read(completion: Completion, affine: Affine) -> Reading:
        return decode_words(completion, affine, prompt)

    return Ask(key="caption", prompt=prompt, max_tokens=task.max_tokens, decode=read)


def _fractions(box: tuple[float, float, float, float]) -> Box:
    return Box(x0=box[0], y0=box[1], x1=box[2], y1=box[3])
