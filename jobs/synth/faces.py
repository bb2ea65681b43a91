"""The six type faces of the generator's documents: three families, regular and bold, all of PDF's base 14.

It knows widths, not pages. The fonts are never embedded: every PDF reader has them.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import pymupdf

from pipeline.checkpoints.alphabet import ALPHABET

Family = Literal["sans", "serif", "mono"]
ASCENT = 0.78
"""How far a line's box reaches above the baseline, in font sizes; with DESCENT it makes a box of exactly the font size."""
DESCENT = 0.22

_CODES = {
    ("sans", False): "helv",
    ("sans", True): "hebo",
    ("serif", False): "tiro",
    ("serif", True): "tibo",
    ("mono", False): "cour",
    ("mono", True): "cobo",
}


@dataclass(frozen=True, slots=True)
class Face:
    """A family, regular or bold."""

    family: Family = "sans"
    bold: bool = False

    @property
    def code(self) -> str:
        """Return PyMuPDF's name of the font."""
        return _CODES[self.family, self.bold]

    def advances(self, text: str, size: float) -> list[float]:
        """Return each character's advance, in points. Raises KeyError for one that is not in the alphabet."""
        advances = _advances(self.code)
        return [advances[character] * size for character in text]

    def width(self, text: str, size: float) -> float:
        """Return the text's width, in points."""
        return sum(self.advances(text, size))


@dataclass(frozen=True, slots=True)
class Pen:
    """How text is written: face, size in points, colour as red, green and blue from 0 to 1."""

    face: Face = Face()
    size: float = 10.0
    colour: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def width(self, text: str) -> float:
        """Return the text's width, in points."""
        return self.face.width(text, self.size)


@cache
def _advances(code: str) -> dict[str, float]:
    """Return the advance of every character of the alphabet, at size 1."""
    font = pymupdf.Font(code)
    return {character: float(font.glyph_advance(ord(character))) for character in ALPHABET}
