"""The job file: every key, its default and what it may hold. The only place where defaults live."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from schemas.crosscheck import cross_check
from schemas.pageset import Pages
from schemas.shape import Shape

_MULTIPLES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SECONDS = {"s": 1, "min": 60, "h": 3600}


def _quantity(value: object) -> object:
    """Read `200MB`, `400M` or `2GB` (powers of ten) as a number; anything else is left for pydantic to judge."""
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)B?\s*", value, re.IGNORECASE)):
        return round(float(match[1]) * _MULTIPLES[match[2].upper()])
    return value


def _duration(value: object) -> object:
    """Read `90s`, `45min` or `7h` as seconds; anything else is left for pydantic to judge."""
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h)\s*", value)):
        return float(match[1]) * _SECONDS[match[2]]
    return value


_QUANTITY_SCHEMA = {
    "anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "string", "pattern": r"^\d+(\.\d+)? ?[KMGTkmgt]?[Bb]?$"}]
}
Quantity = Annotated[int, BeforeValidator(_quantity), Field(gt=0), WithJsonSchema(_QUANTITY_SCHEMA)]
_DURATION_SCHEMA = {
    "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": r"^\d+(\.\d+)? ?(s|min|h)$"}]
}
Duration = Annotated[float, BeforeValidator(_duration), Field(gt=0), WithJsonSchema(_DURATION_SCHEMA)]
Resolution = Literal[224, 448, 896]
Tiling = Literal["none", "grid", "whitespace", "layout"]
FieldType = Literal[
    "string", "integer", "decimal", "money", "date", "boolean", "enum", "phone", "iban", "bic", "vat", "isbn", "ean", "luhn"
]
Label = Annotated[str, Field(min_length=1, pattern=r"^[^;<>\n]+$")]
_FAMILIES: dict[str, str] = {"integer": "number", "decimal": "number", "money": "number", "date": "date"}
Question = Annotated[str, Field(min_length=1, pattern=r"^[^\n]*$")]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class Source(Shape):
    """Where documents are read from: a folder, a file or an s3:// prefix, or an inventory file that lists them."""

    uri: str = Field(min_length=1)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    inventory: str | None = None
    passwords: str | None = Field(default=None, pattern=r"^env:[A-Za-z_][A-Za-z0-9_]*$")


class Model(Shape):
    """The checkpoint and the engine that serves it."""

    checkpoint: str = "embedded"
    revision: str | None = None
    engine: Literal["vllm", "transformers", "scripted"] = "transformers"
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    adapter: str | None = None
    quantization: Literal["int4", "int8", "fp8", "nf4"] | None = None
    tensor_parallel: int = Field(default=1, ge=1)


class Rung(Shape):
    """One step of the ladder; `checkpoint` is the model's own unless it says otherwise."""

    resolution: Resolution = 448
    tiles: Tiling = "none"
    checkpoint: str | None = None


class Render(Shape):
    """How pages become views, and when the text layer stands in for the model.

    What would take a page over `max_requests_per_page` is not asked; a task that was never asked for that is a reject.
    """

    text_layer: Literal["ignore", "prefer", "compare"] = "prefer"
    ladder: tuple[Rung, ...] = Field(default=(Rung(),), min_length=1)
    max_requests_per_page: int | None = Field(default=None, ge=1)


class _Task(Shape):
    prompt: str | None = Field(default=None, min_length=1, pattern=r"^[^\n]*$")
    max_tokens: int = Field(default=512, ge=1, le=4096)


class OcrTask(_Task):
    """All text of the page."""

    type: Literal["ocr"]


class SpotTask(_Task):
    """All text of the page, with a box a line."""

    type: Literal["spot"]


def _is_expression(pattern: str | None) -> str | None:
    try:
        re.compile(pattern or "")
    except re.error as exc:
        raise ValueError(f"`pattern` is no regular expression: {exc}") from exc
    return pattern


def _must_differ(what: str, names: list[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{what} must differ: {', '.join(twice)} stands more than once")


def _choices_are_for_enums(kind: FieldType, choices: tuple[str, ...]) -> None:
    if (kind == "enum") != bool(choices):
        raise ValueError("`choices` goes with `type: enum`, and an enum needs its choices")


Locale = Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Za-z0-9]{2,4}){0,2}$")]


