"""One line of a label file: a page, what is asked of it, and what a model should answer. What `pagemill train` learns from."""

from typing import Literal

from pydantic import Field, model_validator

from schemas.box import Box, LabelledBox
from schemas.page import Line
from schemas.shape import Shape
from schemas.table import Table

LabelTask = Literal["ocr", "spot", "answer", "detect", "refer", "segment", "caption", "question", "table", "raw"]
_NEED_NO_PROMPT = ("ocr", "spot", "detect", "table")


class Label(Shape):
    """A page or image with a true answer.

    `uri` may be relative to the label file. The answer is `target`, or is built from what the page holds, in its points: `lines` (ocr, spot),
    `boxes` (detect; `labels` names what was asked for, also what is not there), `tables` (table). `region` is the part of the page that is
    shown; the whole page, if none. `prompt` may be left out where the task has one of its own.
    """

    uri: str = Field(min_length=1)
    page: int = Field(default=0, ge=0)
    task: LabelTask
    prompt: str | None = Field(default=None, min_length=1, pattern=r"^[^\n]*$")
    target: str | None = None
    region: Box | None = None
    labels: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    boxes: tuple[LabelledBox, ...] = ()
    tables: tuple[Table, ...] = ()

    @model_validator(mode="after")
    def _has_a_question_and_an_answer(self) -> "Label":
        if self.prompt is None and self.task not in _NEED_NO_PROMPT:
            raise ValueError(f"a label of task {self.task} needs its `prompt`")
        if self.task == "detect" and self.prompt is None and not (self.labels or self.boxes):
            raise ValueError("a label of task detect needs `labels`, `boxes` or a `prompt`")
        built = {"ocr": self.lines, "spot": self.lines, "table": self.tables, "detect": (*self.boxes, *self.labels)}
        if self.target is None and not built.get(self.task):
            raise ValueError("a label needs a `target`, or what one is built from: `lines`, `boxes` or `tables`")
        return self
