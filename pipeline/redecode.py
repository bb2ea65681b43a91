"""Decode again: rows made anew from the completions that they keep, because a decoder has become better.

Nothing is fetched, rendered or asked. What the completions do not tell (another job's values, a text layer's text) stays.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa

from pipeline.conclude import Finished, rules_of, together
from pipeline.confidence import of_job
from pipeline.errors import StorageError
from pipeline.overlay import combine
from pipeline.places import Places
from pipeline.prior import prior_rows
from pipeline.questions import Question, mask_decoder, questions, still_answered
from pipeline.settle import Answered, Circumstances, Rows, facts_of, rows, verification_key
from pipeline.staging import Part
from pipeline.storage import open_store
from schemas.arrow import from_table
from schemas.job import Job
from schemas.page import CompletionRecord, Failure
from schemas.unit import Tally, Unit


class Redecoder:
    """The worker that decodes again; units name the rows to start from as their prior."""

    def __init__(self, job: Job, run_id: str, passwords: Sequence[str]) -> None:
        """Take a worker's arguments; no document is opened, so no password is needed."""
        del passwords
        self._job, self._run_id = job, run_id
        self._places, self._store = Places(job.sink.uri), open_store(job.sink.uri)
        self._questions = questions(job, mask_decoder(job))
        self._confidence = of_job(job)
        self._rules = rules_of(job.tasks, self._confidence)

    def __call__(self, units: pa.Table) -> pa.Table:
        """Decode a block of units (columns of schemas.unit.Unit) again, and return one StagedPart as JSON."""
        group, now = from_table(units, Unit), datetime.now(UTC)
        part = Part(self._store, self._places, self._run_id, group)
        for unit in group:
            try:
                self._unit(unit, part, now)
            except StorageError as error:
                part.leave(unit, Failure(stage="fetch", code=type(error).__name__, message=str(error)))
        return pa.table({"staged": [part.stage(Tally(), None, now).model_dump_json()]})

    def _unit(self, unit: Unit, part: Part, now: datetime) -> None:
        known = prior_rows(self._store, self._places, unit)
        kept = {(item.task, item.prompt) for prior in known.values() for item in prior.page.completions}
        decoded = [question for question in self._questions if _names(question) & kept]
        tasks, jobs = (unit.prior.tasks, unit.prior.jobs) if unit.prior else ((), ())
        again = [(self._again(prior, unit, now), origin) for _, prior in sorted(known.items()) for origin in unit.origins]
        answered = still_answered(tasks, decoded)
        finished = [Finished(unit, origin, made, asked, answered, jobs) for (made, asked), origin in again]
        for page in together(finished, self._rules):
            part.add(unit, page.origin, page.rows, tasks=page.tasks, jobs=page.jobs)

    def _again(self, prior: Rows, unit: Unit, now: datetime) -> tuple[Rows, frozenset[str]]:
        """Return a page's rows as they are decoded now, and the keys that they answer anew."""
        resolution = next((row.resolution for row in prior.fields if row.resolution), None)
        kept = [
            Answered(question.ask, question.fingerprint, records, resolution, verified=_verified(question, prior))
            for question in self._questions
            if (records := tuple(item for item in prior.page.completions if (item.task, item.prompt) in _names(question)))
        ]
        page = prior.page
        given = Circumstances(self._job.name, self._run_id, now, page.checkpoint_hash, page.engine, self._confidence)
        new = rows(facts_of(prior.page), kept, unit.origins[0], unit.document_id, given, prior.page.seconds)
        asked = frozenset(answer.ask.key for answer in kept)
        return combine(prior, new, asked), asked


def _verified(question: Question, prior: Rows) -> CompletionRecord | None:
    key = verification_key(question.ask)
    return next((item for item in prior.page.completions if item.task == key), None)


def _names(question: Question) -> set[tuple[str, str]]:
    """Return the key and each prompt under which completions answer a question."""
    return {(question.ask.key, prompt) for prompt in question.ask.prompts}
