"""What of a page's truth can be read in a part of it: whole words, line by line, each with its box."""

from collections.abc import Iterator

from schemas.box import Box
from schemas.page import Line
from schemas.truth import PageTruth


def lines_within(page: PageTruth, region: Box) -> tuple[Line, ...]:
    """Return the lines as a view of `region` shows them, in reading order: words cut by its edge are left out.

    Boxes stay in page points. A line of which no word is whole is left out too.
    """
    found = []
    glyph = 0
    for line in page.lines:
        words: list[tuple[str, Box]] = []
        for word in line.text.split():
            box = _around(page.glyphs.box(index) for index in range(glyph, glyph + len(word)))
            glyph += len(word)
            if _inside(box, region):
                words.append((word, box))
        if words:
            found.append(Line(text=" ".join(word for word, _ in words), box=_around(box for _, box in words)))
    return tuple(found)


def _around(boxes: Iterator[Box]) -> Box:
    around = next(boxes)
    for box in boxes:
        around = around.union(box)
    return around


def _inside(box: Box, region: Box) -> bool:
    return box.x0 >= region.x0 and box.y0 >= region.y0 and box.x1 <= region.x1 and box.y1 <= region.y1
