"""Things on a page that are not type: logos, signatures, stamps, and boxes to tick. Each is recorded under its label."""

import math
from random import Random

from jobs.synth.canvas import Canvas, Colour, Point, Turn, around, hull
from jobs.synth.faces import Face, Pen
from schemas.box import Box

_INKS: tuple[Colour, ...] = ((0.05, 0.1, 0.45), (0.0, 0.0, 0.0), (0.1, 0.1, 0.3))
_STAMPS: tuple[Colour, ...] = ((0.75, 0.1, 0.1), (0.1, 0.2, 0.65), (0.1, 0.45, 0.2))


def logo(rng: Random, canvas: Canvas, x: float, top: float, size: float, colour: Colour) -> Box:
    """Draw a mark of one to three plain shapes in a square of `size`."""
    tint: Colour = (0.5 + colour[0] / 2, 0.5 + colour[1] / 2, 0.5 + colour[2] / 2)
    middle: Point = (x + size / 2, top + size / 2)
    kind = rng.randrange(5)
    if kind == 0:
        canvas.area(_ring(middle, size / 2, 48), colour)
        canvas.area(_ring(middle, size * rng.uniform(0.2, 0.32), rng.choice((3, 4, 6, 48))), (1, 1, 1))
    elif kind == 1:
        canvas.area([(x, top + size), (x + size / 2, top), (x + size, top + size)], colour)
        canvas.area([(x + size * 0.3, top + size), (x + size * 0.5, top + size * 0.55), (x + size * 0.7, top + size)], tint)
    elif kind == 2:
        canvas.rectangle(Box(x0=x, y0=top, x1=x + size * 0.62, y1=top + size * 0.62), fill=colour)
        canvas.rectangle(Box(x0=x + size * 0.38, y0=top + size * 0.38, x1=x + size, y1=top + size), fill=tint)
    elif kind == 3:
        canvas.area(_ring(middle, size / 2, rng.choice((5, 6, 8))), colour)
    else:
        for bar in range(3):
            left, height = x + bar * size * 0.36, size * (0.45 + 0.275 * bar)
            canvas.rectangle(
                Box(x0=left, y0=top + size - height, x1=left + size * 0.28, y1=top + size), fill=(colour, tint, colour)[bar]
            )
    box = Box(x0=round(x, 3), y0=round(top, 3), x1=round(x + size, 3), y1=round(top + size, 3))
    canvas.label("logo", box)
    return box


def signature(rng: Random, canvas: Canvas, x: float, top: float, width: float, height: float) -> Box:
    """Draw a line as a hand would, within the rectangle."""
    strokes = rng.randrange(5, 11)
    heights = [1.0, *(rng.uniform(0.25, 0.9) for _ in range(strokes))]
    loop, steps = rng.uniform(0.5, 1.3) / strokes, 16
    points: list[Point] = []
    for step in range(strokes * steps):
        stroke, along = step // steps, step / (strokes * steps)
        angle = 2 * math.pi * step / steps
        tall = heights[stroke] + (heights[stroke + 1] - heights[stroke]) * (step % steps) / steps
        across = 0.08 + 0.75 * along + 0.25 * loop * math.sin(angle)
        down = 0.6 - 0.5 * tall * math.cos(angle) * (1 - 0.4 * along)
        points.append((x + width * across, top + height * down))
    points.append((x + width, top + height * rng.uniform(0.3, 0.9)))
    canvas.path(points, rng.uniform(0.9, 1.6), rng.choice(_INKS))
    box = around([hull(points)], pad=1.0)
    canvas.label("signature", box)
    return box


def stamp(rng: Random, canvas: Canvas, x: float, top: float, text: str, second: str = "") -> Box:
    """Draw a framed word, a little askew, as an office stamp leaves it; `x` and `top` are the unturned frame's."""
    colour = rng.choice(_STAMPS)
    pen = Pen(Face("sans", bold=True), rng.uniform(13, 17), colour)
    below = Pen(Face("sans"), 8.5, colour)
    width = max(pen.width(text), below.width(second)) + 18
    height = pen.size + 12 + (below.size + 2 if second else 0)
    turn = Turn(x + width / 2, top + height / 2, rng.uniform(-7, 7))
    frames = [_frame(x + inset, top + inset, width - 2 * inset, height - 2 * inset, turn) for inset in (0.0, 2.5)]
    for frame, thickness in zip(frames, (1.6, 0.6), strict=True):
        canvas.path(frame, thickness, colour, closed=True)
    canvas.text(x + width / 2, top + 6, text, pen, "centre", turn)
    if second:
        canvas.text(x + width / 2, top + 8 + pen.size, second, below, "centre", turn)
    box = around([hull(frames[0])], pad=0.8)
    canvas.label("stamp", box)
    return box


def tick(rng: Random, canvas: Canvas, x: float, top: float, size: float, *, on: bool) -> Box:
    """Draw a box to tick, ticked or crossed when `on`."""
    box = Box(x0=x, y0=top, x1=x + size, y1=top + size)
    canvas.rectangle(box, stroke=(0, 0, 0), width=0.8)
    if on and rng.random() < 0.5:
        canvas.path(
            [(x + size * 0.15, top + size * 0.55), (x + size * 0.4, top + size * 0.85), (x + size * 0.9, top + size * 0.1)],
            1.5,
            (0, 0, 0),
        )
    elif on:
        canvas.path([(x + size * 0.15, top + size * 0.15), (x + size * 0.85, top + size * 0.85)], 1.4, (0, 0, 0))
        canvas.path([(x + size * 0.85, top + size * 0.15), (x + size * 0.15, top + size * 0.85)], 1.4, (0, 0, 0))
    return box


def _ring(middle: Point, radius: float, corners: int) -> list[Point]:
    turns = [2 * math.pi * corner / corners - math.pi / 2 for corner in range(corners)]
    return [(middle[0] + radius * math.cos(angle), middle[1] + radius * math.sin(angle)) for angle in turns]


def _frame(x: float, top: float, width: float, height: float, turn: Turn) -> list[Point]:
    return [turn.point(*corner) for corner in ((x, top), (x + width, top), (x + width, top + height), (x, top + height))]
