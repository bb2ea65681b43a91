"""Rows that exist already, for a unit that adds to them or gives them to another source object with the same bytes."""

from pipeline.errors import ObjectMissing, RowsMoved
from pipeline.parquet import read_parquet
from pipeline.places import Places, fields_beside
from pipeline.settle import Rows
from pipeline.storage import Store
from schemas.arrow import from_table
from schemas.field import FieldRow
from schemas.page import PageRow
from schemas.unit import Unit


def prior_rows(store: Store, places: Places, unit: Unit) -> dict[int, Rows]:
    """Return the rows that a unit's pages already have, by page_index; raise RowsMoved where a publication has moved them since."""
    if unit.prior is None:
        return {}
    mine: list[tuple[str, str, object]] = [
        ("source_id", "=", unit.prior.source_id),
        ("page_index", ">=", unit.first_page),
        ("page_index", "<", unit.first_page + unit.n_pages),
    ]
    file = unit.prior.pages_file
    try:
        pages = from_table(read_parquet(store, places.file(file), mine), PageRow)
        fields = from_table(read_parquet(store, places.file(fields_beside(file)), mine), FieldRow)
    except ObjectMissing as error:
        raise RowsMoved(f"{error}; a publication has moved these rows since they were selected") from error
    return {page.page_index: Rows(page, tuple(row for row in fields if row.page_index == page.page_index)) for page in pages}
