"""What a job asks of every page, and the fingerprint of each question: rows that carry it need not be asked again.

A fingerprint covers what can change an answer (checkpoint, prompt, decoder, ladder, text layer), and nothing that cannot.
"""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import JobError
from pipeline.storage import open_store
from pipeline.tasks.asks import page_asks
from pipeline.tasks.base import Ask
from pipeline.tasks.segment import MaskDecoder
from schemas.job import Job
from schemas.pageset import holds, holds_any
from schemas.source import identity


@dataclass(frozen=True, slots=True)
class Question:
    """An ask and its fingerprint, which begins with the ask's key."""

    ask: Ask
    fingerprint: str


def questions(job: Job, masks: MaskDecoder | None = None) -> tuple[Question, ...]:
    """Return the job's questions, in the order of its tasks; `masks` is needed only where answers are decoded."""
    return tuple(Question(ask, _fingerprint(job, ask)) for ask in page_asks(job.tasks, masks))


def is_asked_of(question: Question, page_index: int, page_count: int | None) -> bool:
    """Return whether a question is asked of a page of a document of so many (None where that is not known): a field may name its pages."""
    return holds(_pages(question), page_index, page_count)


def is_asked_nowhere(question: Question, page_count: int) -> bool:
    """Return whether a document has none of the pages that a question is asked of."""
    return not holds_any(_pages(question), page_count)


def still_answered(fingerprints: Iterable[str], asked: Iterable[Question]) -> tuple[str, ...]:
    """Return which questions rows answer after some were asked anew: those, and older ones under whose keys nothing new stands."""
    new = tuple(asked)
    replaced = {question.ask.key for question in new}
    old = (each for each in fingerprints if each.rpartition(":")[0] not in replaced)
    return tuple(sorted({*old, *(question.fingerprint for question in new)}))


def mask_decoder(job: Job) -> MaskDecoder | None:
    """Load the VQ-VAE weights that the job's segment and refer tasks name, or return None where they name none."""
    named = {task.mask_weights for task in job.tasks if task.type in ("segment", "refer") and task.mask_weights}
    if not named:
        return None
    if len(named) > 1:
        raise JobError(f"one job decodes masks with one weights file, and these are named: {', '.join(sorted(named))}")
    from pipeline.tasks.masks import load_mask_decoder  # torch is needed for masks alone

    with tempfile.TemporaryDirectory(prefix="pagemill-masks-") as folder:
        path = Path(folder) / "vae-oid.npz"
        (uri,) = named
        open_store(uri).fetch(uri, None, path)
        return load_mask_decoder(path, uri)


def _pages(question: Question) -> tuple[str, ...]:
    return question.ask.answer_field.pages if question.ask.answer_field else ()


def _fingerprint(job: Job, ask: Ask) -> str:
    # Whether a value is required changes no answer; keys that are not used must not, or a new one would ask everything anew.
    field = ask.answer_field.model_dump_json(exclude={"required"}, exclude_defaults=True) if ask.answer_field else ""
    model = job.model.model_dump_json(include={"checkpoint", "revision", "adapter", "quantization", "dtype"})
    render = job.render.model_dump_json(exclude=None if job.render.max_requests_per_page else {"max_requests_per_page"})
    return f"{ask.key}:{identity(ask.prompt, ask.max_tokens, ask.version, ask.settings, field, model, render)}"
