"""Strokes on a page that are no print: rules and borders, the frames of a form's fields, and the boxes that a person ticks.

It knows only where there is ink: 255 in an array of shape (height, width), with so many pixels a point across and down.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.documents.ink import components, mask_of

_RULE_PT = 40.0
"""Strokes longer than this are rules or borders and no print."""
_SIDE_PT, _STEM_PT = 28.0, 2.5
"""The sides of a field in a form are shorter, but thinner than the stems of letters of that height."""
_BREAK_PT = 5.0
"""A scan breaks a faint rule between columns by up to this; its pieces stand in one line, and nothing is beside them."""
_SHORT_PT = 5.0
"""Sides of a low field, or what a scan has left of them, are as short as stems, but they stand on a rule, or hang from one."""
_TICK_PT = 6.0, 16.0
"""How large the little boxes are that a person ticks."""
_STRAIGHT, _SQUARE = 0.85, 0.2
"""Letters have no four straight sides, this much of each inked; a box is as high as it is wide, but for so much."""
_BAR_PT, _FULL = 5.0, 0.9
"""What is so thick and so full of ink is no letter: stems are thinner, and else letters have white in them."""
_STAMP_PT, _EMPTY = ((28.0, 14.0), (160.0, 72.0)), 0.2
"""From how wide and high to how wide and high a stamp's frame is, which is not level, and how little of what it surrounds it inks."""


def rules(ink: NDArray[np.uint8], fx: float, fy: float) -> NDArray[np.uint8]:
    """Return 255 on long straight strokes, which are no letters, also where a scan has frayed or broken them."""
    across = _strokes(ink, (3, 1), (1, max(3, round(_RULE_PT * fx))))
    down = _strokes(ink, (1, 3), (max(3, round(_RULE_PT * fy)), 1))
    return across | down | _sides(ink, _SIDE_PT, fx, fy) | _broken(ink, fx, fy)


def frames(ink: NDArray[np.uint8], fx: float, fy: float) -> NDArray[np.uint8]:
    """Return 255 on what is hardly print: low fields' sides, boxes to tick, bars and stamps' frames.

    Now and then a letter is taken for one of them, as an `l` or a colon that stands on a rule.
    """
    across = _strokes(ink, (3, 1), (1, max(3, round(_RULE_PT * fx))))
    boxes = _boxes(ink, fx, fy)
    return boxes | _touching(_sides(ink, _SHORT_PT, fx, fy), across) if across.any() else boxes


def _strokes(ink: NDArray[np.uint8], athwart: tuple[int, int], along: tuple[int, int]) -> NDArray[np.uint8]:
    thick = cv2.dilate(ink, np.ones(athwart, np.uint8))
    return np.asarray(cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones(along, np.uint8)), dtype=np.uint8)


def _broken(ink: NDArray[np.uint8], fx: float, fy: float) -> NDArray[np.uint8]:
    """Return the pieces of upright rules: together they are long and thin, and touch nothing else, as stems under one another do."""
    thick = cv2.dilate(ink, np.ones((1, 3), np.uint8))
    whole = np.asarray(
        cv2.morphologyEx(thick, cv2.MORPH_CLOSE, np.ones((max(3, round(_BREAK_PT * fy)), 1), np.uint8)), dtype=np.uint8
    )
    labels, stats = components(whole)
    is_rule = (stats[:, 2] <= _STEM_PT * fx + 2) & (stats[:, 3] >= _RULE_PT * fy)
    is_rule[0] = False
    return mask_of(labels, is_rule)


def _sides(ink: NDArray[np.uint8], least_pt: float, fx: float, fy: float) -> NDArray[np.uint8]:
    """Return the upright strokes of some length that are thinner than stems."""
    sides = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((max(3, round(least_pt * fy)), 1), np.uint8))
    stems = cv2.morphologyEx(sides, cv2.MORPH_OPEN, np.ones((1, max(3, round(_STEM_PT * fx))), np.uint8))
    return np.asarray(cv2.subtract(sides, stems), dtype=np.uint8)


def _boxes(ink: NDArray[np.uint8], fx: float, fy: float) -> NDArray[np.uint8]:
    """Return the little squares of forms with all that stands in them, what is full of ink, as a logo's bars are, and what is all but empty."""
    labels, stats = components(ink)
    across, down = stats[:, 2] / fx, stats[:, 3] / fy
    low, high = _TICK_PT
    sized = (np.minimum(across, down) >= low) & (across <= high) & (abs(across - down) < _SQUARE * across)
    full = (np.minimum(across, down) >= _BAR_PT) & (stats[:, 4] >= _FULL * stats[:, 2] * stats[:, 3])
    (wide, tall), (widest, tallest) = _STAMP_PT
    hollow = (across >= wide) & (across <= widest) & (down >= tall) & (down <= tallest)
    hollow &= stats[:, 4] < _EMPTY * stats[:, 2] * stats[:, 3]
    full[0] = hollow[0] = sized[0] = False  # the paper
    boxes = mask_of(labels, full | hollow)
    for label in np.flatnonzero(sized & ~full):
        x, y, width, height, _ = stats[label]
        mark = labels[y : y + height, x : x + width] == label
        sides = (mark[:3].any(axis=0), mark[-3:].any(axis=0), mark[:, :3].any(axis=1), mark[:, -3:].any(axis=1))
        if min(side.mean() for side in sides) >= _STRAIGHT:
            boxes[y : y + height, x : x + width] = 255
    return boxes


def _touching(strokes: NDArray[np.uint8], flat: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the strokes that meet a flat rule."""
    labels, stats = components(strokes)
    met = np.zeros(len(stats), dtype=np.bool_)
    met[labels[cv2.dilate(flat, np.ones((5, 3), np.uint8)) > 0]] = True
    met[0] = False
    return mask_of(labels, met)
