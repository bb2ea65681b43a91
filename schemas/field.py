"""A row of fields/: one value that was asked of one page, or why there is none."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from schemas.box import Box, BoxSource
from schemas.shape import Shape
from schemas.signals import Signals

FieldStatus = Literal["ok", "absent", "invalid", "rejected"]
ValueSource = Literal["model", "text_layer", "human"]
Rule = Literal["human", "only", "agreed", "weight", "first", "none"]
Number = Annotated[Decimal, Field(max_digits=38, decimal_places=9)]


class FieldValue(Shape):
    """A typed value: `value_raw` is what was read, letter for letter, also where it is invalid, and `reason` says why.

    `value_text` is the same in the normal form of types that have one (an enum's choice, +49301234567, an IBAN without spaces); the others
    hold its meaning where the field's type has one.
    """

    status: FieldStatus
    reason: str | None = None
    value_raw: str | None = None
    value_text: str | None = None
    value_number: Number | None = None
    value_date: date | None = None
    value_bool: bool | None = None
    currency: str | None = None


class FieldRow(FieldValue):
    """A field's value on one page. `field_id` is sha256 of page_id and name; `question` is the one that was answered.

    `confidence` is the probability that the value, or its absence, is right, as the run's confidence model (schemas.run) weighs `signals`.
    """

    field_id: str
    page_id: str
    source_id: str
    source_uri: str
    page_index: int
    name: str
    question: str
    is_required: bool = False
    confidence: float | None = None
    signals: Signals | None = None
    box: Box | None = None
    box_source: BoxSource | None = None
    value_source: ValueSource | None = None
    task_fingerprint: str
    checkpoint_hash: str | None = None
    resolution: int | None = None
    rung: int | None = None
    run_id: str
    processed_at: datetime


class AnswerRow(FieldRow):
    """A document's one answer to a field: the row of the page that was chosen, by which rule (pipeline.answers), of how many pages with a value."""

    rule: Rule
    pages_answering: int
    pages_agreeing: int
