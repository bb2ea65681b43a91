"""Lines of print that touch, where a page is set so tight that tails of one reach the next: taken apart where there is least ink between them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_TALL, _LONG = 3.2, 6.0
"""What is higher than this and longer than that, in heights of its letters, may be several lines: one reaches 2.5 of them, with its tails."""
_LOW = 2.0
"""What is no higher than this, in the usual height of the page's letters, is looked at no further: even notes are higher, two lines of them."""
_LEAST_LETTERS = 12
"""Fewer do not tell how high a line is."""
_LEAST_LINE = 0.8
"""A line is at least so high, in heights of its letters."""
_THIN = 0.3
"""Between two lines there is less ink than this part of what is in a line, row by row."""
_TAILS, _ALIKE = 0.3, 0.5
"""Tails reach so far into the next line, in the height of the lower one; one that is so much lower than the other is a dot or an accent."""


def parted(
    boxes: NDArray[np.int32], of: NDArray[np.int32], ink: NDArray[np.uint8], letters: NDArray[np.int32]
) -> list[tuple[int, int, int, int]]:
    """Return the boxes of print, x0, y0, x1, y1 in pixels, those of several lines line by line.

    `boxes` (n, 4) and `letters` (m, 4) are x, y, width and height; `of` says of each pixel to which box it belongs, counted from 1.
    """
    found: list[tuple[int, int, int, int]] = []
    middles = letters[:, :2] + letters[:, 2:] / 2
    usual = float(np.median(letters[:, 3])) if len(letters) else 0.0
    for index, (x, y, across, down) in enumerate(boxes.tolist()):
        if down <= _LOW * usual:
            found.append((x, y, x + across, y + down))
            continue
        is_in = (np.abs(middles - (x + across / 2, y + down / 2)) <= (across / 2, down / 2)).all(axis=1)
        height = float(np.median(letters[is_in, 3])) if is_in.sum() >= _LEAST_LETTERS else np.inf
        if down <= _TALL * height or across <= _LONG * height:
            found.append((x, y, x + across, y + down))
            continue
        part = (of[y : y + down, x : x + across] == index + 1) & (ink[y : y + down, x : x + across] > 0)
        for top, bottom in pairwise([0, *_cuts(part.sum(axis=1), height), down]):
            columns = np.flatnonzero(part[top:bottom].any(axis=0))
            found.append((x + int(columns[0]), y + top, x + int(columns[-1]) + 1, y + bottom))
    return found


def untangled(boxes: Sequence[tuple[float, float, float, float]]) -> list[tuple[float, float, float, float]]:
    """Return boxes x0, y0, x1, y1, those of lines one under another cut in the middle of what their tails share."""
    rest = [list(box) for box in sorted(boxes, key=lambda box: box[1])]
    for index, upper in enumerate(rest):
        for lower in rest[index + 1 :]:
            if lower[1] >= upper[3]:
                break
            low, high = sorted((upper[3] - upper[1], lower[3] - lower[1]))
            is_beside = lower[0] >= upper[2] or lower[2] <= upper[0]
            if not is_beside and low >= _ALIKE * high and upper[3] - lower[1] <= _TAILS * low:
                upper[3] = lower[1] = (upper[3] + lower[1]) / 2
    return [(x0, y0, x1, y1) for x0, y0, x1, y1 in rest]


def _cuts(rows: NDArray[np.int64], height: float) -> list[int]:
    """Return where rows of so much ink each are cut, in the thinnest row of each stretch of thin ones that leaves lines on both sides."""
    full = float(np.median(rows[rows > np.median(rows)])) if rows.any() else 0.0
    thin = np.flatnonzero(rows < _THIN * full)
    cuts: list[int] = []
    for stretch in np.split(thin, np.flatnonzero(np.diff(thin) > 1) + 1):
        if not len(stretch):
            continue
        row = int(stretch[np.argmin(rows[stretch])])
        if row - (cuts[-1] if cuts else 0) >= _LEAST_LINE * height and len(rows) - row >= _LEAST_LINE * height:
            cuts.append(row)
    return cuts
