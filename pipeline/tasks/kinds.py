"""Which prompts each known kind of checkpoint understands, as data; the sources are the papers and big_vision's transfer configurations.

It warns and never refuses: sources disagree about some prompts (so do trials), and a fine-tune of one's own understands what it was
taught. Which prompt works best on one's own pages, `pagemill evaluate` measures.
"""

import re
from dataclasses import dataclass
from typing import Literal

from schemas.job import AnswerTask, CaptionTask, Job, RawTask, ReferTask, Task

Form = Literal[
    "ocr", "spot", "answer", "bare question", "detect", "segment", "bare phrase",
    "cap", "caption", "describe", "region caption", "question", "table",
]  # fmt: skip
"""What a prompt looks like: its first word, or that it has none of its own."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of checkpoint: what it surely understands, what only some sources say it does, and what to know of it."""

    understands: frozenset[Form]
    disputed: frozenset[Form] = frozenset()
    note: str = ""


_ANSWER = Kind(frozenset({"answer"}))
_BARE = Kind(frozenset({"bare question"}), note='set the task\'s prompt to "{question}"')
_CAPTION = Kind(frozenset({"caption"}))
_BASE: frozenset[Form] = frozenset(
    {"ocr", "answer", "detect", "segment", "cap", "caption", "describe", "region caption", "question"}
)

KINDS: dict[str, Kind] = {
    "embedded": Kind(frozenset({"ocr", "answer", "detect", "table"}), note="its card tells how well"),
    "pt": Kind(_BASE, note="a base model: good to fine-tune, rough as it is"),
    "mix": Kind(
        frozenset({"answer", "caption", "detect", "segment"}),
        frozenset({"ocr", "cap", "describe", "question", "region caption", "bare question"}),
    ),
    "ft-docvqa": _BARE,
    "ft-chartqa": _BARE,
    "ft-infovqa": _ANSWER,
    "ft-textvqa": _ANSWER,
    "ft-stvqa": _ANSWER,
    "ft-ocrvqa": _ANSWER,
    "ft-vqav2": _ANSWER,
    "ft-cococap": _CAPTION,
    "ft-coco35l": _CAPTION,
    "ft-textcaps": _CAPTION,
    "ft-screen2words": _CAPTION,
    "ft-scicap": _CAPTION,
    "ft-docci": Kind(frozenset({"caption", "describe"}), note="it writes long captions and nothing else"),
    "ft-refcoco-seg": Kind(frozenset({"bare phrase"}), note='ask a `refer` task as "segment" with the prompt "{phrase}"'),
}
"""By the part of a published checkpoint's name that says what it was trained for."""

_RESOLUTION = re.compile(r"-(?:224|448|896)(?![0-9]).*")
_NAME = re.compile(r"paligemma2?-(?:3b|10b|28b)-(pt|mix|ft-[a-z0-9-]+)")


def kind_of(checkpoint: str) -> str | None:
    """Return the kind that a checkpoint's name says, or None of one that says nothing: "google/paligemma2-3b-mix-448" is mix."""
    if checkpoint == "embedded":
        return "embedded"
    name = checkpoint.rstrip("/").rsplit("/", 1)[-1].lower()
    match = _NAME.fullmatch(_RESOLUTION.sub("", name))
    return match[1] if match else None


def misfits(job: Job) -> list[str]:
    """Return a warning for each task of a job whose prompt its checkpoint, as far as its name tells, does not understand."""
    kind = kind_of(job.model.checkpoint)
    if kind is None or job.model.engine == "scripted":
        return []
    return [said for task in job.tasks if (said := misfit(kind, task))]


def misfit(kind: str, task: Task) -> str | None:
    """Return a sentence that warns where this kind does not understand the task's prompt; None where it does, or nobody knows."""
    known, form = KINDS.get(kind), _form(task)
    if known is None or form is None or form in known.understands:
        return None
    if form in known.disputed:
        return (
            f"{task.type}: sources disagree on whether {kind} checkpoints understand `{form}` prompts; try it on labelled pages"
        )
    understood = ", ".join(sorted(known.understands))
    advice = f" ({known.note})" if known.note else ""
    return f"{task.type}: {kind} checkpoints do not understand `{form}` prompts, only {understood}{advice}"


def _form(task: Task) -> Form | None:
    """Return the form of a task's prompt; None of a prompt of the job's own whose form is not known."""
    if isinstance(task, RawTask):
        return None
    if task.prompt is not None:
        return _form_of(task.prompt, task)
    match task:
        case CaptionTask():
            return "region caption" if task.box else task.style
        case ReferTask():
            return task.ask_as
        case _:
            return task.type


def _form_of(prompt: str, task: Task) -> Form | None:
    if prompt.strip() == "{question}" and isinstance(task, AnswerTask):
        return "bare question"
    if prompt.strip() == "{phrase}" and isinstance(task, ReferTask):
        return "bare phrase"
    words: dict[str, Form] = {
        "ocr": "ocr", "spot": "spot", "answer": "answer", "detect": "detect", "segment": "segment", "cap": "cap",
        "caption": "caption", "describe": "describe", "question": "question", "table": "table",
    }  # fmt: skip
    return words.get(prompt.split(maxsplit=1)[0].lower()) if prompt.strip() else None
