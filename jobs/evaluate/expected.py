"""One thing that is known to be true of a page, whatever kind of label file said so. It knows nothing of what a run read."""

import re
import unicodedata
from dataclasses import dataclass

from schemas.box import Box, LabelledBox
from schemas.field import FieldValue
from schemas.job import FieldType
from schemas.label import LabelTask
from schemas.table import Table


@dataclass(frozen=True, slots=True)
class Place:
    """Which page is meant: by the document's hash, its uri, its file's name or that without a suffix; the first that is found holds."""

    page_index: int
    document_id: str | None = None
    uri: str | None = None
    name: str | None = None
    stem: str | None = None

    @property
    def document(self) -> str:
        """Return the document as a person would look for it."""
        return self.uri or self.name or self.stem or self.document_id or ""


@dataclass(frozen=True, slots=True)
class Expected:
    """A page, what is asked of it, and what is true.

    Only what belongs to the task is filled. Any of `answers` is right (of ocr and spot, the page's text). A field is asked for by its
    `prompt`, `question` or `name`; `is_absent` says that the page has none. `labels` are those that `boxes` is complete for, None for
    all. `target` is an answer in a model's own words, whose places need the page's size to be understood.
    """

    place: Place
    kind: str
    task: LabelTask
    finish: str | None = None
    prompt: str | None = None
    question: str | None = None
    name: str | None = None
    answers: tuple[str, ...] = ()
    is_absent: bool = False
    value: FieldValue | None = None
    type: FieldType | None = None
    labels: tuple[str, ...] | None = None
    boxes: tuple[LabelledBox, ...] = ()
    tables: tuple[Table, ...] = ()
    target: str | None = None
    region: Box | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that could not be judged, and why."""

    reason: str
    example: str


@dataclass(frozen=True, slots=True)
class Labels:
    """What a label file holds; `left_out` is what stands in it and cannot be judged."""

    form: str
    expected: tuple[Expected, ...]
    left_out: tuple[LeftOut, ...] = ()


def folded(text: str) -> str:
    """Return a name or question as it is compared: its letters and figures, case aside."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def stem(uri: str) -> str:
    """Return a file's name without its folders and its last suffix."""
    return uri.rsplit("/", 1)[-1].rsplit(".", 1)[0]
