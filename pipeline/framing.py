"""How a page's regions are framed for a question: squeezed into a square, or padded white to one. Pure."""

from collections.abc import Iterable, Sequence

from pipeline.tasks.base import Ask
from schemas.view import Region


def framed(regions: Iterable[Region], asks: Sequence[Ask]) -> list[Region]:
    """Return what must be drawn of the regions for these questions to be asked, in the regions' order; a square region is drawn once."""
    return [
        shown
        for region in regions
        for shown in dict.fromkeys((region, region.padded()))
        if any(is_for(shown, ask) for ask in asks)
    ]


def is_for(region: Region, ask: Ask) -> bool:
    """Return whether a question is asked of a region as it is framed: where squeezing changes nothing, the two are one."""
    is_padded = ask.is_padded or region.is_slim
    return region.is_padded == is_padded or (is_padded and region.padded() == region)
