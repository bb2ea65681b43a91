"""Whether a page is blank, from a picture of it; it knows neither documents nor text layers.

A scan of an empty page is not white: paper has a tone and a grain, dust lies on the glass, the page's edge throws a shadow, and
the print of the other side shines through, faint and mirrored. None of that is something on the page; a page number is.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.documents.ink import components

_DRAWN_CONTRAST = 10
"""Of 255. Print that fades into drawn paper more than this cannot be seen."""
_SCANNED_CONTRAST = 56
"""Of 255. Show-through stays below; the faintest print that is meant to be read, a pencil's, is above."""
_MARKED = (np.arange(256) * (254 - _SCANNED_CONTRAST) // 255).astype(np.uint8)
"""For each tone of paper the lightest tone of a mark on it."""
_STRIDE, _ROWS_APART = 7, 56
_MARGIN = 0.02
"""A scan's outermost fringe, where shadows of the paper's edge lie."""
_SHADOW = 0.045
"""What touches that fringe and reaches no further in than this is a shadow too."""
_SPECK_PX = 5
"""Marks of fewer pixels are dust: a full stop of 8 points has about 4 on a page of 900 pixels."""


def is_uniform(picture: NDArray[np.uint8]) -> bool:
    """Say whether nothing at all can be seen; `picture` is RGB of shape (height, width, 3)."""
    # Most pages show something already where few pixels are looked at.
    return _is_even(picture[::_ROWS_APART]) and _is_even(picture[::_STRIDE, ::_STRIDE]) and _is_even(picture)


def _is_even(picture: NDArray[np.uint8]) -> bool:
    return all(int(picture[:, :, band].max()) - int(picture[:, :, band].min()) < _DRAWN_CONTRAST for band in range(3))


def is_blank_paper(tone: NDArray[np.uint8]) -> bool:
    """Say whether a scan shows paper and nothing on it; `tone` is `darkest` of a picture some 900 pixels high."""
    marks = _marks(tone)
    height, width = marks.shape
    if _has_print_amid(marks):
        return False
    deep_x, deep_y = round(_SHADOW * width), round(_SHADOW * height)
    for rows in (slice(0, deep_y), slice(height - deep_y, height)):  # two edges' shadows must not become one mark
        marks[rows, :deep_x] = 0
        marks[rows, width - deep_x :] = 0
    _, stats = components(marks)
    return not any(_is_print(row, width, height) for row in stats[1:])


def _has_print_amid(marks: NDArray[np.uint8]) -> bool:
    """Say whether the page's middle holds a mark that is no dust: most pages show one there, and no shadow reaches so far."""
    height, width = marks.shape
    amid = marks[height * 3 // 8 : height * 5 // 8, width // 8 : width * 7 // 8]
    _, stats = components(np.ascontiguousarray(amid))
    return bool((stats[1:, cv2.CC_STAT_AREA] >= _SPECK_PX).any())


def _marks(tone: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 255 where a pixel is darker by _SCANNED_CONTRAST than the paper around it, as if that were white.

    The paper is what is left when all that is narrower than a twelfth of the page is filled with the brightest around it.
    """
    height, width = tone.shape
    small = cv2.resize(tone, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    side = max(3, max(small.shape) // 12) | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    lightest = cv2.LUT(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), _MARKED)
    return np.asarray(cv2.compare(tone, lightest, cv2.CMP_LE), dtype=np.uint8)


def _is_print(stats: NDArray[np.int32], width: int, height: int) -> bool:
    """Judge one mark by its box and area; `stats` is a row of OpenCV's."""
    x, y, across, down, area = (int(number) for number in stats)
    if area < _SPECK_PX:
        return False
    fringe_x, fringe_y, shadow_x, shadow_y = _MARGIN * width, _MARGIN * height, _SHADOW * width, _SHADOW * height
    left, top, right, bottom = x, y, width - x - across, height - y - down
    in_shadow = (
        (left < fringe_x and x + across < shadow_x)
        or (top < fringe_y and y + down < shadow_y)
        or (right < fringe_x and width - x < shadow_x)
        or (bottom < fringe_y and height - y < shadow_y)
    )
    return not in_shadow
