"""Which glyphs a view shows, and what one is taken for that its edge cuts. Pure.

A glyph is in a view when its middle is, so views that share an edge share nothing else. Where edges tear, as they do for a model, a glyph is
read as far as the view shows its ink: one that is cut is taken for another, and a sliver is not seen.
"""

from schemas.box import Box
from schemas.view import Affine

_BARE_ACROSS, _BARE_DOWN = 0.1, 0.25
"""A glyph's box reaches from ascender to descender and over its whole advance: this much of it on each side is seldom inked."""
_READ, _SEEN = 0.75, 0.3
"""The share of its ink that makes a glyph known, and that makes it seen, as some other character."""
_CUT_ACROSS, _CUT_DOWN = "l", "-"
"""What is left of a glyph beside an edge at its side looks like a stem; above or below one, like a stroke."""


def taken_for(character: str, place: Box, *, torn: bool) -> str | None:
    """Return what a glyph is read as whose box is at a place in the view, in fractions of it; None if it is not seen."""
    if not torn:
        return character if holds(*place.middle) else None
    across = _part_seen(place.x0, place.x1, _BARE_ACROSS)
    down = _part_seen(place.y0, place.y1, _BARE_DOWN)
    if across * down >= _READ:
        return character
    if across * down < _SEEN:
        return None
    return _CUT_ACROSS if across < down else _CUT_DOWN


def shows(affine: Affine, box: Box) -> bool:
    """Return whether a view shows the middle of a box of the page."""
    return holds(*affine.fraction(*box.middle))


def holds(u: float, v: float) -> bool:
    """Return whether a point, in fractions of the view, lies in it."""
    return 0 <= u < 1 and 0 <= v < 1


def within(place: Box) -> Box:
    """Return what of a place, in fractions of the view, lies in it."""
    return Box(x0=max(place.x0, 0.0), y0=max(place.y0, 0.0), x1=min(place.x1, 1.0), y1=min(place.y1, 1.0))


def _part_seen(start: float, end: float, bare: float) -> float:
    """Return which part of a glyph's ink, from its start to its end but for what is bare, lies in the view."""
    margin = bare * (end - start)
    start, end = start + margin, end - margin
    if end <= start:
        return float(0 <= start < 1)
    return max(0.0, min(end, 1.0) - max(start, 0.0)) / (end - start)
