"""From what the model said to rows: what the completions of a page make of it.

Pure folds. Rows are always made from the kept completions, so that `redecode` and a rerun that adds a task go the same way as a first run.
It does not know where completions come from, nor where rows go.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.confidence import confidence, of_parts
from pipeline.provenance import told_by_layer
from pipeline.readings import Voice, chosen, read, region_of, voices
from pipeline.signals import of_part, parts_logprob, signals, standing_in
from pipeline.sureness import Weigh, weighed_by_layer
from pipeline.tasks.base import Ask, Reading
from pipeline.whereabouts import whereabouts
from pipeline.witness import agreement
from schemas.box import Box
from schemas.field import FieldRow, FieldValue
from schemas.job import TEXTS
from schemas.page import CompletionRecord, Failure, Line, PageRow, PageStatus, PartSaid, Stage, TextSource
from schemas.signals import ConfidenceModel
from schemas.source import identity, page_identity
from schemas.table import Table
from schemas.unit import Origin
from schemas.view import Affine

WITNESS = "text_layer"  # the task under which a text layer is kept beside the model's text
TEXT_LAYER_KEYS = (*TEXTS, "table")  # what a trustworthy text layer answers in the model's place


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What is known of a page without the model. Sizes in points; None where the page could not be opened.

    With `text_source` "text_layer", text, lines and tables hold; `witness` is a text layer that is kept beside the model's text
    for comparison; `notes` are failures that belong to no task.
    """

    page_index: int
    width_pt: float | None = None
    height_pt: float | None = None
    rotation: int | None = None
    is_blank: bool = False
    text: str | None = None
    text_source: TextSource | None = None
    lines: tuple[Line, ...] = ()
    tables: tuple[Table, ...] = ()
    witness: CompletionRecord | None = None
    notes: tuple[Failure, ...] = ()
    is_lost: bool = False

    def noting(self, *notes: Failure) -> "PageFacts":
        return replace(self, notes=(*self.notes, *notes))

    def with_text(self, text: str, lines: tuple[Line, ...], tables: tuple[Table, ...]) -> "PageFacts":
        lines, tables = weighed_by_layer(text, *told_by_layer(lines, tables))
        return replace(self, text=text, text_source="text_layer", lines=lines, tables=tables)

    def witnessed(self, witness: CompletionRecord) -> "PageFacts":
        return replace(self, witness=witness)

    def lost(self, failure: Failure) -> "PageFacts":
        return replace(self.noting(failure), is_lost=True)

    @property
    def layer_text(self) -> str | None:
        """Return what the page's text layer says, whether it stands in for the model or beside it."""
        if self.text_source == "text_layer":
            return self.text
        return self.witness.raw if self.witness else None

    def spares(self, ask: Ask) -> bool:
        """Return whether the model need not be asked."""
        return self.is_blank or self.is_lost or (self.text_source == "text_layer" and ask.key in TEXT_LAYER_KEYS)


@dataclass(frozen=True, slots=True)
class Answered:
    """An ask and its completions on every rung that it climbed, views in reading order.

    `is_elsewhere`: it is asked of certain pages alone, and the document has none of them. `verified` is what stands in its value's place.
    """

    ask: Ask
    fingerprint: str
    records: tuple[CompletionRecord, ...]
    resolution: int | None = None
    is_elsewhere: bool = False
    verified: CompletionRecord | None = None

    @property
    def kept(self) -> tuple[CompletionRecord, ...]:
        """Return all that rows keep of it."""
        return (*self.records, *([self.verified] if self.verified else ()))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What every row of a part has in common."""

    job_name: str
    run_id: str
    processed_at: datetime
    checkpoint_hash: str | None = None
    engine: str | None = None
    confidence: ConfidenceModel | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """A page's row and the rows of its fields."""

    page: PageRow
    fields: tuple[FieldRow, ...]


