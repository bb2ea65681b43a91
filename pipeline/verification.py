"""Verify: where a field asks for it, the place of its value is read again, alone and as text, and whether the value stands there is a signal.

What is read this way changes no value: it speaks for it or against it (schemas.signals, `box`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.ascent import Ascent
from pipeline.desk import Desk
from pipeline.errors import DocumentError, StorageError
from pipeline.questions import Question
from pipeline.readings import record
from pipeline.serving import Meter, Serving
from pipeline.settle import Circumstances, verification_key
from pipeline.tasks import ocr
from pipeline.tasks.base import Ask
from schemas.box import Box
from schemas.field import FieldRow
from schemas.job import OcrTask, Task
from schemas.view import Affine, Region, Request, View

_PAD_PT = 6.0
_SLIMMEST = 1 / 3
"""A crop's shorter side is no less of the longer, as print that is drawn much wider than high cannot be read."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """How places are read again: by the job's own way of reading text, in views of a resolution, on a rung, within the requests of a page."""

    ask: Ask
    resolution: int
    rung: int
    most: int | None

    def verify(
        self, pages: Sequence[tuple[Ascent, list[Question]]], given: Circumstances, desk: Desk, serving: Serving, meter: Meter
    ) -> None:
        """Read the places of these questions' values again and put down what stands there; where a page cannot be had, nothing is."""
        shown = [(page, question, view) for page, asked in pages for question, view in self._crops(page, asked, given, desk)]
        requests = [Request(view, self.ask.prompt, self.ask.max_tokens) for _, _, view in shown]
        meter.rungs += [0] * (self.rung + 1 - len(meter.rungs))
        meter.rungs[self.rung] += len(requests)
        meter.verified += len(requests)
        for (page, question, view), completion in zip(shown, serving.generate(requests, meter), strict=True):
            ask = replace(self.ask, key=verification_key(question.ask))
            page.verified[question.ask.key] = record(ask, view.region, self.rung, completion)

    def _crops(self, page: Ascent, asked: Sequence[Question], given: Circumstances, desk: Desk) -> list[tuple[Question, View]]:
        """Return a view of the place of each value that has one, as far as the page's requests go."""
        wanted = [each for each in asked if each.ask.key not in page.verified and page.records.get(each.ask.key)]
        rows = {f"answer.{row.name}": row for row in page.rows(page.unit.origins[0], given, 0.0).fields} if wanted else {}
        placed = [
            (each, crop(row, page)) for each in wanted if (row := rows.get(each.ask.key)) and row.box and row.status == "ok"
        ]
        if self.most is not None:
            placed = placed[: max(self.most - page.spent, 0)]
        page.spent += len(placed)
        try:
            if not placed or desk.lay(page.unit):
                return []
            views = desk.shown(page.unit.document_id, page.facts, [region for _, region in placed], self.resolution)
        except (DocumentError, StorageError):
            return []  # the value stands as it was read; that it was not verified shows in its signals
        return [(each, view) for (each, _), view in zip(placed, views, strict=True)]


def verifier(tasks: Sequence[Task], resolution: int, rung: int, most: int | None) -> Verifier:
    """Return the verifier of a job's tasks."""
    own = next((task for task in tasks if task.type == "ocr"), OcrTask(type="ocr"))
    return Verifier(ocr.ask(own), resolution, rung, most)


def crop(row: FieldRow, page: Ascent) -> Region:
    """Return what is shown of a value's place, which must be known: the box with some white around, upright where its page lies askew."""
    if row.box is None:
        raise ValueError("a value without a place cannot be read there again")
    said = page.records[f"answer.{row.name}"][-1].affine
    turn = Affine(*said).turn() if said else None
    name = f"place of {row.name}"
    if turn:
        back = turn.back()
        return Region(name, Affine.of_box(_grown(back.box(row.box.x0, row.box.y0, row.box.x1, row.box.y1))).then(turn))
    return Region(name, Affine.of_box(_within(_grown(row.box), page.facts.width_pt or 0.0, page.facts.height_pt or 0.0)))


def _grown(box: Box) -> Box:
    width, height = box.width + 2 * _PAD_PT, box.height + 2 * _PAD_PT
    across, down = max(width, height * _SLIMMEST) / 2, max(height, width * _SLIMMEST) / 2
    x, y = box.middle
    return Box(x0=x - across, y0=y - down, x1=x + across, y1=y + down)


def _within(box: Box, width_pt: float, height_pt: float) -> Box:
    """Return the part of a box that lies on a page."""
    return Box(x0=max(box.x0, 0.0), y0=max(box.y0, 0.0), x1=min(box.x1, width_pt), y1=min(box.y1, height_pt))
