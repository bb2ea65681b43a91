"""Characters as a document's text layer has them, and which of them a person sees."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.documents.ink import Ink
from pipeline.documents.sections import is_one_section, section_at
from schemas.box import Box

_SAME_TONE = 12
"""Print whose tone differs by less from its surroundings is not seen."""
_SMALLEST_PT = 0.8
"""Print less high than this is no print."""
_LARGE = 0.005
"""Print larger than this part of a page is four pixels large on its picture, and may be larger than a section."""

LookAt = Callable[[Box], Ink]
"""Gives the ink of a section of the page, or of the whole of it, which fills the picture."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character. `tone` is its colour's darkest channel, 0 to 255; `painted` is False for the invisible render mode or clear ink."""

    text: str
    box: tuple[float, float, float, float]
    tone: int
    painted: bool
    covered: bool = False


@dataclass(frozen=True, slots=True)
class GlyphLine:
    """Characters in a row, in the order they are read; `upright` is False for print that runs up, down or upside down."""

    glyphs: tuple[Glyph, ...]
    upright: bool


def seen(lines: Sequence[GlyphLine], page: Box, look_at: LookAt) -> tuple[list[GlyphLine], int]:
    """Return the lines of what a person sees, and how many characters, spaces aside, nobody does.

    A character is hidden if it is not painted, lies outside the page (in points) or behind an image, is too small, or leaves no ink of its own.
    """
    glyphs = [glyph for line in lines for glyph in line.glyphs]
    if not glyphs:
        return [], 0
    visible = iter(_visible(glyphs, page, look_at).tolist())
    hidden = 0
    kept: list[GlyphLine] = []
    for line in lines:
        shown = [glyph for glyph in line.glyphs if next(visible)]
        hidden += sum(1 for glyph in line.glyphs if not glyph.text.isspace()) - sum(
            1 for glyph in shown if not glyph.text.isspace()
        )
        if any(not glyph.text.isspace() for glyph in shown):
            kept.append(GlyphLine(tuple(shown), line.upright))
    return kept, hidden


def _visible(glyphs: Sequence[Glyph], page: Box, look_at: LookAt) -> NDArray[np.bool_]:
    """Look at large print on the picture of the whole page; at other print section by section, as that of 200 inches does not show it."""
    if is_one_section(page):
        return _visible_in(page, glyphs, look_at(page))
    by_section: defaultdict[Box, list[int]] = defaultdict(list)
    for index, (x0, y0, x1, y1) in enumerate(glyph.box for glyph in glyphs):
        is_large = max(x1 - x0, y1 - y0) > _LARGE * max(page.width, page.height)
        by_section[page if is_large else section_at(page, (x0 + x1) / 2, (y0 + y1) / 2)].append(index)
    visible = np.zeros(len(glyphs), dtype=np.bool_)
    for section, indices in by_section.items():
        visible[indices] = _visible_in(section, [glyphs[index] for index in indices], look_at(section))
    return visible


def _visible_in(section: Box, glyphs: Sequence[Glyph], ink: Ink) -> NDArray[np.bool_]:
    boxes = np.array([glyph.box for glyph in glyphs], dtype=np.float64)
    tones = np.array([glyph.tone for glyph in glyphs], dtype=np.float64)
    spaces = np.array([glyph.text.isspace() for glyph in glyphs])
    painted = np.array([glyph.painted and not glyph.covered for glyph in glyphs])
    centre_x, centre_y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    inside = (centre_x >= section.x0) & (centre_x <= section.x1) & (centre_y >= section.y0) & (centre_y <= section.y1)
    longer = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    legible = longer >= _SMALLEST_PT
    within = boxes - np.tile([section.x0, section.y0], 2)
    pixels = within * np.tile([ink.edges.shape[1] / section.width, ink.edges.shape[0] / section.height], 2)
    contrast = (ink.edges_in(pixels) > 0) & ~(
        (tones > 255 - 4 * _SAME_TONE) & (np.abs(ink.tone_in(pixels) - tones) < _SAME_TONE)
    )
    return np.asarray(painted & inside & (spaces | (legible & contrast)))
