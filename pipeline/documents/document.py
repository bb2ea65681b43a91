"""An open document, as the child sees it: what pdf.py and image.py both offer, and choosing between the two."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from pipeline.documents.picture import Pixels
from pipeline.documents.pose import Pose
from pipeline.documents.sheets import NewSheet, own_sheet
from pipeline.documents.sniff import HEAD_BYTES, media_type
from pipeline.documents.wire import PageProbe
from pipeline.errors import DocumentError
from schemas.box import Box
from schemas.job import Limits
from schemas.view import Affine


class Document(Protocol):
    """A document whose pages can be described and rendered; every method raises DocumentError."""

    media_type: str
    page_count: int
    is_repaired: bool

    def probe(self, page_index: int, *, text_layer: bool) -> PageProbe:
        """Describe a page."""

    def size_pt(self, page_index: int) -> tuple[float, float]:
        """Return a page's width and height in points, as a person sees it."""

    def picture(self, page_index: int) -> Pixels:
        """Return the whole page squeezed into a square of some 900 pixels, on which it is judged: RGB, (side, side, 3)."""

    def pose(self, page_index: int) -> Pose:
        """Return how the print lies on the page: as a rule upright, unless the page is a scan."""

    def layout(self, page_index: int) -> Sequence[Box]:
        """Return the parts of the page in reading order, in points; none where nothing is known of them."""

    def render(self, page_index: int, affines: Sequence[Affine], resolution: int) -> Iterator[Pixels]:
        """Yield the views one by one: RGB, of shape (resolution, resolution, 3)."""

    def close(self) -> None:
        """Free what it holds."""


def open_document(path: Path, limits: Limits, passwords: Sequence[str], new_sheet: NewSheet = own_sheet) -> Document:
    """Open a file by what it contains, to draw its pages on the sheets it is given; raise DocumentError of stage "open"."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as exc:
        raise DocumentError("open", "unreadable", f"the file cannot be read: {exc.strerror}") from exc
    if not head:
        raise DocumentError("open", "empty", "the file is empty (0 bytes)")
    if size > limits.bytes:
        raise DocumentError("open", "too_many_bytes", f"{size} bytes, more than limits.bytes ({limits.bytes})")
    kind = media_type(head)
    if kind is None:
        raise DocumentError("open", "unknown_type", f"neither a PDF nor a known image: it begins with {head[:8]!r}")
    if kind == "application/pdf":
        from pipeline.documents.pdf import PdfDocument

        return PdfDocument(path, limits, passwords, new_sheet)
    from pipeline.documents.image import ImageDocument

    return ImageDocument(path, kind, limits)
