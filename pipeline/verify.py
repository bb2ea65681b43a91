"""Verify: count everything again from storage, and hold it against the ledger.

The rows are counted in the files themselves; nothing is believed that a summary says. Between runs the report should have no findings.
"""

import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import ObjectMissing
from pipeline.format import lake_of, shown_files
from pipeline.ledger import Ledger
from pipeline.places import Places
from pipeline.runs import require_sink
from pipeline.storage import Store, open_store
from schemas.arrow import DATASETS, schema_of
from schemas.run import Finding, FindingCode, VerifyReport

_COLUMNS = {
    "documents": ["source_id", "source_uri", "status", "pages_ok", "pages_blank", "pages_failed"],
    "pages": ["page_id", "source_id", "source_uri", "page_index", "status"],
    "fields": ["field_id", "page_id", "source_uri", "page_index", "name"],
}

_EXPECTED = """
CREATE TEMP TABLE expected AS
SELECT source_id, uri, sha256(source_id || chr(0) || page_index) AS page_id, page_index
FROM (SELECT source_id, uri, unnest(range(page_count)) AS page_index FROM source WHERE is_live)
"""

# Each question gives the examples of one kind of finding, one a row, as text.
_QUESTIONS: dict[FindingCode, str] = {
    "page_missing": "SELECT uri || ' page ' || page_index FROM expected ANTI JOIN found_pages USING (page_id) ORDER BY 1",
    "page_doubled": """
        SELECT any_value(source_uri) || ' page ' || any_value(page_index) FROM found_pages
        GROUP BY page_id HAVING count(*) > 1 ORDER BY 1""",
    "page_unknown": "SELECT source_uri || ' page ' || page_index FROM found_pages ANTI JOIN expected USING (page_id) ORDER BY 1",
    "pages_unread": """
        SELECT uri || ' (' || (page_count - covered) || ' pages; run the job again)' FROM source
        WHERE is_newest AND is_present AND NOT is_whole ORDER BY 1""",
    "field_doubled": """
        SELECT any_value(source_uri) || ' page ' || any_value(page_index) || ' ' || any_value(name) FROM found_fields
        GROUP BY field_id HAVING count(*) > 1 ORDER BY 1""",
    "field_orphan": """
        SELECT source_uri || ' page ' || page_index || ' ' || name FROM found_fields ANTI JOIN found_pages USING (page_id) ORDER BY 1""",
    "document_missing": "SELECT uri FROM source ANTI JOIN found_documents USING (source_id) WHERE is_live ORDER BY 1",
    "document_doubled": "SELECT any_value(source_uri) FROM found_documents GROUP BY source_id HAVING count(*) > 1 ORDER BY 1",
    "document_wrong": """
        SELECT source_uri FROM found_documents LEFT JOIN (
            SELECT source_id, count(*) FILTER (status = 'ok') AS ok, count(*) FILTER (status = 'blank') AS blank,
                count(*) FILTER (status IN ('partial', 'failed')) AS failed FROM found_pages GROUP BY source_id) USING (source_id)
        WHERE (pages_ok, pages_blank, pages_failed) <> (coalesce(ok, 0), coalesce(blank, 0), coalesce(failed, 0)) ORDER BY 1""",
}


def verify(sink_uri: str) -> VerifyReport:
    """Recount a sink. Raises JobError where there is none."""
    store, places = open_store(sink_uri), Places(sink_uri)
    with Ledger(store, places, run_id="verify") as ledger:
        require_sink(ledger, store, places)
        findings = list(_load(ledger, store, places))
        ledger.execute(_EXPECTED)
        findings += [
            Finding(code=code, count=len(rows), example=rows[0][0])
            for code, query in _QUESTIONS.items()
            if (rows := ledger.rows(query))
        ]
        pages = dict(ledger.rows("SELECT status, count(*) FROM found_pages GROUP BY status"))
        return VerifyReport(
            sink_uri=sink_uri,
            documents=_count(ledger, "found_documents"),
            pages=_count(ledger, "found_pages"),
            fields=_count(ledger, "found_fields"),
            pages_ok=pages.get("ok", 0),
            pages_blank=pages.get("blank", 0),
            pages_partial=pages.get("partial", 0),
            pages_failed=pages.get("failed", 0),
            findings=tuple(findings),
        )


def _load(ledger: Ledger, store: Store, places: Places) -> Iterator[Finding]:
    """Load the key columns of every file of the datasets, and yield what is wrong with the files themselves."""
    named = {places.file(file): n_rows for file, n_rows in ledger.rows("SELECT file, n_rows FROM files")}
    behind, kept = _tables(ledger, store, places)
    kept -= named.keys()
    there: set[str] = set()
    unreadable: list[str] = []
    for dataset, shape in DATASETS.items():
        ledger.create(f"found_{dataset}", pa.schema([schema_of(shape).field(name) for name in _COLUMNS[dataset]]))
        for uri in sorted(set(_files(store, places.dataset(dataset))) - kept):
            there.add(uri)
            try:
                rows = pq.read_table(io.BytesIO(store.read(uri)), columns=_COLUMNS[dataset])
            except (pa.ArrowException, OSError) as error:
                unreadable.append(f"{uri}: {error}")
                continue
            ledger.insert(f"found_{dataset}", rows)
            if uri in named and len(rows) != named[uri]:
                unreadable.append(f"{uri}: {len(rows)} rows, where {named[uri]} were written")
    groups: dict[FindingCode, list[str]] = {
        "file_missing": sorted(named.keys() - there),
        "file_unknown": sorted(there - named.keys()),
        "file_unreadable": unreadable,
        "table_behind": behind,
    }
    yield from (Finding(code=code, count=len(found), example=found[0]) for code, found in groups.items() if found)


def _tables(ledger: Ledger, store: Store, places: Places) -> tuple[list[str], set[str]]:
    """Return the Iceberg tables that show other files than the ledger names, and the uris of files that only older snapshots show."""
    if (lake := lake_of(store, places)) is None:
        return [], set()
    with lake:
        wanted = shown_files(ledger)
        behind = sorted(dataset for dataset, files in lake.shown().items() if files != wanted[dataset])
        return behind, set(map(places.file, lake.kept()))


def _files(store: Store, folder_uri: str) -> Iterator[str]:
    try:
        yield from (item.uri for item in store.list(folder_uri) if item.uri.endswith(".parquet"))
    except ObjectMissing:
        return


def _count(ledger: Ledger, table: str) -> int:
    return int(ledger.rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 (our own three names)
