"""Task detect: boxes of the labels asked for. Nothing found is a result.

A prompt of one's own is a template with {labels}, which are joined by ` ; `.
"""

from collections.abc import Sequence

from pipeline.tasks.base import Ask, Reading
from pipeline.tasks.faults import absent, parsed
from pipeline.tasks.found import parse
from pipeline.tasks.prompts import filled
from pipeline.tasks.tokens import quad
from schemas.box import LabelledBox
from schemas.job import DetectTask
from schemas.view import Affine, Completion

PROMPT = "detect {labels}"


def ask(task: DetectTask) -> Ask:
    """Return the question for all labels of the task at once."""
    return ask_for("detect", task.labels, task.prompt or PROMPT, task.max_tokens)


def ask_for(key: str, labels: Sequence[str], template: str, max_tokens: int, *, label_optional: bool = False) -> Ask:
    """Return a question for boxes under any key; `refer` is one for a single phrase."""
    joined = " ; ".join(labels)
    prompt = filled(template, labels=joined, phrase=joined)

    def read(completion: Completion, affine: Affine) -> Reading:
        return decode(completion, affine, labels, prompt, label_optional=label_optional)

    return Ask(key=key, prompt=prompt, max_tokens=max_tokens, decode=read, settings=joined)


def decode(
    completion: Completion, affine: Affine, labels: Sequence[str], prompt: str = "", *, label_optional: bool = False
) -> Reading:
    """Return the labelled boxes in page points, `absent` where there are none, or what was wrong with the answer."""

    def read(text: str) -> Reading:
        things = parse(text, labels, label_optional=label_optional)
        if not things:
            return absent("nothing_found", f"nothing of {', '.join(labels)} was found")
        return Reading(
            verdict="value", boxes=tuple(LabelledBox(label=thing.label, box=affine.box(*thing.place)) for thing in things)
        )

    return parsed(completion, prompt, read)


def encode(boxes: Sequence[LabelledBox], affine: Affine) -> str:
    """Return the answer that a model should give for these boxes on this view: what it is trained on."""
    return " ; ".join(f"{quad(item.box, affine)} {item.label}" for item in boxes)
