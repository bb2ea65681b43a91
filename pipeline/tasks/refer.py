"""Task refer: one thing named by a phrase, asked as a detection or a segmentation.

A prompt of one's own is a template with {phrase}; ft-refcoco-seg wants "{phrase}" alone, and answers without the label.
"""

import re

from pipeline.tasks.base import Ask
from pipeline.tasks.detect import boxed
from pipeline.tasks.found import ask_for
from pipeline.tasks.segment import MaskDecoder, masked
from schemas.job import ReferTask
from schemas.source import identity

PROMPTS = {"detect": "detect {phrase}", "segment": "segment {phrase}"}

_LONGEST_SLUG = 48


def ask(task: ReferTask, masks: MaskDecoder | None = None) -> Ask:
    """Return the question for the phrase, under the key `refer.` and the phrase's slug."""
    key = f"refer.{slug(task.phrase)}"
    template = task.prompt or PROMPTS[task.ask_as]
    if task.ask_as == "detect":
        return ask_for(key, (task.phrase,), template, task.max_tokens, boxed, label_optional=True)
    labelled, weights = masked(masks), task.mask_weights or ""
    return ask_for(key, (task.phrase,), template, task.max_tokens, labelled, masks=True, weights=weights, label_optional=True)


def slug(phrase: str) -> str:
    """Return the phrase as a key: its letters and figures, folded; a long or wordless one ends in a piece of its hash."""
    plain = re.sub(r"\W+", "-", phrase.casefold()).strip("-")
    if 0 < len(plain) <= _LONGEST_SLUG:
        return plain
    return f"{plain[:_LONGEST_SLUG]}-{identity(phrase)[:8]}".lstrip("-")