def rows(
    facts: PageFacts, answers: Sequence[Answered], origin: Origin, document_id: str, given: Circumstances, seconds: float
) -> Rows:
    """Make a page's rows for one origin; `seconds` is the time that the page took."""
    readings = [
        (answer, read(answer.ask, answer.records, weigher(given.confidence, facts.layer_text, answer.records)))
        for answer in answers
        if answer.records
    ]
    failures = (*facts.notes, *(_failure(answer.ask, reading) for answer, reading in readings if reading.verdict == "reject"))
    texts = [reading for answer, reading in readings if answer.ask.key in TEXTS and reading.text is not None]
    from_model = min(texts, key=lambda text: text.verdict == "reject", default=None)  # the first that is whole
    text_source: TextSource | None = facts.text_source or ("model" if from_model else None)
    page = PageRow(
        page_id=page_identity(origin.source_id, facts.page_index),
        source_id=origin.source_id,
        document_id=document_id,
        source_uri=origin.uri,
        page_index=facts.page_index,
        width_pt=facts.width_pt,
        height_pt=facts.height_pt,
        rotation=facts.rotation,
        status=_status(facts, failures, has_value=bool(facts.text_source) or any(each.says_something for _, each in readings)),
        text=facts.text if facts.text_source else from_model and from_model.text,
        text_source=text_source,
        agreement=agreement(from_model.text, facts.witness.raw) if facts.witness and from_model and from_model.text else None,
        lines=facts.lines if facts.text_source else _lines(from_model),
        tables=facts.tables or _numbered(table for _, reading in readings for table in reading.tables),
        boxes=tuple(box for _, reading in readings for box in reading.boxes),
        completions=(*([facts.witness] if facts.witness else ()), *(item for answer in answers for item in answer.kept)),
        failures=failures,
        checkpoint_hash=given.checkpoint_hash if readings else None,
        engine=given.engine if readings else None,
        seconds=seconds,
        job_name=given.job_name,
        run_id=given.run_id,
        processed_at=given.processed_at,
    )
    return Rows(
        page, tuple(_field_row(page, facts, answer, given) for answer in answers if answer.ask.answer_field is not None)
    )


def weigher(model: ConfidenceModel | None, layer: str | None, records: Sequence[CompletionRecord]) -> Weigh | None:
    """Return how sure lines, cells and things of completions are, beside a page's text layer; None where nothing weighs them."""
    if model is None:
        return None
    of_words, of_things = (of_parts(model, is_thing=is_thing) for is_thing in (False, True))
    sure = parts_logprob(records)

    def weigh(text: str | None, said: PartSaid, item: CompletionRecord) -> float:
        value = FieldValue(status="ok", value_raw=text)
        return confidence(of_part(said, item, value, layer, sure), value, of_things if text is None else of_words)

    return weigh


def judged(page: PageRow, failures: tuple[Failure, ...]) -> PageRow:
    """Return a page's row with these failures instead of its own, and as good or bad as they leave it."""
    is_open = page.status in ("ok", "partial")
    status: PageStatus = page.status if not is_open else "partial" if any(each.task for each in failures) else "ok"
    return page.model_copy(update={"failures": failures, "status": status})


def verification_key(ask: Ask) -> str:
    """Return under which task a page keeps what was read in the place of a field's value."""
    return f"verify.{ask.key}"


def facts_of(row: PageRow) -> PageFacts:
    """Return what a page's row says of the page without the model."""
    from_layer = row.text_source == "text_layer"
    lines, tables = weighed_by_layer(row.text or "", *told_by_layer(row.lines, row.tables)) if from_layer else ((), ())
    return PageFacts(
        page_index=row.page_index,
        width_pt=row.width_pt,
        height_pt=row.height_pt,
        rotation=row.rotation,
        is_blank=row.status == "blank",
        text=row.text if from_layer else None,
        text_source="text_layer" if from_layer else None,
        lines=lines,
        tables=tables,
        witness=next((item for item in row.completions if item.task == WITNESS), None),
        notes=tuple(failure for failure in row.failures if failure.task is None),
        is_lost=row.width_pt is None,
    )


