"""What is printed where, from a picture of a page; it knows neither documents nor text layers.

A picture here is RGB uint8 of shape (height, width, 3) that shows the whole page, possibly with its aspect changed.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
"""Boxes as rows x0, y0, x1, y1."""

_EDGE = 10
"""Neighbouring pixels of a page without noise differ by less; faint print differs by more."""


@dataclass(frozen=True, slots=True)
class Ink:
    """Sums over any box of the page at once (summed areas), in pixels of the picture. `edges` is True where neighbours differ."""

    edges: NDArray[np.bool_]
    edge_sums: NDArray[np.float64]
    tone_sums: NDArray[np.float64]

    @classmethod
    def of(cls, picture: NDArray[np.uint8]) -> "Ink":
        """Look at a picture once."""
        edges = _edges(picture)
        return cls(edges, _summed(edges.astype(np.uint8)), _summed(darkest(picture)))

    def edges_in(self, boxes: Boxes) -> NDArray[np.float64]:
        """Return how many edge pixels lie in each box."""
        return _sums(self.edge_sums, *_whole(boxes, self.edges.shape))

    def tone_in(self, boxes: Boxes) -> NDArray[np.float64]:
        """Return the mean of the darkest channel in each box, 0 to 255."""
        x0, y0, x1, y1 = _whole(boxes, self.edges.shape)
        return _sums(self.tone_sums, x0, y0, x1, y1) / ((x1 - x0) * (y1 - y0))


def _summed(values: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(cv2.integral(values, sdepth=cv2.CV_64F), dtype=np.float64)


def darkest(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the darkest channel of every pixel, in which coloured print is dark too: shape (height, width)."""
    red, green, blue = cv2.split(picture)
    return np.asarray(cv2.min(cv2.min(red, green), blue), dtype=np.uint8)


def components(marks: NDArray[np.uint8]) -> tuple[NDArray[np.integer[Any]], NDArray[np.int32]]:
    """Return the label of each pixel, 0 where there is no mark, and OpenCV's row of each label: x, y, width, height, area.

    Marks that touch at a corner are one. Labels of 16 bits take less than half the time, and suffice on all but noise.
    """
    try:
        _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(marks, 8, cv2.CV_16U, cv2.CCL_SPAGHETTI)
    except cv2.error:  # more than 65,535 labels
        _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(marks, 8, cv2.CV_32S, cv2.CCL_SPAGHETTI)
    return np.asarray(labels), np.asarray(stats, dtype=np.int32)


def mask_of(labels: NDArray[np.integer[Any]], kept: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return 255 where a pixel's label, of `components`, is one of those kept, and 0 elsewhere."""
    if labels.dtype != np.uint16:
        return np.where(kept, 255, 0).astype(np.uint8).take(labels)
    table = np.zeros(2**16, np.uint8)
    table[: len(kept)][kept] = 255
    return np.asarray(cv2.LUT(labels, table), dtype=np.uint8)


def _edges(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    edges = np.zeros(picture.shape[:2], dtype=bool)
    for channel in cv2.split(picture):
        edges[:, 1:] |= cv2.absdiff(channel[:, 1:], channel[:, :-1]) > _EDGE
        edges[1:, :] |= cv2.absdiff(channel[1:], channel[:-1]) > _EDGE
    return edges


def _whole(
    boxes: Boxes, shape: tuple[int, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return the pixels that the boxes touch, at least one each."""
    x0 = np.clip(np.floor(boxes[:, 0]), 0, shape[1] - 1).astype(np.intp)
    y0 = np.clip(np.floor(boxes[:, 1]), 0, shape[0] - 1).astype(np.intp)
    x1 = np.clip(np.ceil(boxes[:, 2]), x0 + 1, shape[1]).astype(np.intp)
    y1 = np.clip(np.ceil(boxes[:, 3]), y0 + 1, shape[0]).astype(np.intp)
    return x0, y0, x1, y1


def _sums(
    sums: NDArray[np.float64], x0: NDArray[np.intp], y0: NDArray[np.intp], x1: NDArray[np.intp], y1: NDArray[np.intp]
) -> NDArray[np.float64]:
    return np.asarray(sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0], dtype=np.float64)
