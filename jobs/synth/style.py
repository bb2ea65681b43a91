"""The look of one document: its page, type and colours, drawn once and kept throughout."""

from dataclasses import dataclass
from random import Random

from jobs.synth.canvas import Canvas, Colour
from jobs.synth.faces import Face, Family, Pen

Size = tuple[float, float]
A4: Size = (595.0, 842.0)
LETTER: Size = (612.0, 792.0)
A5: Size = (420.0, 595.0)
HALF_LETTER: Size = (396.0, 612.0)

BLACK: Colour = (0.0, 0.0, 0.0)
_ACCENTS: tuple[Colour, ...] = (
    BLACK,
    (0.1, 0.2, 0.5),
    (0.5, 0.1, 0.1),
    (0.05, 0.35, 0.25),
    (0.25, 0.25, 0.3),
    (0.4, 0.15, 0.45),
)
_SCALE = {A4: 1.0, LETTER: 1.0, A5: 0.95, HALF_LETTER: 0.95}


@dataclass(frozen=True, slots=True)
class Style:
    """One document's page size and margin in points, its type families, body size and accent colour."""

    page: Size
    margin: float
    family: Family
    heading: Family
    size: float
    accent: Colour

    @classmethod
    def draw(cls, rng: Random, pages: tuple[Size, ...] = (A4, LETTER, A5, HALF_LETTER)) -> "Style":
        """Draw a style for one of the page sizes."""
        page = rng.choice(pages)
        family: Family = rng.choices(("sans", "serif", "mono"), (5, 4, 2))[0]
        heading: Family = family if rng.random() < 0.7 else rng.choice(("sans", "serif"))
        size = round(rng.uniform(9.5, 12.5) * _SCALE[page] * (0.92 if family == "mono" else 1.0), 1)
        return cls(page, round(page[0] * rng.uniform(0.07, 0.1), 1), family, heading, size, rng.choice(_ACCENTS))

    @property
    def body(self) -> Pen:
        return Pen(Face(self.family), self.size)

    @property
    def strong(self) -> Pen:
        return Pen(Face(self.family, bold=True), self.size)

    @property
    def small(self) -> Pen:
        return Pen(Face(self.family), max(8.0, round(self.size * 0.85, 1)))

    @property
    def title(self) -> Pen:
        return Pen(Face(self.heading, bold=True), round(self.size * 1.9, 1), self.accent)

    @property
    def subtitle(self) -> Pen:
        return Pen(Face(self.heading, bold=True), round(self.size * 1.2, 1), self.accent)

    @property
    def leading(self) -> float:
        """Return the distance of one line of the body to the next, in points."""
        return 1.35 * self.size

    @property
    def left(self) -> float:
        return self.margin

    @property
    def right(self) -> float:
        return self.page[0] - self.margin

    @property
    def bottom(self) -> float:
        return self.page[1] - self.margin

    @property
    def width(self) -> float:
        return self.right - self.left

    def sheet(self) -> Canvas:
        """Return an empty page."""
        return Canvas(*self.page)