class AnswerField(Shape):
    """One field: its name in the results, the question that is asked, and the type of its value.

    `rephrased` holds the same question in other words, asked in turn where it is not answered; with `confirm` all are asked, and how far
    the answers agree tells how sure the value is. `locale` ("en_US", "de_DE") says how the documents write numbers, dates, phone numbers and
    currency symbols; without one, what two conventions read differently (1,234 or 03/04/2026) is invalid, never guessed. The whole value,
    in its normal form, must match `pattern`. Only `pages` are asked (first, last, 3, 2-5, 3-last, or several of them); without them all are.
    A document that has no valid value of a `required` field is partial. With `verify` the place of its value is read again, alone and as
    text; whether the value stands there tells how sure it is.
    """

    name: Name
    question: Question
    rephrased: tuple[Question, ...] = ()
    confirm: bool = False
    type: FieldType = "string"
    choices: tuple[str, ...] = ()
    pattern: Annotated[str | None, AfterValidator(_is_expression)] = None
    locale: Locale | None = None
    required: bool = False
    pages: Pages = ()
    verify: bool = False

    @property
    def questions(self) -> tuple[str, ...]:
        """Return the question in all its words, in the order in which they are asked."""
        return (self.question, *self.rephrased)

    @model_validator(mode="after")
    def _its_choices_are_an_enums(self) -> "AnswerField":
        _choices_are_for_enums(self.type, self.choices)
        return self

    @model_validator(mode="after")
    def _its_questions_differ(self) -> "AnswerField":
        if len(set(self.questions)) < len(self.questions):
            raise ValueError("`rephrased` asks the same words twice")
        if self.confirm and not self.rephrased:
            raise ValueError("`confirm` compares the answers to several questions: name them under `rephrased`")
        return self


class AnswerTask(_Task):
    """Fields, one question each; `prompt` is a template with {question} and {lang}.

    `structured` lets the engine write only what has the form of the field's type (its choices; yes or no; a number, money, a date, a number
    with check digits), or that the page does not say; a string may still be anything. `cross_check` holds what must be true between fields, and
    of the columns of tables: "net + tax = total", "date <= due", "sum(amount) = total". A page that has all the fields is judged by them, with
    the lines of its tables and of pages before it; where no page has them all, the document is, if it has no more than 32 pages.
    """

    type: Literal["answer"]
    lang: str = Field(default="en", pattern=r"^[a-z]{2,3}$")
    fields: tuple[AnswerField, ...] = Field(min_length=1)
    structured: bool = False
    cross_check: tuple[str, ...] = ()
    max_tokens: int = Field(default=64, ge=1, le=4096)

    @model_validator(mode="after")
    def _checks_are_of_its_numbers_and_dates(self) -> "AnswerTask":
        kinds = {field.name: field.type for field in self.fields}
        for check in map(cross_check, self.cross_check):
            if unknown := sorted(check.names - kinds.keys()):
                raise ValueError(f"`cross_check` {check.text!r}: there is no field {', '.join(unknown)} in this task")
            families = {_FAMILIES.get(kinds[name]) for name in check.names} | ({"number"} if check.columns else set())
            if None in families or len(families) != 1 or (families == {"date"} and not check.compares_alone):
                raise ValueError(f"`cross_check` {check.text!r}: only numbers are added, and numbers or dates compared")
        return self


class ReferTask(_Task):
    """A thing named by a phrase, asked as a detection or a segmentation; `mask_weights` as in `segment`; `prompt` may hold {phrase}."""

    type: Literal["refer"]
    phrase: Label
    ask_as: Literal["detect", "segment"] = "detect"
    mask_weights: str | None = None


class DetectTask(_Task):
    """Boxes of the labels; `prompt` is a template with {labels}."""

    type: Literal["detect"]
    labels: tuple[Label, ...] = Field(min_length=1)


class SegmentTask(_Task):
    """Boxes of the labels, and masks where the VQ-VAE weights (`vae-oid.npz`) are named; `prompt` is a template with {labels}."""

    type: Literal["segment"]
    labels: tuple[Label, ...] = Field(min_length=1)
    mask_weights: str | None = None


