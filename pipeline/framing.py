"""How a page's regions are framed for a question: squeezed into a square, or padded white to one, as tiles or, for text, in strips. Pure."""

from collections.abc import Sequence

from pipeline.strips import with_strips
from pipeline.tasks.base import Ask
from schemas.view import Region


def framed(regions: Sequence[Region], asks: Sequence[Ask], resolution: int) -> list[Region]:
    """Return what must be drawn of the regions for these questions to be asked, in the regions' order; a square region is drawn once.

    `resolution` is a view's side in pixels.
    """
    return [
        shown
        for region in with_strips(regions, resolution)
        for shown in dict.fromkeys((region, region.padded()))
        if any(is_for(shown, ask) for ask in asks)
    ]


def is_for(region: Region, ask: Ask) -> bool:
    """Return whether a question is asked of a region as it is framed: where squeezing changes nothing, the two are one."""
    if region.is_divided if ask.is_text else region.is_strip:
        return False
    is_padded = ask.is_padded or region.is_slim
    return region.is_padded == is_padded or (is_padded and region.padded() == region)
