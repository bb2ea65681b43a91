"""Views of a picture: bicubic with antialiasing, upright, turned or mirrored, white where the picture ends."""

from math import ceil, hypot

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from schemas.view import Affine

_WHITE = (255, 255, 255)
_CLOSE = 1e-6


def view_of(picture: Image.Image, affine: Affine, resolution: int) -> NDArray[np.uint8]:
    """Return a view, RGB of shape (resolution, resolution, 3), of an RGB picture; `affine` maps view fractions to its pixels.

    Of the whole picture it is exactly `picture.resize((resolution, resolution), BICUBIC)`.
    """
    if not is_parallel(affine):
        return _warped(picture, affine, resolution)
    pixels = _upright(picture, affine, resolution)
    if _is_zero(affine, affine.a):  # a quarter turn: u runs along y
        pixels = pixels.transpose(1, 0, 2)
    if affine.a + affine.b < 0:
        pixels = pixels[:, ::-1]
    if affine.c + affine.d < 0:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def is_parallel(affine: Affine) -> bool:
    """Return whether a view's sides run along the page's, so that it is upright or a quarter turn of it."""
    upright = _is_zero(affine, affine.b) and _is_zero(affine, affine.c)
    return upright or (_is_zero(affine, affine.a) and _is_zero(affine, affine.d))


def _upright(picture: Image.Image, affine: Affine, resolution: int) -> NDArray[np.uint8]:
    """Return what the view shows of the picture, neither turned nor mirrored, with white where the picture ends."""
    box = affine.box(0.0, 0.0, 1.0, 1.0)
    left, right, x0, x1 = _span(box.x0, box.x1, picture.width, resolution)
    top, bottom, y0, y1 = _span(box.y0, box.y1, picture.height, resolution)
    pixels = np.full((resolution, resolution, 3), 255, dtype=np.uint8)
    if left < right and top < bottom:
        shown = picture.resize((right - left, bottom - top), Image.Resampling.BICUBIC, box=(x0, y0, x1, y1))
        pixels[top:bottom, left:right] = np.asarray(shown)
    return pixels


def _span(low: float, high: float, length: int, resolution: int) -> tuple[int, int, float, float]:
    """Return the pixels of a view from `low` to `high` on which a picture of some length lies, and the stretch of it that lies there."""
    step = (high - low) / resolution
    first, last = round((max(low, 0.0) - low) / step), round((min(high, float(length)) - low) / step)
    return first, last, max(low + first * step, 0.0), min(low + last * step, float(length))


def _is_zero(affine: Affine, number: float) -> bool:
    return abs(number) <= _CLOSE * max(abs(affine.a), abs(affine.b), abs(affine.c), abs(affine.d))


def _warped(picture: Image.Image, affine: Affine, resolution: int) -> NDArray[np.uint8]:
    """Shrink what the view shows to about its own scale, which is the antialiasing, then turn it."""
    along_u, along_v = hypot(affine.a, affine.b) / resolution, hypot(affine.c, affine.d) / resolution
    shrink_x, shrink_y = (along_u, along_v) if abs(affine.a) >= abs(affine.b) else (along_v, along_u)
    shrink_x, shrink_y = max(shrink_x, 1.0), max(shrink_y, 1.0)
    shown = affine.box(0.0, 0.0, 1.0, 1.0)
    margin_x, margin_y = 4 * shrink_x, 4 * shrink_y
    x0, y0 = max(int(shown.x0 - margin_x), 0), max(int(shown.y0 - margin_y), 0)
    x1, y1 = min(ceil(shown.x1 + margin_x), picture.width), min(ceil(shown.y1 + margin_y), picture.height)
    if x1 <= x0 or y1 <= y0:
        return np.full((resolution, resolution, 3), 255, dtype=np.uint8)
    width, height = max(1, round((x1 - x0) / shrink_x)), max(1, round((y1 - y0) / shrink_y))
    shrunk = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC, box=(x0, y0, x1, y1)))
    fx, fy = width / (x1 - x0), height / (y1 - y0)
    half = 0.5 / resolution  # a pixel's number is that of its centre, on both sides
    start_x, start_y = affine.point(half, half)
    to_shrunk = np.array(
        [
            [affine.a * fx / resolution, affine.c * fx / resolution, (start_x - x0) * fx - 0.5],
            [affine.b * fy / resolution, affine.d * fy / resolution, (start_y - y0) * fy - 0.5],
        ]
    )
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    turned = cv2.warpAffine(
        shrunk, to_shrunk, (resolution, resolution), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=_WHITE
    )
    return np.asarray(turned, dtype=np.uint8)
