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
ANTI JOIN (SELECT source_id FROM source WHERE is_newest AND is_present AND (page_count IS NOT NULL OR NOT $again)) AS known
    USING (source_id)
ORDER BY uri
"""

_MANIFEST = """
CREATE OR REPLACE TEMP TABLE manifest
(source_id VARCHAR, uri VARCHAR, version VARCHAR, size_bytes BIGINT, modified_at TIMESTAMPTZ)
"""

_UNREADABLE = """
INSERT INTO manifest SELECT source_id, uri, version, size_bytes, modified_at FROM source
WHERE is_newest AND is_present AND page_count IS NULL AND job_name = $job
"""

_GONE = """
SELECT source.* FROM source ANTI JOIN manifest USING (uri)
WHERE is_newest AND is_present AND job_name = $job ORDER BY uri
"""

# Ranges that lack rows for these tasks: pages whose own rows do not answer them all, and pages without any rows. Both start from
# rows that are there already for the same bytes, which must answer no less than a page's own rows do, or those would be lost. A
# range never mixes pages whose rows differ in what they answer. Objects of which nothing is there are cut straight into units;
# only the others go page by page. Bytes under one name, which nearly all are, need no gathering of names, which takes memory.
_UNITS = """
CREATE OR REPLACE TEMP TABLE todo AS
WITH listed AS (
    SELECT source_id, uri, version, size_bytes, document_id, media_type, page_count
    FROM source SEMI JOIN manifest USING (source_id)
    WHERE is_newest AND page_count > 0
), own AS (
    SELECT cover.*, list_has_all(tasks, $tasks::VARCHAR[]) OR (list_contains(jobs, $job) AND NOT $backfill) AS is_settled
    FROM cover SEMI JOIN listed USING (source_id)
), covered AS (
    SELECT source_id, sum(n_pages) AS n_covered FROM own GROUP BY source_id
), lacking AS (
    SELECT listed.*, coalesce(n_covered, 0) AS n_covered FROM listed LEFT JOIN covered USING (source_id)
    WHERE coalesce(n_covered, 0) < page_count
), wanted AS (
    SELECT document_id FROM lacking UNION SELECT document_id FROM own WHERE NOT is_settled
), donor AS (
    SELECT document_id, first_page, n_pages, source_id AS donor_id, pages_file, tasks,
        list_has_all(tasks, $tasks::VARCHAR[]) AS has_all, length(tasks) AS n_tasks
    FROM cover SEMI JOIN wanted USING (document_id)
    QUALIFY row_number() OVER (PARTITION BY document_id, first_page, n_pages ORDER BY has_all DESC, n_tasks DESC, donor_id) = 1
), known AS (
    SELECT DISTINCT document_id FROM donor
), fresh AS (
    SELECT *, unnest(range(0, page_count, $unit_pages)) AS first_page FROM lacking ANTI JOIN known USING (document_id)
), page AS (
    SELECT source_id, document_id, unnest(range(0, page_count)) AS page_index FROM lacking SEMI JOIN known USING (document_id)
), bare AS (
    SELECT page.source_id, page_index, donor_id, donor.first_page AS donor_page, pages_file, tasks, page_index // $unit_pages AS slot
    FROM page LEFT JOIN donor ON donor.document_id = page.document_id
        AND page_index >= donor.first_page AND page_index < donor.first_page + donor.n_pages
    WHERE NOT EXISTS (
        SELECT 1 FROM own WHERE own.source_id = page.source_id
        AND page_index >= own.first_page AND page_index < own.first_page + own.n_pages)
    QUALIFY row_number() OVER (
        PARTITION BY page.source_id, page_index ORDER BY has_all DESC, n_tasks DESC, donor_id, donor.first_page, donor.n_pages) = 1
), island AS (
    SELECT *, page_index - row_number() OVER (PARTITION BY source_id, slot, donor_id, donor_page ORDER BY page_index) AS island FROM bare
), ranges AS (
    SELECT source_id, first_page, least($unit_pages, page_count - first_page) AS n_pages FROM fresh
    UNION ALL BY NAME
    SELECT source_id, min(page_index) AS first_page, count(*) AS n_pages,
        donor_id AS prior_id, any_value(pages_file) AS pages_file, any_value(tasks) AS tasks
    FROM island GROUP BY source_id, slot, donor_id, donor_page, island
    UNION ALL BY NAME
    SELECT own.source_id, first_page, n_pages, own.jobs,
        if(list_has_all(donor.tasks, own.tasks), donor_id, own.source_id) AS prior_id,
        if(list_has_all(donor.tasks, own.tasks), donor.pages_file, own.pages_file) AS pages_file,
        if(list_has_all(donor.tasks, own.tasks), donor.tasks, own.tasks) AS tasks
    FROM own JOIN donor USING (document_id, first_page, n_pages) WHERE NOT is_settled
), told AS (
    SELECT ranges.*, listed.* EXCLUDE (source_id),
        struct_pack(source_id := source_id, uri := uri, version := version, size_bytes := size_bytes) AS origin
    FROM ranges JOIN listed USING (source_id)
), single AS (
    SELECT document_id FROM listed GROUP BY document_id HAVING count(*) = 1
), gathered AS (
    SELECT *, [origin] AS origins FROM told SEMI JOIN single USING (document_id)
    UNION ALL BY NAME
    SELECT document_id, first_page, n_pages, pages_file, prior_id, list(origin ORDER BY uri) AS origins, min(uri) AS uri,
        any_value(media_type) AS media_type, any_value(page_count) AS page_count, any_value(tasks) AS tasks,
        flatten(list(jobs) FILTER (jobs IS NOT NULL)) AS jobs
    FROM told ANTI JOIN single USING (document_id) GROUP BY document_id, first_page, n_pages, pages_file, prior_id
)
SELECT document_id, media_type, origins, first_page, n_pages, page_count,
    CASE WHEN pages_file IS NULL THEN NULL ELSE struct_pack(
        pages_file := pages_file, source_id := prior_id, tasks := tasks, jobs := coalesce(list_sort(list_distinct(jobs)), [])) END AS prior
