"""The sections in which a page too large for one picture is looked at: none is larger than A0, on whose picture print shows.

They lie side by side and cover the page; of most pages there is one. It knows no document.
"""

from collections.abc import Iterable, Iterator
from math import ceil

import numpy as np

from schemas.box import Box

_A0_PT = 3370.0


def section_at(page: Box, x: float, y: float) -> Box:
    """Return the section in which a point lies, or the nearest to one off the page; `page` begins at (0, 0)."""
    columns, rows = _counts(page)
    return _section(
        page, min(max(int(x * columns / page.width), 0), columns - 1), min(max(int(y * rows / page.height), 0), rows - 1)
    )


def sections_under(page: Box, boxes: Iterable[Box]) -> Iterator[Box]:
    """Yield the sections that any of the boxes touches, row by row."""
    columns, rows = _counts(page)
    touched = np.zeros((rows, columns), dtype=bool)
    for box in boxes:
        x0, x1 = (np.clip(x * columns / page.width, 0, columns - 1) for x in (box.x0, box.x1))
        y0, y1 = (np.clip(y * rows / page.height, 0, rows - 1) for y in (box.y0, box.y1))
        touched[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1] = True
    for row, column in np.argwhere(touched).tolist():
        yield _section(page, column, row)


def is_one_section(page: Box) -> bool:
    """Return whether the page is small enough to be looked at as a whole."""
    return _counts(page) == (1, 1)


def _counts(page: Box) -> tuple[int, int]:
    return ceil(page.width / _A0_PT), ceil(page.height / _A0_PT)


def _section(page: Box, column: int, row: int) -> Box:
    columns, rows = _counts(page)
    width, height = page.width / columns, page.height / rows
    return Box(x0=column * width, y0=row * height, x1=(column + 1) * width, y1=(row + 1) * height)
