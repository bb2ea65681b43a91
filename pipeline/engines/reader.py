"""What a perfect reader would answer to one view of a page whose truth is known: exactly what the view shows, no more.

A glyph, line, value or thing is in a view when its middle is, so tiles that share an edge share nothing else. Where edges tear, as they
do for a model, a glyph is read as far as the view shows its ink: one that is cut is taken for another, and a sliver is not seen. Pure.
"""

from collections.abc import Iterator, Sequence

from pipeline.tasks import detect, spot, table
from schemas.box import Box
from schemas.page import Line
from schemas.table import Table
from schemas.truth import FieldTruth, PageTruth
from schemas.view import Affine

UNANSWERABLE = "unanswerable"
_VIEW = Affine(1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_BARE_ACROSS, _BARE_DOWN = 0.1, 0.25
"""A glyph's box reaches from ascender to descender and over its whole advance: this much of it on each side is seldom inked."""
_READ, _SEEN = 0.75, 0.3
"""The share of its ink that makes a glyph known, and that makes it seen, as some other character."""
_CUT_ACROSS, _CUT_DOWN = "l", "-"
"""What is left of a glyph beside an edge at its side looks like a stem; above or below one, like a stroke."""


def read(page: PageTruth, affine: Affine, prompt: str, *, torn: bool = False) -> str | None:
    """Return the answer to a prompt, or None to a prompt of no task that is known here; `torn`: text is read as its edges allow."""
    if prompt == "ocr":
        return "\n".join(line.text for line in visible_lines(page, affine, torn=torn))
    if prompt == "spot":
        return spot.encode(list(visible_lines(page, affine, in_view=True, torn=torn)), _VIEW)
    if prompt.startswith("detect "):
        labels = {label.strip() for label in prompt.removeprefix("detect ").split(";")}
        return detect.encode([item for item in page.boxes if item.label in labels and _shows(affine, item.box)], affine)
    if prompt == "table":
        return table.encode([item for item in page.tables if _whole(item, affine)], affine)
    asked = [field for field in page.fields if field.question in prompt]
    if asked:
        return _value(max(asked, key=lambda field: len(field.question)), page, affine)
    return UNANSWERABLE if prompt.startswith("answer ") else None


def visible_lines(page: PageTruth, affine: Affine, *, in_view: bool = False, torn: bool = False) -> Iterator[Line]:
    """Yield the part of each line that the view shows, with the box of that part; lines that it does not show are left out.

    Boxes are in points of the page, or `in_view` in fractions of the view, in which lines of a page that lies askew are level.
    """
    start = 0
    for line in page.lines:
        inked = sum(not character.isspace() for character in line.text)
        boxes = [page.glyphs.box(start + index) for index in range(inked)]
        if shown := _shown(line.text, boxes, affine, in_view=in_view, torn=torn):
            yield shown
        start += inked


def _shown(text: str, boxes: Sequence[Box], affine: Affine, *, in_view: bool, torn: bool) -> Line | None:
    kept: list[str] = []
    around: Box | None = None
    following = iter(boxes)
    back = affine.back()
    for character in text:
        if character.isspace():
            kept.append(" ")
            continue
        box = next(following)
        place = back.box(box.x0, box.y0, box.x1, box.y1)
        seen = _torn(character, place) if torn else character if _shows(affine, box) else None
        if seen:
            kept.append(seen)
            place = _within(place) if in_view else box
            around = place if around is None else around.union(place)
    return None if around is None else Line(text=" ".join("".join(kept).split()), box=around)


def _torn(character: str, place: Box) -> str | None:
    """Return what a glyph is taken for whose box is at a place in the view, in fractions of it; None if it is not seen."""
    across = _part_seen(place.x0, place.x1, _BARE_ACROSS)
    down = _part_seen(place.y0, place.y1, _BARE_DOWN)
    if across * down >= _READ:
        return character
    if across * down < _SEEN:
        return None
    return _CUT_ACROSS if across < down else _CUT_DOWN


def _part_seen(start: float, end: float, bare: float) -> float:
    """Return which part of a glyph's ink, from its start to its end but for what is bare, lies in the view."""
    margin = bare * (end - start)
    start, end = start + margin, end - margin
    if end <= start:
        return float(0 <= start < 1)
    return max(0.0, min(end, 1.0) - max(start, 0.0)) / (end - start)


def _within(place: Box) -> Box:
    return Box(x0=max(place.x0, 0.0), y0=max(place.y0, 0.0), x1=min(place.x1, 1.0), y1=min(place.y1, 1.0))


def _value(field: FieldTruth, page: PageTruth, affine: Affine) -> str:
    text = field.value.value_text
    if field.value.status != "ok" or text is None:
        return UNANSWERABLE
    if field.box is not None:
        return text if _shows(affine, field.box) else UNANSWERABLE
    return text if any(text in line.text for line in visible_lines(page, affine)) else UNANSWERABLE


def _whole(item: Table, affine: Affine) -> bool:
    """Return whether every cell can be seen: a table with cells missing has no form to be written in."""
    return all(_shows(affine, cell.box) for cell in item.cells if cell.box)


def _shows(affine: Affine, box: Box) -> bool:
    u, v = affine.fraction((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    return 0 <= u < 1 and 0 <= v < 1
