"""The seam between a task and the machine: what to ask, and what an answer means.

Pure: no I/O, no clock. A decoder takes any string whatever and never raises.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from schemas.box import LabelledBox
from schemas.field import FieldValue
from schemas.job import AnswerField
from schemas.page import Line
from schemas.table import Table
from schemas.view import Affine, Completion, Form


@dataclass(frozen=True, slots=True)
class Reading:
    """What one completion means: a value, `absent` (a result: the page has no such thing), or a reject with its stable code.

    Boxes are in page points already. Only what the task yields is filled; a reject carries nothing, but where it is that of some views of a
    page: then what the others say. `value` is there for every answer, whatever the verdict: it is the row of fields/, whose status says ok,
    absent, invalid (read, but not of its type) or rejected.
    """

    verdict: Literal["value", "absent", "reject"]
    code: str | None = None
    message: str | None = None
    text: str | None = None
    lines: tuple[Line, ...] = ()
    tables: tuple[Table, ...] = ()
    boxes: tuple[LabelledBox, ...] = ()
    value: FieldValue | None = None

    @property
    def says_something(self) -> bool:
        """Return whether any of it can be used."""
        return self.verdict != "reject" or self.text is not None or bool(self.tables or self.boxes)


Decoder = Callable[[Completion, Affine], Reading]
"""Reads what was said to a view; the map is that of all its pixels (schemas.view.Region.frame)."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a page: a task, or one field of an answer task.

    `key` names it in rows ("ocr", "answer.total", "detect", "raw.toc"); `rephrased` are prompts that ask the same in other words, in turn
    where it is not answered, or all of them to `confirm` an answer; `version` counts the decoder's changes of meaning, and
    `settings` is what else of the job its decoder goes by (labels, mask weights), so that a fingerprint can cover it. With a `form` the engine
    writes nothing else. What `is_padded` is shown views that are padded white to a square; all else is shown views squeezed into one. What
    `is_text` is shown strips of dense tiles instead of the tiles.
    """

    key: str
    prompt: str
    max_tokens: int
    decode: Decoder = field(compare=False)
    version: int = 1
    answer_field: AnswerField | None = None
    settings: str = ""
    rephrased: tuple[str, ...] = ()
    confirm: bool = False
    form: Form | None = None
    is_padded: bool = False
    is_text: bool = False

    @property
    def prompts(self) -> tuple[str, ...]:
        """Return every prompt, in the order in which they are asked."""
        return (self.prompt, *self.rephrased)
