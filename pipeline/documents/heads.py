"""Whether print stands on its head, from a picture of its letters alone; it knows no documents.

Three things tell, and none of them alone: Latin words are dense down to their base line, more of their letters rise above the body of a word
than hang below it, and their lines begin below one another and end where they end. Hebrew, Georgian and the scripts of India are dense at
the top, Cyrillic hangs more than it rises, Arabic and Hebrew begin at the right; capitals and figures neither rise nor hang. So a page is said
to stand on its head only where all agree, which leaves a page as it is in a script that this does not know.
"""

from dataclasses import dataclass
from math import sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.documents.ink import components

_WORD_GAP_PT = 4.0
WIDEST_GAP_PT = 14.0
"""Letters that are no further apart than this may be of one line."""
_FEWEST_WORDS = 10
_FEWEST_LINES = 4
_HIGHEST_PX = 60
_BODY = 0.5
"""A word's body are the rows with at least this part of the ink that its three fullest have."""
_LEVEL_PX = 1.5
"""Lines that begin so close to one another begin below one another."""

_RISING = 0.0035
"""The least part of the ink by which more must rise than hang. Statements, full of figures, have 0.004; letters 0.02 to 0.06."""
_RISING_SHARE = 0.3
_RISING_SIGMAS = 1.5
_DENSE = -0.02
_ALIGNED = 0.02
_MUCH_DENSER, _MUCH_RISING, _MUCH_ALIGNED = 0.1, 0.01, 0.1


def is_on_its_head(letters: NDArray[np.uint8], fx: float, fy: float) -> bool:
    """Say whether print whose lines run across is plainly on its head, from a picture that is dark where there is ink.

    `fx` and `fy` are pixels a point. Of too few words nothing is said.
    """
    words = _words(letters, fx, fy)
    if words is None:
        return False
    least = max(_RISING, _RISING_SHARE * words.apart, _RISING_SIGMAS * words.rising_error)
    hang = words.rising <= -least and words.dense <= -_DENSE
    return hang and _aligned(letters, fx) <= -_ALIGNED  # looked at last, since it takes long


def is_rather_on_its_head(letters: NDArray[np.uint8], fx: float, fy: float) -> bool:
    """Say so where one of the two must be said; how lines are aligned, which scripts share, counts twice."""
    words = _words(letters, fx, fy)
    if words is None:
        return False
    said = (
        (words.dense, _MUCH_DENSER, 1),
        (words.rising, _MUCH_RISING, 1),
        (_aligned(letters, fx), _MUCH_ALIGNED, 2),
    )
    return sum(weight * min(max(value / much, -1.0), 1.0) for value, much, weight in said) < 0


@dataclass(frozen=True, slots=True)
class _Words:
    """How much the shapes of words speak for print as it stands, above 0 if Latin print stands on its feet, below if on its head.

    `dense` is how much more sharply words end below than above, from -1 to 1; `rising` how much more of the ink lies above the bodies of
    words than below, `rising_error` its standard error, `apart` the ink that lies either above or below.
    """

    dense: float
    rising: float
    rising_error: float
    apart: float


def _words(letters: NDArray[np.uint8], fx: float, fy: float) -> _Words | None:
    """Look at the words; None if they are too few."""
    x, y, width, height = _runs(letters, _WORD_GAP_PT * fx)
    are_words = (height >= 4) & (height < _HIGHEST_PX) & (width / fx >= 1.5 * height / fy)
    if are_words.sum() < _FEWEST_WORDS:
        return None
    x, y, width, height = x[are_words], y[are_words], width[are_words], height[are_words]
    rows = _rows(letters, x, y, width, height)
    shares = width / width.sum()
    steps = np.diff(rows, axis=1, prepend=0, append=0)
    dense = -(steps**3).sum(axis=1) / np.maximum((np.abs(steps) ** 3).sum(axis=1), 1e-9)
    above, below = _apart(rows)
    rising = float((shares * (above - below)).sum())
    error = sqrt(float((shares**2 * (above - below - rising) ** 2).sum()))
    return _Words(float((shares * dense).sum()), rising, error, float((shares * (above + below)).sum()))


def _runs(letters: NDArray[np.uint8], gap_px: float) -> NDArray[np.int32]:
    """Return the boxes of letters joined over such gaps along a line: x, y, width and height, of shape (4, count)."""
    across = max(3, round(gap_px)) | 1
    marks = cv2.threshold(letters, 0, 255, cv2.THRESH_BINARY)[1]
    joined = cv2.morphologyEx(marks, cv2.MORPH_CLOSE, np.ones((1, across), np.uint8))
    return components(np.asarray(joined, dtype=np.uint8))[1][1:, :4].T


def _rows(
    letters: NDArray[np.uint8], x: NDArray[np.int32], y: NDArray[np.int32], width: NDArray[np.int32], height: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return the ink in each row of each word, from two rows above it to two below, and 0 after that: (words, rows)."""
    margin = _HIGHEST_PX + 4
    sums = cv2.integral(cv2.copyMakeBorder(letters, 2, margin, 0, 0, cv2.BORDER_CONSTANT, value=0), sdepth=cv2.CV_32S)
    numbers = np.arange(int(height.max()) + 5)
    tops = y[:, None] + numbers
    upto = sums[tops, (x + width)[:, None]] - sums[tops, x[:, None]]
    rows = np.asarray(np.diff(upto, axis=1), dtype=np.float64)
    rows[numbers[None, :-1] >= height[:, None] + 4] = 0
    return rows


def _apart(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the part of each word's ink that lies above and below its body, the blurred row next to it left out."""
    fullest = np.sort(rows, axis=1)[:, -3:].mean(axis=1)
    body = rows >= _BODY * fullest[:, None]
    first = body.argmax(axis=1)[:, None]
    last = rows.shape[1] - 1 - body[:, ::-1].argmax(axis=1)[:, None]
    numbers = np.arange(rows.shape[1])
    whole = rows.sum(axis=1)
    return (rows * (numbers < first - 1)).sum(axis=1) / whole, (rows * (numbers > last + 1)).sum(axis=1) / whole


def _aligned(letters: NDArray[np.uint8], fx: float) -> float:
    """Return how many more lines begin where two others do than end where two others do, from -1 to 1: above 0 if print stands on its feet."""
    x, _, width, height = _runs(letters, WIDEST_GAP_PT * fx)
    are_lines = (height >= 4) & (width >= 1.5 * height)
    if are_lines.sum() < _FEWEST_LINES:
        return 0.0
    begins, ends = x[are_lines], (x + width)[are_lines]
    return _below_one_another(begins) - _below_one_another(ends)


def _below_one_another(edges: NDArray[np.int32]) -> float:
    ordered = np.sort(edges)
    near = np.searchsorted(ordered, edges + _LEVEL_PX, "right") - np.searchsorted(ordered, edges - _LEVEL_PX, "left")
    return float((near >= 3).mean())
