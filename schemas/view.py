"""What the model looks at: a square image of a page or of a part of it, and the way back to page points.

These live inside the machine, so they are plain frozen dataclasses; arrays never enter a pydantic shape.
"""

from dataclasses import dataclass, replace
from math import hypot
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from schemas.box import Box

PADDED = "-padded"
"""How the name of a region ends that is shown as it is, and not squeezed."""
_DIVIDED, _STRIP = "-divided", "-strip-"
_ALIKE = 1 / 1800  # half a pixel at 896
_SLIM = 2.0
"""A tile so many times as long as it is high would be squeezed beyond reading: a page's number alone under two columns."""


@dataclass(frozen=True, slots=True)
class Affine:
    """Map (u, v), fractions of a view from its top left, to page points: x = a·u + c·v + e, y = b·u + d·v + f."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    @classmethod
    def of_box(cls, box: Box) -> "Affine":
        """Return the map of an upright crop."""
        return cls(box.width, 0.0, 0.0, box.height, box.x0, box.y0)

    def then(self, other: "Affine") -> "Affine":
        """Return the map that goes through this one first: where this one leads to points of another view, on to the page."""
        (a, b), (c, d), (e, f) = (
            (other.a * x + other.c * y, other.b * x + other.d * y)
            for x, y in ((self.a, self.b), (self.c, self.d), (self.e, self.f))
        )
        return Affine(a, b, c, d, e + other.e, f + other.f)

    def back(self) -> "Affine":
        """Return the map from the page to fractions of the view. The map must not be flat (ZeroDivisionError)."""
        flat = self.a * self.d - self.b * self.c
        e, f = self.fraction(0.0, 0.0)
        return Affine(self.d / flat, -self.b / flat, -self.c / flat, self.a / flat, e, f)

    def squared(self) -> "Affine":
        """Return the map of the square in whose upper left corner this view fits, its shorter side made as long as the other."""
        along, down = hypot(self.a, self.b), hypot(self.c, self.d)
        side = max(along, down)
        across, deep = (side / along, side / down) if along and down else (1.0, 1.0)
        return Affine(self.a * across, self.b * across, self.c * deep, self.d * deep, self.e, self.f)

    def turn(self) -> "Affine | None":
        """Return the turn about the page's origin by which the view lies askew, or on its side; None of an upright view."""
        along = hypot(self.a, self.b)
        if along == 0.0 or (self.b == 0.0 and self.a > 0.0):
            return None
        cosine, sine = self.a / along, self.b / along
        return Affine(cosine, sine, -sine, cosine, 0.0, 0.0)

    def point(self, u: float, v: float) -> tuple[float, float]:
        """Return the page point, in points, under the fraction (u, v) of the view."""
        return self.a * u + self.c * v + self.e, self.b * u + self.d * v + self.f

    def fraction(self, x: float, y: float) -> tuple[float, float]:
        """Return the fraction (u, v) of the view that shows a page point. The map must not be flat (ZeroDivisionError)."""
        flat, dx, dy = self.a * self.d - self.b * self.c, x - self.e, y - self.f
        return (self.d * dx - self.c * dy) / flat, (self.a * dy - self.b * dx) / flat

    def box(self, u0: float, v0: float, u1: float, v1: float) -> Box:
        """Return the upright box on the page around a rectangle of the view."""
        corners = [self.point(u, v) for u in (u0, u1) for v in (v0, v1)]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return Box(x0=min(xs), y0=min(ys), x1=max(xs), y1=max(ys))


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a page to be rendered: `name` is stable over runs ("page", "tile-003", "page-padded").

    `affine` maps the part alone. A view squeezes it into a square; one that is padded shows it as it is, in the upper left corner of a white
    square, which `frame` maps. `places` are the lines of print that were seen in it, in reading order: four fractions of the part each, u0,
    v0, u1, v1, flat. A tile that is too dense to be read in one view is named divided, and is there as its strips too.
    """

    name: str
    affine: Affine
    places: tuple[float, ...] = ()

    @property
    def is_page(self) -> bool:
        """Return whether it is the page as a whole."""
        return self.name.removesuffix(PADDED) == "page"

    @property
    def is_padded(self) -> bool:
        return self.name.endswith(PADDED)

    @property
    def is_divided(self) -> bool:
        """Return whether its text is read in strips."""
        return self.name.removesuffix(PADDED).endswith(_DIVIDED)

    @property
    def is_strip(self) -> bool:
        """Return whether it is a strip of a tile, of which text is read and nothing else."""
        return _STRIP in self.name

    @property
    def is_slim(self) -> bool:
        """Return whether it is a strip, or a tile so much longer than high or higher than long, that it is shown padded whatever is asked."""
        along, down = self._sides
        return self.is_strip or (not self.is_page and max(along, down) > _SLIM * min(along, down))

    @property
    def frame(self) -> Affine:
        """Return the map of all that the view's pixels are: what an answer's places count in."""
        return self.affine.squared() if self.is_padded else self.affine

    @property
    def part(self) -> tuple[float, float]:
        """Return which fractions of the view, along it and down, show the page; the rest of it is white."""
        return self.frame.fraction(*self.affine.point(1.0, 1.0)) if self.is_padded else (1.0, 1.0)

    def divided(self) -> "Region":
        """Return the region by the name that it has where its text is read in strips."""
        return replace(self, name=self.name + _DIVIDED)

    def strip(self, number: int) -> "Region":
        """Return the region by the name of one of its strips."""
        return replace(self, name=f"{self.name}{_STRIP}{number}")

    def shown(self) -> "Region":
        """Return the region as it is shown for a task that squeezes: a slim one is padded all the same."""
        return self.padded() if self.is_slim else self

    def padded(self) -> "Region":
        """Return the region as it is shown without squeezing; itself, where it is square."""
        along, down = self._sides
        is_square = abs(along - down) <= _ALIKE * max(along, down)
        return self if self.is_padded or is_square else replace(self, name=self.name + PADDED)

    @property
    def _sides(self) -> tuple[float, float]:
        """Return the part's sides along the view and down it, in points."""
        return hypot(self.affine.a, self.affine.b), hypot(self.affine.c, self.affine.d)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A rendered region: `image` is RGB uint8 of shape (n, n, 3)."""

    document_id: str
    page_index: int
    region: Region
    image: NDArray[np.uint8]

    @property
    def resolution(self) -> int:
        return int(self.image.shape[0])


@dataclass(frozen=True, slots=True)
class Form:
    """All that an answer may be: one of `choices`, or what a regular `expression` matches as a whole; exactly one of the two is there."""

    choices: tuple[str, ...] = ()
    expression: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A view and a prompt. The prompt has neither image tokens, nor bos, nor the closing newline: the engine adds them.

    With a `form` the engine writes nothing that is not of it. Probabilities are then the model's own without one, but for vLLM's, which are
    those among what the form allows: weights of confidence are of one engine.
    """

    view: View
    prompt: str
    max_tokens: int
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What the engine said to one request.

    `text` keeps `<loc>` and `<seg>` tokens and drops eos; `logprobs` has one natural logarithm a token, eos included as in `token_ids`.
    `margins` has one a token too, of engines that tell: by how much it was likelier than the next best, a difference of logarithms; and so
    have `pieces`, what of the text each token wrote, "" of eos.
    `finish_reason` is "stop" at eos, "length" when `max_tokens` cut it off, "error" when this request alone failed (`error` says how).
    """

    text: str
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    finish_reason: Literal["stop", "length", "error"]
    error: str | None = None
    margins: tuple[float, ...] = ()
    pieces: tuple[str, ...] = ()

    @property
    def mean_logprob(self) -> float | None:
        """Return the mean natural log-probability a token, or None of an empty answer."""
        return sum(self.logprobs) / len(self.logprobs) if self.logprobs else None