FROM gathered ORDER BY uri, first_page
"""


# Chosen pages, less those that this run has read meanwhile, in ranges; what other jobs know of them is kept. Those that tasks are
# asked of must still be there to be read: their rows stand on when an object is gone from its source, or is another by now.
_CHOSEN = """
CREATE OR REPLACE TEMP TABLE todo AS
WITH page AS (
    SELECT chosen.source_id, chosen.page_index, cover.* EXCLUDE (source_id) FROM chosen JOIN cover
        ON cover.source_id = chosen.source_id AND page_index >= first_page AND page_index < first_page + n_pages
    WHERE run_id <> $run_id AND list_contains(jobs, $job)
), island AS (
    SELECT *, page_index // $unit_pages AS slot,
        page_index - row_number() OVER (PARTITION BY source_id, part_id, first_page, page_index // $unit_pages ORDER BY page_index) AS island
    FROM page
)
SELECT any_value(island.document_id) AS document_id, any_value(media_type) AS media_type,
    [struct_pack(source_id := source_id, uri := any_value(uri), version := any_value(version), size_bytes := any_value(size_bytes))]
        AS origins,
    min(page_index) AS first_page, count(*) AS n_pages, any_value(page_count) AS page_count,
    struct_pack(pages_file := pages_file, source_id := source_id,
        tasks := list_filter(any_value(tasks), lambda task: NOT list_contains($tasks::VARCHAR[], task)), jobs := any_value(jobs)) AS prior
FROM island JOIN source USING (source_id) WHERE is_live AND ((is_newest AND is_present) OR len($tasks::VARCHAR[]) = 0)
GROUP BY source_id, island.part_id, island.first_page, slot, island, pages_file ORDER BY any_value(uri), min(page_index)
"""

_WHOLE = """
SELECT source_id, unnest(range(page_count)) AS page_index FROM source SEMI JOIN chosen USING (source_id) WHERE page_count IS NOT NULL
"""

# Pages as they stand, each source object's by themselves.
_STANDING = """
CREATE OR REPLACE TEMP TABLE todo AS
SELECT cover.document_id, media_type,
    [struct_pack(source_id := source_id, uri := uri, version := version, size_bytes := size_bytes)] AS origins,
    first_page, n_pages, page_count,
    struct_pack(pages_file := pages_file, source_id := source_id, tasks := tasks, jobs := jobs) AS prior
FROM cover JOIN source USING (source_id)
"""

_KEPT = f"""{_STANDING}
WHERE is_live AND list_contains(jobs, $job) AND cover.run_id <> $run_id ORDER BY uri, first_page
"""

# Pages of which a question waits for a stage of the ladder, while their object is there; the same bytes under several names climb once.
_CLIMBING = """
CREATE OR REPLACE TEMP TABLE todo AS
SELECT cover.document_id, any_value(media_type) AS media_type,
    list(struct_pack(source_id := source_id, uri := uri, version := version, size_bytes := size_bytes) ORDER BY uri) AS origins,
    first_page, n_pages, any_value(page_count) AS page_count,
    struct_pack(pages_file := arg_min(pages_file, uri), source_id := arg_min(source_id, uri), tasks := tasks,
        jobs := list_sort(list_distinct(flatten(list(jobs))))) AS prior
FROM cover JOIN source USING (source_id) WHERE is_newest AND is_present AND list_contains(jobs, $job) AND list_has_any(tasks, $marks::VARCHAR[])
GROUP BY cover.document_id, first_page, n_pages, tasks ORDER BY min(uri), first_page
"""

# All pages of documents of which any page's rows wait for the others.
_UNJUDGED = f"""{_STANDING}
SEMI JOIN (
    SELECT source_id FROM cover WHERE list_contains(tasks, $mark) AND list_contains(jobs, $job)) AS waits USING (source_id)
WHERE is_live ORDER BY uri, first_page
"""  # noqa: S608 (both parts stand here)

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

    def __add__(self, other: "Selected") -> "Selected":
        return Selected(self.units + other.units, self.pages + other.pages)


NOTHING = Selected(0, 0)


def load_manifest(ledger: Ledger, store: Store, shards: Iterable[str]) -> None:
    """Load the listed objects beside the ledger."""
    ledger.execute(_MANIFEST)
    for shard in shards:
        ledger.insert("manifest", pq.read_table(io.BytesIO(store.read(shard))))


def load_unreadable(ledger: Ledger, job_name: str) -> int:
    """Load the objects of this job that could not be opened, as if only they were listed, and return how many there are."""
    ledger.execute(_MANIFEST)
    ledger.execute(_UNREADABLE, {"job": job_name})
    return _count(ledger, "SELECT count(*) FROM manifest")


def to_inspect(ledger: Ledger, *, again: bool = False, rows_per_batch: int = 50_000) -> Iterator[pa.RecordBatch]:
    """Yield the listed objects that the ledger does not know in this version, or, with `again`, that could not be opened; by uri."""
    return ledger.batches(_TO_INSPECT, rows_per_batch, {"again": again})


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
    """Choose the pages (columns source_id, page_index) that this run has not read yet, to be asked these tasks anew.

    Without tasks nothing is read, and pages of objects that are gone from their source are chosen too.
    """
    ledger.create("chosen", pages.schema)
    ledger.insert("chosen", pages)
    ledger.execute(_CHOSEN, {"tasks": list(tasks), "job": job_name, "run_id": run_id, "unit_pages": UNIT_PAGES})
    return _selected(ledger)


def whole_documents(ledger: Ledger, pages: pa.Table) -> pa.Table:
    """Return all pages (columns source_id, page_index) of the objects that any of these pages is of."""
    ledger.create("chosen", pages.schema)
    ledger.insert("chosen", pages)
    return ledger.table(_WHOLE, {}).cast(pages.schema)


def select_kept(ledger: Ledger, *, job_name: str, run_id: str) -> Selected:
    """Choose all pages with rows of this job that this run has not made."""
    ledger.execute(_KEPT, {"job": job_name, "run_id": run_id})
    return _selected(ledger)


def is_done(ledger: Ledger, *, tasks: Sequence[str], marks: Sequence[str], job_name: str, backfill: bool) -> bool:
    """Return whether of the listed objects nothing is left to inspect or to read, and no page waits (by `marks`) for a stage of the ladder."""
    new = any(batch.num_rows for batch in to_inspect(ledger, rows_per_batch=1))
    if new or select(ledger, tasks=tasks, job_name=job_name, backfill=backfill).units:
        return False
    return not select_climbing(ledger, marks=marks, job_name=job_name).units


def select_climbing(ledger: Ledger, *, marks: Sequence[str], job_name: str) -> Selected:
    """Choose the pages of this job of which a question waits for a stage of the ladder: `marks` is how rows say so (ladder.waiting)."""
    ledger.execute(_CLIMBING, {"marks": list(marks), "job": job_name})
    return _selected(ledger)


def select_unjudged(ledger: Ledger, *, mark: str, job_name: str) -> Selected:
    """Choose all pages of documents, read whole, of which any page of this job waits for the others, as `mark` says."""
    ledger.execute(_UNJUDGED, {"mark": mark, "job": job_name})
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
