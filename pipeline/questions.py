"""What a job asks of every page, and the fingerprint of each question: rows that carry it need not be asked again.

A fingerprint covers what can change an answer (checkpoint, prompt, decoder, ladder, text layer), and nothing that cannot.
"""

from dataclasses import dataclass

from pipeline.tasks.asks import asks
from pipeline.tasks.base import Ask
from schemas.job import Job
from schemas.source import identity


@dataclass(frozen=True, slots=True)
class Question:
    """An ask and its fingerprint."""

    ask: Ask
    fingerprint: str


def questions(job: Job) -> tuple[Question, ...]:
    """Return the job's questions, in the order of its tasks."""
    return tuple(Question(ask, _fingerprint(job, ask)) for task in job.tasks for ask in asks(task))


def _fingerprint(job: Job, ask: Ask) -> str:
    field = ask.answer_field.model_dump_json() if ask.answer_field else ""
    model = job.model.model_dump_json(include={"checkpoint", "revision", "adapter", "quantization", "dtype"})
    render = job.render.model_dump_json()
    return identity(ask.key, ask.prompt, ask.max_tokens, ask.version, field, model, render)
