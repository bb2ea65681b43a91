"""Which format a sink has. Its first run settles it, in `_pagemill/format.json`; whoever opens the sink later need not be told.

It knows neither Parquet nor Iceberg; a sink without the file is plain Parquet.
"""

from typing import TYPE_CHECKING

from pipeline.errors import JobError, ObjectMissing
from pipeline.ledger import Ledger
from pipeline.places import OWN, Places
from pipeline.storage import Store, join
from schemas.arrow import DATASETS
from schemas.job import Catalog, Sink

if TYPE_CHECKING:
    from pipeline.lake import Lake


def settle_format(store: Store, places: Places, sink: Sink) -> None:
    """Keep the format that a job asks for; raise JobError where the sink has another."""
    there = catalog_of(store, places)
    asked = (sink.catalog or Catalog()) if sink.format == "iceberg" else None
    if there == asked:
        return
    if there is None and asked is not None and not _has_results(store, places):
        store.write(_place(places), asked.model_dump_json().encode())
        return
    has = f"Iceberg tables ({there.said})" if there else "plain Parquet"
    wants = f"Iceberg tables ({asked.said})" if asked else "plain Parquet"
    raise JobError(
        f"{places.sink_uri} holds {has}, and the job asks for {wants}: set `sink` to what is there, or name another `sink.uri`"
    )


def catalog_of(store: Store, places: Places) -> Catalog | None:
    """Return the catalog that knows the sink's tables, or None of plain Parquet."""
    try:
        return Catalog.model_validate_json(store.read(_place(places)), extra="ignore")
    except ObjectMissing:
        return None


def lake_of(store: Store, places: Places) -> "Lake | None":
    """Return the sink's tables in its catalog, not opened yet, or None of plain Parquet."""
    catalog = catalog_of(store, places)
    if catalog is None:
        return None
    from pipeline.lake import Lake  # its libraries take a second, which plain Parquet need not pay

    return Lake(store, places, catalog)


def shown_files(ledger: Ledger) -> dict[str, set[str]]:
    """Return the published files with rows in them, by dataset: what Iceberg tables are to show."""
    found = ledger.rows("SELECT dataset, file FROM files WHERE n_rows > 0")
    return {dataset: {file for of, file in found if of == dataset} for dataset in DATASETS}


def _place(places: Places) -> str:
    return join(places.sink_uri, OWN, "format.json")


def _has_results(store: Store, places: Places) -> bool:
    try:
        return next(iter(store.list(places.ledger())), None) is not None
    except ObjectMissing:
        return False
