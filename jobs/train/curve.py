"""A picture of how the loss fell, drawn with Pillow: the one picture of a training is not worth a plotting library."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

_SIZE, _MARGIN = (960, 540), (70, 30, 20, 50)
_INK, _FAINT, _LINE = (30, 30, 30), (215, 215, 215), (20, 90, 170)
_SMOOTH = 50
_TICKS = 5


def draw_curve(losses: Sequence[float], path: Path, title: str) -> None:
    """Write a PNG of the loss a step, faint, and its running mean."""
    picture = Image.new("RGB", _SIZE, "white")
    pen = ImageDraw.Draw(picture)
    left, top, right, bottom = _MARGIN[0], _MARGIN[1], _SIZE[0] - _MARGIN[2], _SIZE[1] - _MARGIN[3]
    highest = max(max(losses, default=1.0), 1e-9)
    for tick in range(_TICKS + 1):
        y = bottom - (bottom - top) * tick / _TICKS
        pen.line([(left, y), (right, y)], fill=_FAINT)
        pen.text((left - 8, y), f"{highest * tick / _TICKS:.3g}", fill=_INK, anchor="rm")
        x = left + (right - left) * tick / _TICKS
        pen.text((x, bottom + 8), f"{round(len(losses) * tick / _TICKS)}", fill=_INK, anchor="mt")
    pen.text((left, 8), f"{title}: loss a token, by step", fill=_INK)

    def placed(values: Sequence[float]) -> list[tuple[float, float]]:
        span = max(1, len(values) - 1)
        return [(left + (right - left) * n / span, bottom - (bottom - top) * value / highest) for n, value in enumerate(values)]

    if len(losses) > 1:
        pen.line(placed(losses), fill=_FAINT)
        pen.line(placed(_running_mean(losses)), fill=_LINE, width=2)
    picture.save(path)


def _running_mean(losses: Sequence[float]) -> list[float]:
    window = min(_SMOOTH, max(1, len(losses) // 10))
    sums = np.cumsum(np.concatenate([[0.0], losses]))
    ends = np.arange(1, len(losses) + 1)
    starts = np.maximum(0, ends - window)
    return [float(mean) for mean in (sums[ends] - sums[starts]) / (ends - starts)]
