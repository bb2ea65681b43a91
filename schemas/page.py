"""A row of pages/: all that is known of one page of one source object."""

from datetime import datetime
from typing import Literal

from schemas.box import Box, BoxSource, LabelledBox
from schemas.shape import Shape
from schemas.table import Table
from schemas.witness import Agreement

Stage = Literal["fetch", "open", "render", "infer", "decode", "settle"]
PageStatus = Literal["ok", "blank", "partial", "failed"]
TextSource = Literal["model", "text_layer", "human"]


class Failure(Shape):
    """What could not be done, and why, in words that name the cure; `code` is stable, `task` the task's key if it was one task's."""

    stage: Stage
    code: str
    message: str
    task: str | None = None


class Line(Shape):
    """One line of text and where it stands; the box is None where only the text is known.

    `confidence` is the probability that its text is right, as the run's confidence model weighs how surely its tokens were said. Of a text layer
    that was believed, 0.99, or 0.95 where its letters are too few to tell whether they are the right ones; of what a person corrected, 1. None where
    the engine does not tell.
    """

    text: str
    box: Box | None = None
    box_source: BoxSource | None = None
    confidence: float | None = None


class PartSaid(Shape):
    """How surely one part of an answer was said: how many tokens it took, and their natural log-probabilities and least margin.

    Parts are lines, cells or things, in the order in which they stand in the answer.
    """

    tokens: int
    mean_logprob: float
    least_logprob: float
    least_margin: float | None = None


class CompletionRecord(Shape):
    """A completion as kept: enough to decode it again without the model.

    `view` names the region, `affine` holds its six numbers, so that boxes can be decoded again, and `places` what a region has of that name:
    where its lines of print stand, of tiles that were asked for their text. All three are a schemas.view.Region's, which tells from the name
    whether the view was padded. `parts` are there of answers that list lines, cells or things.
    """

    task: str
    prompt: str
    view: str
    affine: tuple[float, ...]
    rung: int
    raw: str
    finish_reason: str
    tokens: int
    mean_logprob: float | None = None
    least_logprob: float | None = None
    least_margin: float | None = None
    places: tuple[float, ...] = ()
    parts: tuple[PartSaid, ...] = ()


class PageRow(Shape):
    """One page of one source object. Sizes in points; times in UTC; `seconds` is the time this page took in the worker step.

    `rotation` is the PDF's own /Rotate, which sizes and boxes follow already, as every viewer does. A scan that lies on its side, on its
    head or askew is set upright for the model alone: its boxes stay where a viewer shows the print, and completions' maps hold the turn.
    `boxes` holds what `detect`, `segment` and `refer` found, of all of them together, each under its label; a line's or a cell's place stands
    with it. `agreement` is there where a trusted text layer was kept beside the model's text (`text_layer: compare`). Of a page that is
    `partial`, `text`, `tables` and `boxes` may be what some of its views say: `failures` tell of which task, and of how many views.
    """

    page_id: str
    source_id: str
    document_id: str
    source_uri: str
    page_index: int
    width_pt: float | None = None
    height_pt: float | None = None
    rotation: int | None = None
    status: PageStatus
    text: str | None = None
    text_source: TextSource | None = None
    agreement: Agreement | None = None
    lines: tuple[Line, ...] = ()
    tables: tuple[Table, ...] = ()
    boxes: tuple[LabelledBox, ...] = ()
    completions: tuple[CompletionRecord, ...] = ()
    failures: tuple[Failure, ...] = ()
    checkpoint_hash: str | None = None
    engine: str | None = None
    seconds: float
    job_name: str
    run_id: str
    processed_at: datetime
    schema_version: int = 1
