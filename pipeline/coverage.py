"""Which parts of a page views show, and which of them show what: by points spread evenly over each, so that views may lie as they like. Pure."""

from collections.abc import Iterable, Sequence

from schemas.view import Affine

COVERED = 0.6
"""A view is shown again by others when they show so much of it: tiles of two rungs are never cut alike."""
TOUCHED = 0.04
_GRID = tuple(((2 * column + 1) / 16, (2 * row + 1) / 16) for row in range(8) for column in range(8))


def is_covered(view: Affine, by: Sequence[Affine]) -> bool:
    """Return whether other views together show a view again."""
    return _share(view, by) >= COVERED


def touches(view: Affine, parts: Iterable[Affine]) -> bool:
    """Return whether a view shows more than a margin of any of the parts, or lies in one."""
    return any(_share(part, (view,)) > TOUCHED or _share(view, (part,)) > TOUCHED for part in parts)


def _share(view: Affine, by: Sequence[Affine]) -> float:
    """Return how much of a view others show; a flat one shows nothing."""
    others = [each for each in by if each.a * each.d != each.b * each.c]
    seen = sum(any(_holds(other, view.point(u, v)) for other in others) for u, v in _GRID)
    return seen / len(_GRID)


def _holds(view: Affine, point: tuple[float, float]) -> bool:
    u, v = view.fraction(*point)
    return 0 <= u <= 1 and 0 <= v <= 1
