"""What is left to do: the listed objects that must be inspected, and the units whose rows the ledger lacks.

Everything is a question to the ledger's tables; no document and no dataset is read. It does not know what a task is, only the
fingerprints of those that the job asks.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ledger import Ledger
from pipeline.storage import Store
from schemas.arrow import from_table, schema_of, to_table
from schemas.source import Inspected
from schemas.unit import UNIT_PAGES, Unit

# An object is known when the newest word on its uri is this very version, and is not that it was gone.
_TO_INSPECT = """
SELECT manifest.* FROM manifest
ANTI JOIN (SELECT source_id FROM source WHERE is_newest AND is_present) AS known USING (source_id)
ORDER BY uri
"""

_GONE = """
SELECT source.* FROM source ANTI JOIN manifest USING (uri)
WHERE is_newest AND is_present AND job_name = $job ORDER BY uri
"""

# Ranges that lack rows for these tasks. Objects without any rows are cut straight into units; only the others go page by page.
_UNITS = """
CREATE OR REPLACE TEMP TABLE todo AS
WITH listed AS (
    SELECT source_id, uri, version, size_bytes, document_id, media_type, page_count
    FROM source SEMI JOIN manifest USING (source_id)
    WHERE is_newest AND page_count > 0
), settled AS (
    SELECT source_id, first_page, n_pages FROM cover
    WHERE list_has_all(tasks, $tasks::VARCHAR[]) OR (list_contains(jobs, $job) AND NOT $backfill)
), done AS (
    SELECT source_id, sum(n_pages) AS n_pages FROM settled GROUP BY source_id
), begun AS (
    SELECT * FROM listed JOIN done USING (source_id) WHERE done.n_pages < page_count
), fresh AS (
    SELECT *, unnest(range(0, page_count, $unit_pages)) AS first_page FROM listed ANTI JOIN done USING (source_id)
), page AS (
    SELECT * EXCLUDE (n_pages), unnest(range(0, page_count)) AS page_index FROM begun
), missing AS (
    SELECT page.*, page_index // $unit_pages AS slot FROM page
    WHERE NOT EXISTS (
        SELECT 1 FROM settled WHERE settled.source_id = page.source_id
        AND page_index >= settled.first_page AND page_index < settled.first_page + settled.n_pages)
), island AS (
    SELECT *, page_index - row_number() OVER (PARTITION BY source_id, slot ORDER BY page_index) AS island FROM missing
), ranges AS (
    SELECT source_id, uri, version, size_bytes, document_id, media_type, first_page,
        least($unit_pages, page_count - first_page) AS n_pages FROM fresh
    UNION ALL
    SELECT source_id, any_value(uri), any_value(version), any_value(size_bytes), any_value(document_id), any_value(media_type),
        min(page_index), count(*) FROM island GROUP BY source_id, slot, island
), prior AS (
    SELECT ranges.source_id, ranges.first_page, cover.source_id AS prior_source_id, pages_file, tasks, jobs
    FROM ranges JOIN cover ON cover.document_id = ranges.document_id
        AND cover.first_page <= ranges.first_page AND cover.first_page + cover.n_pages >= ranges.first_page + ranges.n_pages
    QUALIFY row_number() OVER (
        PARTITION BY ranges.source_id, ranges.first_page
        ORDER BY list_has_all(tasks, $tasks::VARCHAR[]) DESC, length(tasks) DESC, cover.source_id) = 1
)
SELECT
    document_id, any_value(media_type) AS media_type,
    list(struct_pack(source_id := source_id, uri := uri, version := version, size_bytes := size_bytes) ORDER BY uri) AS origins,
    first_page, n_pages, 0::BIGINT AS attempts,
    CASE WHEN pages_file IS NULL THEN NULL ELSE struct_pack(
        pages_file := pages_file, source_id := prior_source_id,
        tasks := any_value(tasks), jobs := any_value(jobs)) END AS prior