def _lines(reading: Reading | None) -> tuple[Line, ...]:
    if reading is None or reading.text is None:
        return ()
    return reading.lines or tuple(Line(text=text, box_source="page") for text in reading.text.splitlines() if text.strip())


def _numbered(tables: Iterable[Table]) -> tuple[Table, ...]:
    return tuple(table.model_copy(update={"table_index": index}) for index, table in enumerate(tables))


def _failure(ask: Ask, reading: Reading) -> Failure:
    stage: Stage = "infer" if reading.code == "engine_error" else "decode"
    return Failure(stage=stage, code=reading.code or "rejected", message=reading.message or "", task=ask.key)


def _status(facts: PageFacts, failures: Sequence[Failure], *, has_value: bool) -> PageStatus:
    if facts.is_lost:
        return "failed"
    if facts.is_blank:
        return "blank"
    if not any(failure.task for failure in failures):
        return "ok"
    return "partial" if has_value else "failed"


def _field_row(page: PageRow, facts: PageFacts, answer: Answered, given: Circumstances) -> FieldRow:
    asked = answer.ask.answer_field
    if asked is None:
        raise ValueError("only an answer task's asks make fields")
    heard = voices(answer.ask, answer.records)
    ours = chosen(heard) if heard else None
    value, last = _value(facts, answer), ours.records[-1] if ours else None
    said = page.text if page.text_source == "model" else None
    known = signals(answer.ask, heard, value, facts.layer_text, said) if heard and value.status != "rejected" else None
    if known and answer.verified and answer.verified.finish_reason == "stop":
        known = known.model_copy(update={"box": standing_in(value, answer.verified.raw) or 0.0})
    sure = confidence(known, value, given.confidence) if known and given.confidence and value.status != "invalid" else None
    is_there = ours is not None and value.status in ("ok", "invalid")
    box, box_source = whereabouts(value, asked.name, page, _tiles(answer, ours)) if ours and is_there else (None, None)
    return FieldRow(
        **dict(value),
        field_id=identity(page.page_id, asked.name),
        page_id=page.page_id,
        source_id=page.source_id,
        source_uri=page.source_uri,
        page_index=page.page_index,
        name=asked.name,
        question=asked.questions[answer.ask.prompts.index(ours.prompt)] if ours else asked.question,
        is_required=asked.required,
        confidence=sure,
        signals=known,
        box=box,
        box_source=box_source,
        value_source="model" if last else None,
        task_fingerprint=answer.fingerprint,
        checkpoint_hash=given.checkpoint_hash if last else None,
        resolution=answer.resolution if last else None,
        rung=last.rung if last else None,
        run_id=given.run_id,
        processed_at=given.processed_at,
    )


def _value(facts: PageFacts, answer: Answered) -> FieldValue:
    if answer.is_elsewhere:
        return FieldValue(status="absent", reason="no_such_page")
    if facts.is_lost:
        return FieldValue(status="rejected", reason=facts.notes[0].code if facts.notes else "page_lost")
    if facts.is_blank:
        return FieldValue(status="absent", reason="blank_page")
    if not answer.records:
        return FieldValue(status="rejected", reason="not_asked")
    reading = read(answer.ask, answer.records)
    if reading.value is not None:
        return reading.value
    return FieldValue(status="absent" if reading.verdict == "absent" else "rejected", reason=reading.code)


def _tiles(answer: Answered, ours: Voice) -> list[Box]:
    """Return the tiles in which a value was read; a whole page is none."""
    gave = [item for item in ours.records if not region_of(item).is_page and _is_value(read(answer.ask, (item,)))]
    return [Affine(*item.affine).box(0, 0, 1, 1) for item in gave]


def _is_value(reading: Reading) -> bool:
    return reading.value is not None and reading.value.status in ("ok", "invalid")
