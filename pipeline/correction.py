"""Correct: what a person says of a page takes the place of what was read there, as `human`, and stays whatever is read again.

No document is opened and no model asked. That it stays is overlay.combine's doing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from pipeline.conclude import rules_of
from pipeline.confidence import of_job
from pipeline.errors import JobError
from pipeline.overlay import without_failures
from pipeline.places import Places
from pipeline.questions import questions
from pipeline.settle import Rows
from pipeline.storage import Store
from pipeline.tasks.values import typed
from pipeline.whole import made, parts
from schemas.correction import Corrections, FieldCorrection, LineCorrection
from schemas.field import FieldRow, FieldValue
from schemas.job import AnswerField, Job
from schemas.page import PageRow
from schemas.source import identity
from schemas.unit import StagedPart, Unit

_SURE = 1.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A field of the job, the language of its task, and its fingerprint."""

    field: AnswerField
    lang: str
    fingerprint: str


class Corrector:
    """Makes corrected rows of one run, and keeps count of what could not be corrected."""

    def __init__(self, job: Job, corrections: Corrections) -> None:
        """Raise JobError where a correction names no field of the job, or is no value of its field's type; then nothing is changed."""
        self._asked = {
            question.ask.answer_field.name: _Asked(question.ask.answer_field, task.lang, question.fingerprint)
            for question in questions(job)
            for task in job.tasks
            if task.type == "answer"
            if question.ask.answer_field in task.fields and question.ask.answer_field is not None
        }
        self._values = {(each.page_id, each.name): self._value(each) for each in corrections.fields}
        if wrong := sorted(set(self._wrong(corrections.fields))):
            raise JobError("\n".join(["these corrections cannot be taken, and none was:", *wrong]))
        self._lines: dict[str, dict[int, LineCorrection]] = {}
        for line in corrections.lines:
            self._lines.setdefault(line.page_id, {})[line.line] = line
        self._pages, self._rules = corrections.pages, rules_of(job.tasks, of_job(job))
        self.corrected: set[tuple[str, int]] = set()
        self.stale: list[str] = []

    @property
    def missed(self) -> int:
        """Return how many corrected pages are no longer there: another version of their objects is, or another job's."""
        return len(self._pages - self.corrected)

    @property
    def is_of_documents(self) -> bool:
        """Return whether a page's rows depend on those of others, so that a document's other pages may be well once one was corrected."""
        return self._rules.are_of_documents

    def pages(self) -> pa.Table:
        """Return the corrected pages, as columns source_id and page_index."""
        pages = sorted(self._pages)
        columns = {"source_id": [source_id for source_id, _ in pages], "page_index": [page_index for _, page_index in pages]}
        return pa.table(columns, schema=pa.schema([("source_id", pa.string()), ("page_index", pa.int64())]))

    def parts(self, units: Iterable[Unit], store: Store, places: Places, run_id: str) -> Iterator[StagedPart]:
        """Stage the corrected rows of units, whose prior rows are those to correct."""
        yield from parts(units, self._rules, store, places, run_id, lambda prior, now: self.correct(prior, run_id, now))

    def correct(self, prior: Rows, run_id: str, now: datetime) -> Rows:
        """Return a page's rows with its corrections in them; rows of a page that has none are as they were."""
        if (prior.page.source_id, prior.page.page_index) not in self._pages:
            return prior
        prior = made(prior, run_id, now)
        page, rows = prior.page, {row.name: row for row in prior.fields}
        self.corrected.add((page.source_id, page.page_index))
        mine = {name: value for (page_id, name), value in self._values.items() if page_id == page.page_id}
        for name, value in mine.items():
            rows[name] = _by_hand(rows.get(name) or self._row(page, name), value)
        page = without_failures(page, frozenset(f"answer.{name}" for name in mine))
        return Rows(self._with_lines(page), tuple(rows.values()))

    def _with_lines(self, page: PageRow) -> PageRow:
        """Return the page with its lines corrected, as far as they still say what was corrected."""
        said, text = list(page.lines), page.text or ""
        for number, line in sorted(self._lines.get(page.page_id, {}).items(), reverse=True):
            if number >= len(said) or said[number].text != line.before:
                self.stale.append(
                    f"{page.source_uri} page {page.page_index + 1}: {line.before!r} is no longer line {number + 1}"
                )
                continue
            before = sum(earlier.text.count(line.before) for earlier in said[:number])
            text = _replaced(text, line.before, line.after, before)
            said[number : number + 1] = (
                [said[number].model_copy(update={"text": line.after, "confidence": _SURE})] if line.after else []
            )
        if tuple(said) == page.lines:
            return page
        return page.model_copy(update={"lines": tuple(said), "text": text, "text_source": "human"})

    def _value(self, correction: FieldCorrection) -> FieldValue:
        asked = self._asked.get(correction.name)
        if correction.value is None or asked is None:
            return FieldValue(status="absent", reason="corrected")
        return typed(correction.value.strip(), asked.field, asked.lang)

    def _wrong(self, fields: Iterable[FieldCorrection]) -> Iterator[str]:
        for each in fields:
            place = f"  {each.source_uri or each.page_id} page {each.page_index + 1}: {each.name}"
            if each.name not in self._asked:
                yield f"{place}: the job has no such field"
            elif (value := self._values[each.page_id, each.name]).status == "invalid":
                yield f"{place}: {value.reason}"

    def _row(self, page: PageRow, name: str) -> FieldRow:
        asked = self._asked[name]
        return FieldRow(
            status="absent",
            field_id=identity(page.page_id, name),
            page_id=page.page_id,
            source_id=page.source_id,
            source_uri=page.source_uri,
            page_index=page.page_index,
            name=name,
            question=asked.field.question,
            task_fingerprint=asked.fingerprint,
            run_id=page.run_id,
            processed_at=page.processed_at,
        )


def _by_hand(row: FieldRow, value: FieldValue) -> FieldRow:
    """Return a field's row as a person says it is; its place stays, as that is where the person looked."""
    who = {"value_source": "human", "confidence": _SURE, "checkpoint_hash": None, "resolution": None, "rung": None}
    return row.model_copy(update={**dict(value), **who})


def _replaced(text: str, before: str, after: str, skip: int) -> str:
    """Return the text with one occurrence replaced, after so many others; with an empty `after`, its line goes."""
    pieces = text.split(before)
    if len(pieces) <= skip + 1:
        return text
    head, tail = before.join(pieces[: skip + 1]), before.join(pieces[skip + 1 :])
    return head + after + tail if after else head + tail.removeprefix("\n")
