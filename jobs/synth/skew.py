"""An affine map of a page onto itself, and truth carried through it, so that scans' boxes lie where their pixels do."""

import math
from dataclasses import dataclass

import numpy as np

from schemas.box import Box
from schemas.truth import PageTruth


@dataclass(frozen=True, slots=True)
class Skew:
    """Map a point, in points: x' = a·x + c·y + e, y' = b·x + d·y + f."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    @classmethod
    def about(cls, x: float, y: float, degrees: float, scale: float, shift: tuple[float, float]) -> "Skew":
        """Return a turn (clockwise as seen) and scaling about a point, then a shift."""
        cosine = scale * math.cos(math.radians(degrees))
        sine = scale * math.sin(math.radians(degrees))
        return cls(cosine, sine, -sine, cosine, x - cosine * x + sine * y + shift[0], y - sine * x - cosine * y + shift[1])

    @classmethod
    def stretch(cls, across: float, down: float) -> "Skew":
        """Return a plain scaling."""
        return cls(across, 0.0, 0.0, down, 0.0, 0.0)

    def inverse(self) -> "Skew":
        """Return the map back."""
        area = self.a * self.d - self.b * self.c
        a, b, c, d = self.d / area, -self.b / area, -self.c / area, self.a / area
        return Skew(a, b, c, d, -(a * self.e + c * self.f), -(b * self.e + d * self.f))

    def box(self, box: Box) -> Box:
        """Return the upright box around a mapped box."""
        x0, y0, x1, y1 = self.boxes(np.array([[box.x0, box.y0, box.x1, box.y1]]))[0].round(3).tolist()
        return Box(x0=x0, y0=y0, x1=x1, y1=y1)

    def boxes(
        self, boxes: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    ) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Return the upright boxes around mapped boxes; both of shape (n, 4)."""
        xs, ys = boxes[:, [0, 0, 2, 2]], boxes[:, [1, 3, 1, 3]]
        across, down = self.a * xs + self.c * ys + self.e, self.b * xs + self.d * ys + self.f
        return np.stack([across.min(1), down.min(1), across.max(1), down.max(1)], axis=1)

    def truth(self, page: PageTruth) -> PageTruth:
        """Return the page's truth with every box mapped; the page keeps its size."""
        places = self.boxes(np.array(page.glyphs.places, dtype=np.float64).reshape(-1, 4) / 100) * 100
        glyphs = page.glyphs.model_copy(update={"places": tuple(places.round().astype(int).ravel().tolist())})
        return page.model_copy(
            update={
                "glyphs": glyphs,
                "lines": tuple(line.model_copy(update={"box": line.box and self.box(line.box)}) for line in page.lines),
                "fields": tuple(field.model_copy(update={"box": field.box and self.box(field.box)}) for field in page.fields),
                "boxes": tuple(thing.model_copy(update={"box": self.box(thing.box)}) for thing in page.boxes),
                "tables": tuple(
                    table.model_copy(
                        update={
                            "box": table.box and self.box(table.box),
                            "cells": tuple(
                                cell.model_copy(update={"box": cell.box and self.box(cell.box)}) for cell in table.cells
                            ),
                        }
                    )
                    for table in page.tables
                ),
            }
        )