FROM ranges LEFT JOIN prior USING (source_id, first_page)
GROUP BY document_id, first_page, n_pages, pages_file, prior_source_id
ORDER BY min(uri), first_page
"""


# Chosen pages, less those that this run has read meanwhile, in ranges; what other jobs know of them is kept.
_CHOSEN = """
CREATE OR REPLACE TEMP TABLE todo AS
WITH page AS (
    SELECT chosen.source_id, chosen.page_index, cover.* EXCLUDE (source_id) FROM chosen JOIN cover
        ON cover.source_id = chosen.source_id AND page_index >= first_page AND page_index < first_page + n_pages
    WHERE run_id <> $run_id AND list_contains(jobs, $job)
), island AS (
    SELECT *, page_index - row_number() OVER (PARTITION BY source_id, page_index // $unit_pages, pages_file ORDER BY page_index) AS island
    FROM page
)
SELECT any_value(island.document_id) AS document_id, any_value(media_type) AS media_type,
    [struct_pack(source_id := source_id, uri := any_value(uri), version := any_value(version), size_bytes := any_value(size_bytes))]
        AS origins,
    min(page_index) AS first_page, count(*) AS n_pages, 0::BIGINT AS attempts,
    struct_pack(pages_file := pages_file, source_id := source_id,
        tasks := list_filter(any_value(tasks), lambda task: NOT list_contains($tasks::VARCHAR[], task)), jobs := any_value(jobs)) AS prior
FROM island JOIN source USING (source_id) WHERE is_live
GROUP BY source_id, page_index // $unit_pages, pages_file, island ORDER BY any_value(uri), first_page
"""

_KEPT = """
CREATE OR REPLACE TEMP TABLE todo AS
SELECT cover.document_id, media_type,
    [struct_pack(source_id := source_id, uri := uri, version := version, size_bytes := size_bytes)] AS origins,
    first_page, n_pages, 0::BIGINT AS attempts,
    struct_pack(pages_file := pages_file, source_id := source_id, tasks := tasks, jobs := jobs) AS prior
FROM cover JOIN source USING (source_id) WHERE is_live AND list_contains(jobs, $job) AND cover.run_id <> $run_id
ORDER BY uri, first_page
"""

_UNITS_BUT = """
SELECT * FROM todo WHERE NOT EXISTS (
    SELECT 1 FROM apart WHERE apart.document_id = todo.document_id
    AND apart.first_page < todo.first_page + todo.n_pages AND todo.first_page < apart.first_page + apart.n_pages)
"""


@dataclass(frozen=True, slots=True)
class Selected:
    """How much is left to do."""

    units: int
    pages: int


def load_manifest(ledger: Ledger, store: Store, shards: Iterable[str]) -> int:
    """Load the listed objects beside the ledger and return how many there are."""
    ledger.execute("DROP TABLE IF EXISTS manifest")
    ledger.execute(
        "CREATE TEMP TABLE manifest "
        "(source_id VARCHAR, uri VARCHAR, version VARCHAR, size_bytes BIGINT, modified_at TIMESTAMPTZ)"
    )
    for shard in shards:
        ledger.insert("manifest", pq.read_table(io.BytesIO(store.read(shard))))
    return _count(ledger, "SELECT count(*) FROM manifest")


def to_inspect(ledger: Ledger, rows_per_batch: int = 50_000) -> Iterator[pa.RecordBatch]:
    """Yield the listed objects that the ledger does not know in this version, sorted by uri."""
    return ledger.batches(_TO_INSPECT, rows_per_batch)


def gone(ledger: Ledger, job_name: str) -> list[Inspected]:
    """Return the objects of this job that the listing no longer has."""
    return from_table(ledger.table(_GONE, {"job": job_name}), Inspected)


def select(ledger: Ledger, *, tasks: Sequence[str], job_name: str, backfill: bool) -> Selected:
    """Work out the units that lack rows for the tasks (fingerprints), into the table `todo`.

    An object that this job has read before is left alone unless `backfill`, even where tasks were added since.
    """
    parameters = {"tasks": list(tasks), "job": job_name, "backfill": backfill, "unit_pages": UNIT_PAGES}
    ledger.execute(_UNITS, parameters)
    return _selected(ledger)


def select_pages(ledger: Ledger, pages: pa.Table, *, tasks: Sequence[str], job_name: str, run_id: str) -> Selected:
    """Choose the pages (columns source_id, page_index) that this run has not read yet, to be asked these tasks anew."""
    ledger.create("chosen", pages.schema)
    ledger.insert("chosen", pages)
    ledger.execute(_CHOSEN, {"tasks": list(tasks), "job": job_name, "run_id": run_id, "unit_pages": UNIT_PAGES})
    return _selected(ledger)


def select_kept(ledger: Ledger, *, job_name: str, run_id: str) -> Selected:
    """Choose all pages with rows of this job that this run has not made."""
    ledger.execute(_KEPT, {"job": job_name, "run_id": run_id})
    return _selected(ledger)


def units(ledger: Ledger, but: Iterable[Unit] = (), rows_per_batch: int = 10_000) -> Iterator[pa.RecordBatch]:
    """Yield the selected units (schemas.unit.Unit), pages of one document adjacent, without those that overlap any of `but`."""
    ledger.create("apart", pa.schema([schema_of(Unit).field(name) for name in ("document_id", "first_page", "n_pages")]))
    ledger.insert("apart", to_table(list(but), Unit).select(["document_id", "first_page", "n_pages"]))
    return ledger.batches(_UNITS_BUT, rows_per_batch)


def is_selected(ledger: Ledger, unit: Unit) -> bool:
    """Return whether any of a unit's pages is still selected."""
    overlap = "SELECT count(*) FROM todo WHERE document_id = $1 AND first_page < $2 AND $3 < first_page + n_pages"
    return bool(ledger.rows(overlap, [unit.document_id, unit.first_page + unit.n_pages, unit.first_page])[0][0])


def _selected(ledger: Ledger) -> Selected:
    return Selected(
        units=_count(ledger, "SELECT count(*) FROM todo"),
        pages=_count(ledger, "SELECT coalesce(sum(n_pages * length(origins)), 0) FROM todo"),
    )


def _count(ledger: Ledger, query: str) -> int:
    return int(ledger.rows(query)[0][0])
