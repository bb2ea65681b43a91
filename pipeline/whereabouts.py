"""Where a field's value stands on its page. Pure; lines, cells and things know their places already (pipeline.provenance)."""

from collections.abc import Sequence

from pipeline.signals import stands_in
from schemas.box import ROUGH, Box, BoxSource
from schemas.field import FieldValue
from schemas.page import PageRow

Place = tuple[Box | None, BoxSource | None]
_UNSAID = ROUGH | {None}


def whereabouts(value: FieldValue, name: str, page: PageRow, tiles: Sequence[Box]) -> Place:
    """Return the place of a value and who knows it: the one line or cell that holds its words, or what was detected under the field's name.

    Of several lines, the one within that thing, or within the `tiles` that gave the value, is meant; else thing or tile are the place, and
    else only that it is on the page.
    """
    things = [(thing.box, thing.box_source) for thing in page.boxes if _folded(thing.label) == _folded(name)]
    thing = things[0] if len(things) == 1 else None
    around = [thing[0]] if thing and thing[0] else tiles
    for found in (_lines(value, page), _cells(value, page)):
        near = [(box, source) for box, source in found if box and any(other.has_middle_of(box) for other in around)]
        for several in (near, () if thing else found):
            if len(several) == 1:
                return several[0]
    if thing:
        return thing
    return (tiles[0], "tile") if tiles else (None, "page")


def _lines(value: FieldValue, page: PageRow) -> list[Place]:
    known = [line for line in page.lines if line.box and line.box_source not in _UNSAID]
    return [(line.box, line.box_source) for line in known if stands_in(value, line.text)]


def _cells(value: FieldValue, page: PageRow) -> list[Place]:
    known = [cell for table in page.tables for cell in table.cells if cell.box and cell.box_source not in _UNSAID]
    return [(cell.box, cell.box_source) for cell in known if stands_in(value, cell.text)]


def _folded(label: str) -> str:
    return " ".join(label.casefold().replace("_", " ").replace("-", " ").split())
