"""Rows that exist already, for a unit that adds to them or gives them to another source object with the same bytes."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.places import Places, fields_beside
from pipeline.settle import Rows
from pipeline.storage import Store
from schemas.arrow import from_table
from schemas.field import FieldRow
from schemas.page import PageRow
from schemas.unit import Unit


def prior_rows(store: Store, places: Places, unit: Unit) -> dict[int, Rows]:
    """Return the rows that a unit's pages already have, by page_index; raise ObjectMissing where a publication has moved them since."""
    if unit.prior is None:
        return {}
    mine = [("source_id", "=", unit.prior.source_id), ("page_index", ">=", unit.first_page)]
    mine.append(("page_index", "<", unit.first_page + unit.n_pages))

    def read(file: str) -> pa.Table:
        return pq.read_table(io.BytesIO(store.read(places.file(file))), filters=mine)

    pages = from_table(read(unit.prior.pages_file), PageRow)
    fields = from_table(read(fields_beside(unit.prior.pages_file)), FieldRow)
    return {page.page_index: Rows(page, tuple(row for row in fields if row.page_index == page.page_index)) for page in pages}
