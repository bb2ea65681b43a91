"""Task detect: boxes of the labels asked for. Nothing found is a result.

A prompt of one's own is a template with {labels}, which are joined by ` ; `.
"""

from collections.abc import Sequence

from pipeline.tasks import found
from pipeline.tasks.base import Ask, Reading
from pipeline.tasks.found import Found
from pipeline.tasks.tokens import quad
from schemas.box import LabelledBox
from schemas.job import DetectTask
from schemas.view import Affine, Completion

PROMPT = "detect {labels}"


def ask(task: DetectTask) -> Ask:
    """Return the question for all labels of the task at once."""
    return found.ask_for("detect", task.labels, task.prompt or PROMPT, task.max_tokens, boxed)


def boxed(thing: Found, affine: Affine) -> LabelledBox:
    """Return a thing's box in page points."""
    return LabelledBox(label=thing.label, box=affine.box(*thing.place))


def decode(completion: Completion, affine: Affine, labels: Sequence[str], prompt: str = "") -> Reading:
    """Return the labelled boxes in page points, `absent` where there are none, or what was wrong with the answer."""
    return found.decode(completion, affine, labels, prompt, boxed)


def encode(boxes: Sequence[LabelledBox], affine: Affine) -> str:
    """Return the answer that a model should give for these boxes on this view: what it is trained on."""
    return " ; ".join(f"{quad(item.box, affine)} {item.label}" for item in boxes)