class CaptionTask(_Task):
    """A description of the page, or of the region `box` (fractions x0, y0, x1, y1); `prompt` may hold {style}, {lang} and {box}."""

    type: Literal["caption"]
    lang: str = Field(default="en", pattern=r"^[a-z]{2,3}$")
    style: Literal["cap", "caption", "describe"] = "caption"
    box: tuple[float, float, float, float] | None = None
    max_tokens: int = Field(default=128, ge=1, le=4096)

    @model_validator(mode="after")
    def _box_is_on_the_page(self) -> "CaptionTask":
        if self.box and not (0 <= self.box[0] < self.box[2] <= 1 and 0 <= self.box[1] < self.box[3] <= 1):
            raise ValueError("`box` holds fractions of the page between 0 and 1: x0, y0, x1, y1, with x0 < x1 and y0 < y1")
        return self


class QuestionTask(_Task):
    """A question to which `answer` is the answer on this page; `prompt` is a template with {lang} and {answer}."""

    type: Literal["question"]
    lang: str = Field(default="en", pattern=r"^[a-z]{2,3}$")
    answer: str = Field(min_length=1, pattern=r"^[^\n]*$")
    max_tokens: int = Field(default=64, ge=1, le=4096)


class Column(Shape):
    """A column of the page's tables: its name in the results, what may stand over it (`header`, else the name), and the type of its cells.

    `choices`, `pattern` and `locale` are as a field's. Rows in which a `required` column is empty are no lines (a sub-total, a note): they
    stay text.
    """

    name: Name
    header: tuple[str, ...] = ()
    type: FieldType = "string"
    choices: tuple[str, ...] = ()
    pattern: Annotated[str | None, AfterValidator(_is_expression)] = None
    locale: Locale | None = None
    required: bool = False

    @model_validator(mode="after")
    def _its_choices_are_an_enums(self) -> "Column":
        _choices_are_for_enums(self.type, self.choices)
        return self

    @property
    def as_field(self) -> AnswerField:
        """Return it as a field with the same values."""
        given = {"type": self.type, "choices": self.choices, "pattern": self.pattern, "locale": self.locale}
        return AnswerField(name=self.name, question=self.name, **given)


class TableTask(_Task):
    """The tables of the page, as HTML with coordinates, x first; cells under the `columns` that are declared have typed values.

    What is asked of is padded white to a square, as for the PaliGemma 2 paper's fine-tunes. `lang` is for dates.
    """

    type: Literal["table"]
    lang: str = Field(default="en", pattern=r"^[a-z]{2,3}$")
    columns: tuple[Column, ...] = ()
    max_tokens: int = Field(default=4096, ge=1, le=8192)

    @model_validator(mode="after")
    def _its_columns_differ(self) -> "TableTask":
        _must_differ("columns", [column.name for column in self.columns])
        return self


class RawTask(_Task):
    """Any prompt of a fine-tuned checkpoint; the answer is kept as it is, under `name`."""

    type: Literal["raw"]
    name: Name
    prompt: str = Field(min_length=1, pattern=r"^[^\n]*$")


Task = Annotated[
    OcrTask | SpotTask | AnswerTask | ReferTask | DetectTask | SegmentTask | CaptionTask | QuestionTask | TableTask | RawTask,
    Field(discriminator="type"),
]
TEXTS = ("ocr", "spot")
"""Types of the tasks that read a page's text, and the keys of what they ask."""
THINGS = ("detect", "segment", "refer")
"""The same of those that find things."""


class Limits(Shape):
    """What one document may cost before it is rejected."""

    bytes: Quantity = 200 * 10**6
    pages: Quantity = 20_000
    pixels: Quantity = 400 * 10**6
    seconds_per_page: float = Field(default=30.0, gt=0)
    memory: Quantity = 2 * 10**9


class Accept(Shape):
    """What a run may fall short of and still exit 0."""

    max_reject_rate: float = Field(default=0.02, ge=0, le=1)


class Canary(Shape):
    """Labelled documents that are read first, every time: unless all of `accept` holds of them, nothing else is read or published.

    `uri` is their folder or prefix; `labels` what `pagemill evaluate` takes for them (`uri` itself holds them where none is named), and
    `accept` bounds as it takes them: `cer<=0.03`, `fields.exact>=0.95`.
    """

    uri: str = Field(min_length=1)
    labels: str | None = Field(default=None, min_length=1)
    accept: tuple[str, ...] = Field(min_length=1)


