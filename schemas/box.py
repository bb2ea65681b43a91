"""Boxes, in points from the top left corner of the page as a person sees it (72 points are an inch), and who says that something is there."""

from typing import Literal

from schemas.shape import Shape

BoxSource = Literal["text_layer", "spot", "detect", "segment", "table", "print", "tile", "page"]
"""Who says where something stands: the page's text layer, a task of the model (`detect` for `refer` too), the `print` that was seen where a
line of the model's text was laid. Of the others no more is known than what was looked at: the box is the `tile` that was read, or all of the
`page`."""
ROUGH: frozenset[BoxSource | None] = frozenset({"tile", "page"})
"""Who says what was looked at, and not where in it something stands."""


class Box(Shape):
    """An upright rectangle, x to the right and y down, in points."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def middle(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def area(self) -> float:
        return max(self.width, 0.0) * max(self.height, 0.0)

    def intersection(self, other: "Box") -> float:
        """Return the area that both boxes cover, in square points."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(width, 0.0) * max(height, 0.0)

    def has_middle_of(self, other: "Box") -> bool:
        """Return whether the other's middle lies in it, or on its edge."""
        x, y = other.middle
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1

    def union(self, other: "Box") -> "Box":
        """Return the smallest box around both."""
        return Box(
            x0=min(self.x0, other.x0),
            y0=min(self.y0, other.y0),
            x1=max(self.x1, other.x1),
            y1=max(self.y1, other.y1),
        )


class LabelledBox(Shape):
    """A thing found on a page: what it is, where, and its mask where one was asked for.

    `mask_rle` is COCO's uncompressed run-length encoding as JSON, over a raster of the box of about one pixel a point: its `size`,
    [rows, columns], is stretched over the box exactly, so a mask needs no page size.
    """

    label: str
    box: Box
    box_source: BoxSource | None = None
    confidence: float | None = None
    mask_rle: str | None = None
