"""What a person corrected while looking at pages, as `pagemill report` saves it and `pagemill rerun --corrections` reads it."""

from datetime import datetime

from pydantic import Field

from schemas.shape import Shape
from schemas.source import page_identity


class _OfPage(Shape):
    """The page is meant in this version of its object; `source_uri` is there for whoever reads the file."""

    source_id: str
    page_index: int = Field(ge=0)
    source_uri: str = ""

    @property
    def page_id(self) -> str:
        return page_identity(self.source_id, self.page_index)


class FieldCorrection(_OfPage):
    """What a field's value truly is, as the page has it; None where the page has none."""

    name: str
    value: str | None = Field(default=None, pattern=r"\S")


class LineCorrection(_OfPage):
    """What a line of text truly says: line number `line` (from 0), which said `before`. An empty `after` takes the line out."""

    line: int = Field(ge=0)
    before: str
    after: str = Field(pattern=r"^[^\n\r]*$")


class Corrections(Shape):
    """A file of corrections. The last one of a thing holds."""

    pagemill: str = Field(default="corrections", pattern="^corrections$")
    sink: str = ""
    made_at: datetime | None = None
    fields: tuple[FieldCorrection, ...] = ()
    lines: tuple[LineCorrection, ...] = ()

    @property
    def pages(self) -> frozenset[tuple[str, int]]:
        """Return the pages that are corrected, by source_id and page_index."""
        return frozenset((each.source_id, each.page_index) for each in (*self.fields, *self.lines))
