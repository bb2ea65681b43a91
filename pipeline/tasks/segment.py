"""Task segment: boxes of the labels, and their masks where a mask decoder is given.

The model writes a mask as 16 codes; what they look like only the VQ-VAE weights know (see masks.py), so without them the box is all.
A decoded mask is 64 × 64, above 0 where the thing is, and is spread over its box by bilinear sampling through the view's map, so a mask
from a turned or skewed view comes out upright.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.tasks.base import Ask
from pipeline.tasks.found import Found, Labelled, ask_for
from pipeline.tasks.rle import encode_rle
from schemas.box import Box, LabelledBox
from schemas.job import SegmentTask
from schemas.view import Affine

PROMPT = "segment {labels}"

MaskDecoder = Callable[[Sequence[int]], NDArray[np.float32]]
"""From 16 codes to a mask of shape (64, 64), above 0 where the thing is."""

_LONGEST_SIDE = 2048


def ask(task: SegmentTask, masks: MaskDecoder | None = None) -> Ask:
    """Return the question for all labels of the task at once."""
    template, weights = task.prompt or PROMPT, task.mask_weights or ""
    return ask_for("segment", task.labels, template, task.max_tokens, masked(masks), masks=True, weights=weights)


def masked(masks: MaskDecoder | None) -> Labelled:
    """Return what puts a thing on the page: its box, and its mask where there is a decoder."""

    def labelled(thing: Found, affine: Affine) -> LabelledBox:
        box = affine.box(*thing.place)
        rle = encode_rle(spread(masks(thing.codes), thing.place, affine, box)) if masks else None
        return LabelledBox(label=thing.label, box=box, mask_rle=rle)

    return labelled


def spread(mask: NDArray[np.float32], place: tuple[float, float, float, float], affine: Affine, box: Box) -> NDArray[np.bool_]:
    """Return the mask over a raster of the page's box of about one pixel a point, at most 2048 a side.

    `place` is where the mask lies in the view, in fractions (u0, v0, u1, v1).
    """
    columns, rows = (min(max(1, round(side)), _LONGEST_SIDE) for side in (box.width, box.height))
    x = box.x0 + (np.arange(columns) + 0.5) / columns * box.width
    y = box.y0 + (np.arange(rows) + 0.5) / rows * box.height
    u, v = _fractions(affine, x[np.newaxis, :], y[:, np.newaxis])
    u0, v0, u1, v1 = place
    s, t = (u - u0) / (u1 - u0), (v - v0) / (v1 - v0)
    inside = (s >= 0) & (s <= 1) & (t >= 0) & (t <= 1)
    return (_bilinear(mask, s, t) > 0) & inside


def _fractions(
    affine: Affine, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the fractions of the view under page points; a flat map, which shows nothing, gives NaN."""
    flat = affine.a * affine.d - affine.b * affine.c or math.nan
    dx, dy = x - affine.e, y - affine.f
    return (affine.d * dx - affine.c * dy) / flat, (affine.a * dy - affine.b * dx) / flat


def _bilinear(mask: NDArray[np.float32], s: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sample the mask at fractions (s across, t down); pixels have their values at their centres."""
    rows, columns = mask.shape
    across = np.nan_to_num(np.clip(s * columns - 0.5, 0, columns - 1))
    down = np.nan_to_num(np.clip(t * rows - 0.5, 0, rows - 1))
    left, top = np.floor(across).astype(int), np.floor(down).astype(int)
    right, bottom = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    wide, deep = across - left, down - top
    upper = mask[top, left] * (1 - wide) + mask[top, right] * wide
    lower = mask[bottom, left] * (1 - wide) + mask[bottom, right] * wide
    return np.asarray(upper * (1 - deep) + lower * deep, dtype=np.float64)
