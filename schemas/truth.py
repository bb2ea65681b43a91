"""What is known to be true of a document: the generator's labels, and what answers are scored against.

Boxes are in points from the top left of the page as a person sees it, scanned pages' skew included.
"""

from typing import Literal

from pydantic import Field, model_validator

from schemas.box import Box, LabelledBox
from schemas.field import FieldValue
from schemas.job import FieldType
from schemas.page import Line
from schemas.shape import Shape
from schemas.table import Table

HUNDREDTHS = 100


class Glyphs(Shape):
    """Every glyph that leaves ink, in the order of the lines: `text` has one character a glyph, and no spaces.

    `places` holds four whole numbers a glyph, x0, y0, x1, y1 in hundredths of a point, flat to stay small. A glyph's box is
    its advance wide and its font size high, from ascender to descender.
    """

    text: str = ""
    places: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _four_numbers_a_glyph(self) -> "Glyphs":
        if len(self.places) != 4 * len(self.text):
            raise ValueError(f"{len(self.text)} glyphs need {4 * len(self.text)} numbers, not {len(self.places)}")
        return self

    def box(self, index: int) -> Box:
        """Return the box of one glyph."""
        x0, y0, x1, y1 = (number / HUNDREDTHS for number in self.places[4 * index : 4 * index + 4])
        return Box(x0=x0, y0=y0, x1=x1, y1=y1)

    def around(self, start: int, stop: int) -> Box:
        """Return the box around the glyphs from `start` to before `stop`, of which there must be one."""
        places = self.places[4 * start : 4 * stop]
        x0, y0, x1, y1 = min(places[0::4]), min(places[1::4]), max(places[2::4]), max(places[3::4])
        return Box(x0=x0 / HUNDREDTHS, y0=y0 / HUNDREDTHS, x1=x1 / HUNDREDTHS, y1=y1 / HUNDREDTHS)


class FieldTruth(Shape):
    """A question and its true answer on one page; `value.status` is "absent" where the page has none."""

    name: str
    question: str
    type: FieldType
    value: FieldValue
    box: Box | None = None


class PageTruth(Shape):
    """One page: lines in reading order (a table is read row by row, one line a cell's line), fields, tables and things."""

    page_index: int
    width_pt: float
    height_pt: float
    rotation: int = 0
    lines: tuple[Line, ...] = ()
    glyphs: Glyphs = Glyphs()
    fields: tuple[FieldTruth, ...] = ()
    tables: tuple[Table, ...] = ()
    boxes: tuple[LabelledBox, ...] = ()

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)

    @property
    def blank(self) -> bool:
        return not self.lines and not self.boxes


class DocumentTruth(Shape):
    """One document. `damage` says what was done to its bytes; a truncated document has no page that can be opened."""

    document_id: str = Field(pattern=r"^[0-9a-f]{64}$")
    kind: str
    finish: str
    split: str
    seed: int
    media_type: str
    language: str
    password: str | None = None
    damage: Literal["truncated"] | None = None
    pages: tuple[PageTruth, ...] = ()