class Confidence(Shape):
    """How sure values are: `model` is a file that `pagemill evaluate --calibrate` wrote.

    None takes the weights that ship: those of the embedded checkpoint where it reads, or those for all others. A value whose confidence is
    below `settle` climbs to the next rung of the ladder, if there is one. Of text, a view climbs whose tokens have a mean probability below
    `settle_text`; that is no confidence, and what is low depends on the checkpoint.
    """

    model: str | None = None
    settle: float = Field(default=0.0, ge=0, le=1)
    settle_text: float = Field(default=0.0, ge=0, le=1)


class Budget(Shape):
    """What one run may ask of the model. Counted as work is committed: what is under way then comes on top."""

    requests: Quantity | None = None
    tokens: Quantity | None = None


class Stop(Shape):
    """When a run ends before its work is done: `deadline` after its start (`45min`, `7h`), or its budget spent. The next run goes on.

    GPU hours have no key of their own: they are `deadline` times `workers.gpus`.
    """

    deadline: Duration | None = None
    budget: Budget = Budget()


class Workers(Shape):
    """How many machines' worth of work at once; none of it changes a result. `shard` k/n takes the k-th of n parts of the source."""

    gpus: float = Field(default=0, ge=0)
    gpus_per_worker: float = Field(default=1, gt=0)
    cpus: int | None = Field(default=None, ge=1)
    shard: str = Field(default="1/1", pattern=r"^[1-9]\d*/[1-9]\d*$")

    @model_validator(mode="after")
    def _shard_is_one_of_its_parts(self) -> "Workers":
        part, parts = self.shard_of
        if part >= parts:
            raise ValueError(f"shard {self.shard}: the first number counts from 1 to the second")
        return self

    @property
    def shard_of(self) -> tuple[int, int]:
        """Return the shard's index from 0 and how many there are."""
        part, parts = self.shard.split("/")
        return int(part) - 1, int(parts)


class Catalog(Shape):
    """The Iceberg catalog that knows the tables documents, pages and fields: a SQLite file beside them, a REST service or AWS Glue.

    Credentials never stand here: PyIceberg finds them in the environment (PYICEBERG_CATALOG__PAGEMILL__TOKEN, …), and Glue where every
    AWS tool does.
    """

    type: Literal["sqlite", "rest", "glue"] = "sqlite"
    uri: str | None = Field(default=None, min_length=1)
    warehouse: str | None = Field(default=None, min_length=1)
    namespace: str = Field(default="pagemill", pattern=r"^[a-z][a-z0-9_]*$", max_length=128)

    @property
    def said(self) -> str:
        """Return it in a few words."""
        return " ".join(filter(None, [self.type, self.uri, self.warehouse, f"namespace {self.namespace}"]))


class Sink(Shape):
    """Where the datasets go. `catalog` goes with `format: iceberg`."""

    uri: str = Field(min_length=1)
    format: Literal["parquet", "iceberg"] = "parquet"
    catalog: Catalog | None = None


class Job(Shape):
    """A whole job file."""

    name: Name
    source: Source
    model: Model = Model()
    render: Render = Render()
    tasks: tuple[Task, ...] = Field(default=(OcrTask(type="ocr"),), min_length=1)
    limits: Limits = Limits()
    accept: Accept = Accept()
    canary: Canary | None = None
    confidence: Confidence = Confidence()
    stop: Stop = Stop()
    workers: Workers = Workers()
    sink: Sink

    @model_validator(mode="after")
    def _field_names_are_unique(self) -> "Job":
        _must_differ("field names", [field.name for task in self.tasks if task.type == "answer" for field in task.fields])
        return self

    @model_validator(mode="after")
    def _checks_sum_columns_of_numbers(self) -> "Job":
        columns = {column.name: column.type for task in self.tasks if task.type == "table" for column in task.columns}
        numbers = {name for name, kind in columns.items() if _FAMILIES.get(kind) == "number"}
        for check in (cross_check(text) for task in self.tasks if task.type == "answer" for text in task.cross_check):
            if wrong := sorted(check.columns - numbers):
                raise ValueError(
                    f"`cross_check` {check.text!r}: no `table` task declares a column of numbers {', '.join(wrong)}"
                )
        return self
