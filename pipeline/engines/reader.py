"""What a perfect reader would answer to one view of a page whose truth is known: exactly what the view shows, no more.

A value or thing is in a view when its middle is; glimpse.py says which glyphs are. Pure.
"""

from collections.abc import Iterator, Sequence

from pipeline.engines.glimpse import shows, taken_for, within
from pipeline.engines.table_reader import visible_tables
from pipeline.tasks import detect, spot, table
from pipeline.tasks.unanswerable import UNANSWERABLE
from schemas.box import Box
from schemas.page import Line
from schemas.truth import FieldTruth, PageTruth
from schemas.view import Affine

_VIEW = Affine(1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def read(page: PageTruth, affine: Affine, prompt: str, *, torn: bool = False, frame: Affine | None = None) -> str | None:
    """Return the answer to a prompt, or None to a prompt of no task that is known here; `torn`: text is read as its edges allow.

    `affine` maps what is shown of the page, `frame` all of the view, where that is more: places count in it.
    """
    if prompt == "ocr":
        return "\n".join(line.text for line in visible_lines(page, affine, torn=torn))
    view = frame.then(affine.back()) if frame else _VIEW
    if prompt == "spot":
        return spot.encode(list(visible_lines(page, affine, in_view=True, torn=torn)), view)
    if prompt.startswith("detect "):
        labels = {label.strip() for label in prompt.removeprefix("detect ").split(";")}
        return detect.encode([item for item in page.boxes if item.label in labels and shows(affine, item.box)], frame or affine)
    if prompt == "table":
        return table.encode(visible_tables(page, affine, torn=torn), view)
    asked = [field for field in page.fields if field.question in prompt]
    if asked:
        return _value(max(asked, key=lambda field: len(field.question)), page, affine)
    return UNANSWERABLE if prompt.startswith("answer ") else None


def visible_lines(page: PageTruth, affine: Affine, *, in_view: bool = False, torn: bool = False) -> Iterator[Line]:
    """Yield the part of each line that the view shows, with the box of that part; lines that it does not show are left out.

    Boxes are in points of the page, or `in_view` in fractions of the view, in which lines of a page that lies askew are level.
    """
    start, back = 0, affine.back()
    for line in page.lines:
        stop = start + sum(not character.isspace() for character in line.text)
        if stop > start and _reaches(page.glyphs.around(start, stop), back):  # most lines of a page lie in none of a tile
            boxes = [page.glyphs.box(index) for index in range(start, stop)]
            if shown := _shown(line.text, boxes, back, in_view=in_view, torn=torn):
                yield shown
        start = stop


def _reaches(box: Box, back: Affine) -> bool:
    """Return whether any of a box of the page may lie in the view; `back` maps the page to it."""
    place = back.box(box.x0, box.y0, box.x1, box.y1)
    return place.x0 < 1 and place.x1 >= 0 and place.y0 < 1 and place.y1 >= 0


def _shown(text: str, boxes: Sequence[Box], back: Affine, *, in_view: bool, torn: bool) -> Line | None:
    kept: list[str] = []
    around: Box | None = None
    following = iter(boxes)
    for character in text:
        if character.isspace():
            kept.append(" ")
            continue
        box = next(following)
        place = back.box(box.x0, box.y0, box.x1, box.y1)
        if seen := taken_for(character, place, torn=torn):
            kept.append(seen)
            place = within(place) if in_view else box
            around = place if around is None else around.union(place)
    return None if around is None else Line(text=" ".join("".join(kept).split()), box=around)


def _value(field: FieldTruth, page: PageTruth, affine: Affine) -> str:
    text = field.value.value_text
    if field.value.status != "ok" or text is None:
        return UNANSWERABLE
    if field.box is not None:
        return text if shows(affine, field.box) else UNANSWERABLE
    return text if any(text in line.text for line in visible_lines(page, affine)) else UNANSWERABLE
