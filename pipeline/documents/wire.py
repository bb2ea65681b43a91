"""Messages between the machine and the child that reads documents: a length of four bytes, then JSON.

JSON and not pickle, because the child may have been taken over by the document it reads: what comes from it is data, checked
against the shape that is expected, and can never be code. Pixels go through shared memory instead.
"""

import struct
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from pipeline.documents.textlayer import TextLayer
from schemas.job import Limits, Tiling
from schemas.shape import Shape
from schemas.view import Region

HEADER = struct.Struct(">I")
LARGEST_MESSAGE = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Opened:
    """A document that opens: its media type by content, its pages (a TIFF's frames), and whether it was broken and had to be repaired."""

    media_type: str
    page_count: int
    is_repaired: bool = False


@dataclass(frozen=True, slots=True)
class PageProbe:
    """What is known of a page before a model sees it; sizes in points as a person sees it, `rotation` the PDF's own /Rotate.

    The print of a scan lies turned clockwise by `turn_deg` (0, 90, 180, 270) and by `skew_deg` more; regions undo both.
    """

    page_index: int
    width_pt: float
    height_pt: float
    rotation: int
    is_blank: bool
    text_layer: TextLayer | None
    turn_deg: int = 0
    skew_deg: float = 0.0


class Start(Shape):
    """The first message: what the child may use."""

    limits: Limits


class OpenDocument(Shape):
    """Open the file, and close the one before."""

    do: Literal["open"] = "open"
    path: str
    passwords: tuple[str, ...]


class PageOrder(Shape):
    """What is asked of a page; `lent` are the sheets that must not be drawn on, as the parent still reads them."""

    page_index: int
    lent: tuple[int, ...] = ()


class ProbePage(PageOrder):
    """Describe a page; `go_on` says that the page after it is wanted, too."""

    do: Literal["probe"] = "probe"
    text_layer: bool
    go_on: bool


class RenderPage(PageOrder):
    """Render views of a page into the shared memory, each resolution × resolution × 3 bytes."""

    do: Literal["render"] = "render"
    affines: tuple[tuple[float, float, float, float, float, float], ...]
    resolution: int


class DividePage(PageOrder):
    """Say which parts of a page the model should look at, should it lie turned clockwise by `turn_deg` more than it seems to."""

    do: Literal["divide"] = "divide"
    tiling: Tiling
    resolution: int
    turn_deg: Literal[0, 90, 180, 270] = 0


class Refusal(Shape):
    """What could not be done; `fatal` says that the child ends after this answer, since its memory cannot be trusted."""

    code: str
    message: str
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """The child has started."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The child's reply: exactly one of these is set; `rendered` says at which byte of the shared memory each view begins."""

    refusal: Refusal | None = None
    opened: Opened | None = None
    probe: PageProbe | None = None
    regions: tuple[Region, ...] | None = None
    rendered: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    ready: Ready | None = None


Order = OpenDocument | ProbePage | RenderPage | DividePage

answers: TypeAdapter[Answer] = TypeAdapter(Answer)
orders: TypeAdapter[Order] = TypeAdapter(Order)


def frame(payload: bytes) -> bytes:
    """Return the payload with its length in front."""
    return HEADER.pack(len(payload)) + payload
