"""The rows of documents/, made from the ledger alone: what each source object is, and what became of its pages."""

from datetime import UTC, datetime

import pyarrow as pa

from pipeline.ledger import Ledger
from schemas.arrow import from_table, schema_of
from schemas.source import DocumentRow, Inspected
from schemas.unit import Reject

# What the row of each known version of an object should say. A version that never had a row and does not show gets none; one that
# was superseded keeps the day of its row, and has no pages any more.
_JUDGED = """
CREATE OR REPLACE TEMP TABLE judged AS
WITH state AS (
    SELECT * REPLACE (
            if(is_live, pages_ok, 0) AS pages_ok, if(is_live, pages_blank, 0) AS pages_blank,
            if(is_live, pages_partial, 0) AS pages_partial, if(is_live, pages_failed, 0) AS pages_failed,
            if(is_live AND is_present, missing, []) AS missing),
        CASE
            WHEN NOT is_live THEN 'superseded'
            WHEN NOT is_present THEN 'deleted'
            WHEN page_count IS NULL OR (page_count > 0 AND pages_failed = page_count) THEN 'failed'
            WHEN pages_failed + pages_partial + length(missing) > 0 THEN 'partial'
            ELSE 'ok' END AS status,
        if(is_live, coalesce(committed_at, recorded_at), row_at) AS stands_at
    FROM source WHERE is_live OR (row_state IS NOT NULL AND NOT is_removed)
)
SELECT *, strftime(stands_at, '%Y-%m-%d') AS processed_date,
    concat_ws('/', status, page_count, pages_ok, pages_blank, pages_partial, pages_failed, epoch_us(stands_at),
        list_aggregate(missing, 'string_agg', ' ')) AS said
FROM state
"""

_STALE_DATES = """
SELECT DISTINCT unnest([processed_date, strftime(row_at, '%Y-%m-%d')]) AS date FROM judged
WHERE row_state IS DISTINCT FROM said
UNION SELECT strftime(row_at, '%Y-%m-%d') FROM source WHERE is_removed AND row_state IS NOT NULL
"""

_DELETED = "SELECT * FROM source WHERE is_newest AND NOT is_present AND NOT is_removed ORDER BY uri"

_INCOMPLETE = """
SELECT name, count(*), min(uri) FROM (SELECT uri, unnest(missing) AS name FROM source WHERE is_live AND is_present AND committed_at >= $1)
GROUP BY name ORDER BY name
"""

_DOCUMENT_ROWS = """
SELECT source_id, document_id, uri AS source_uri, version AS source_version, media_type, size_bytes,
    modified_at AS source_modified_at, page_count, pages_ok, pages_blank, pages_partial + pages_failed AS pages_failed,
    status,
    list_concat(failures, list_transform(missing, lambda name: struct_pack(stage := 'settle', code := 'required_missing',
        message := concat('no page has a valid ', name, ', which is required'), task := concat('answer.', name)))) AS failures,
    job_name, run_id, stands_at AS processed_at, 1 AS schema_version
FROM judged WHERE $1 IS NULL OR processed_date = $1 ORDER BY uri, source_id
"""


def drop_deleted(ledger: Ledger, run_id: str) -> int:
    """Record that the rows of objects which are gone from their source are to be removed, and return how many objects that are."""
    now = datetime.now(UTC)
    gone = from_table(ledger.table(_DELETED), Inspected)
    ledger.record_sources(
        [known.model_copy(update={"is_dropped": True, "run_id": run_id, "recorded_at": now}) for known in gone]
    )
    return len(gone)


def judge(ledger: Ledger) -> None:
    """Work out what the row of every known version of an object should say, into the table `judged`."""
    ledger.execute(_JUDGED)


def stale_dates(ledger: Ledger) -> list[str]:
    """Return the days (YYYY-MM-DD) on which a published row of documents/ says something else than it should."""
    return sorted(date for (date,) in ledger.rows(_STALE_DATES) if date)


def incomplete(ledger: Ledger, since: datetime) -> tuple[Reject, ...]:
    """Return how many documents lack each required field, of those that were read since a time."""
    return tuple(
        Reject(
            stage="settle",
            code="required_missing",
            count=count,
            example_uri=uri,
            message=f"no page of the document has a valid {name}, which is required",
        )
        for name, count, uri in ledger.rows(_INCOMPLETE, [since])
    )


def document_rows(ledger: Ledger, date: str | None = None) -> pa.Table:
    """Return the judged rows of one day, or of all."""
    return ledger.table(_DOCUMENT_ROWS, [date]).cast(schema_of(DocumentRow))
