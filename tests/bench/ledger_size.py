"""A ledger of made-up units, far more than a test can make documents of: what it costs to open, to select from, and to fold new records into.

    python tests/bench/ledger_size.py [--units 1000000]

A document has four units of 32 pages. Each measurement has a process of its own, and prints CPU seconds, seconds on the clock and the peak of its
memory: opening the ledger, which is the start of every run that has something to do; selecting all of its units, as if none were done; and publishing
ten records of a thousand new, unreadable objects each, which folds them and writes the whole ledger anew.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pipeline.ledger import Ledger
from pipeline.places import Places
from pipeline.publish import publish
from pipeline.selection import load_manifest, select
from pipeline.storage import open_store
from schemas.ledger import Current
from schemas.page import Failure
from schemas.source import Inspected, identity

UNITS_PER_DOCUMENT, PAGES_PER_UNIT, PAGES_PER_FILE = 4, 32, 1_000_000
RECORDS_FOLDED, ROWS_PER_RECORD = 10, 1_000
GENERATION = "00000001-made-up"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

_SOURCES = """
SELECT sha256('s' || i) AS source_id, 's3://lake/in/' || lpad(i::VARCHAR, 9, '0') || '.pdf' AS uri, md5(i::VARCHAR) AS version,
    100000 + i AS size_bytes, TIMESTAMPTZ '2025-12-01' AS modified_at, sha256('d' || i) AS document_id, 'application/pdf' AS media_type,
    {units} * {pages} AS page_count, [] AS failures, true AS is_present, 'nightly' AS job_name, 'made-up' AS run_id,
    TIMESTAMPTZ '2025-12-31' AS recorded_at, 'ok' AS row_state, TIMESTAMPTZ '2025-12-31' AS row_at
FROM range({documents}) t(i) ORDER BY uri
"""
_UNITS = """
SELECT sha256('s' || i) AS source_id, sha256('d' || i) AS document_id, unit * {pages} AS first_page, {pages} AS n_pages,
    repeat('o', {pages}) AS statuses, ['{task}'] AS tasks, ['nightly'] AS jobs, 'made-up/' || lpad((i // 50)::VARCHAR, 16, '0') AS part_id,
    'made-up' AS run_id, 'nightly' AS job_name, TIMESTAMPTZ '2025-12-31' AS processed_at, TIMESTAMPTZ '2025-12-31' AS committed_at,
    'pages/processed_date=2025-12-31/part-' || lpad((i * {units} * {pages} // {per_file})::VARCHAR, 5, '0') || '.parquet' AS pages_file,
    true AS is_published
FROM range({documents}) t(i), range({units}) u(unit)
"""
_FILES = """
SELECT 'pages' AS dataset, pages_file AS file, '2025-12-31' AS processed_date, sum(n_pages)::BIGINT AS n_rows, 1 << 27 AS n_bytes
FROM '{units}' GROUP BY pages_file ORDER BY pages_file
"""


def main() -> None:
    """Make the ledger up, and measure each step in a process of its own."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--units", type=int, default=1_000_000)
    options.add_argument("--step", choices=STEPS)
    options.add_argument("--sink")
    chosen = options.parse_args()
    if chosen.step:
        _measure(chosen.step, chosen.sink)
        return
    with tempfile.TemporaryDirectory() as folder:
        _make_up(Path(folder), chosen.units)
        for step in STEPS:
            subprocess.run([sys.executable, __file__, "--step", step, "--sink", folder], check=True)


def _make_up(sink: Path, units: int) -> None:
    places, numbers = Places(str(sink)), {
        "documents": units // UNITS_PER_DOCUMENT, "units": UNITS_PER_DOCUMENT, "pages": PAGES_PER_UNIT, "per_file": PAGES_PER_FILE, "task": "f" * 64
    }  # fmt: skip
    snapshot = Path(places.ledger("snapshots", GENERATION))
    snapshot.mkdir(parents=True)
    with duckdb.connect() as sql:
        sql.execute("SET TimeZone = 'UTC'")
        for kind, query in (("sources", _SOURCES), ("units", _UNITS)):
            sql.execute(f"COPY ({query.format(**numbers)}) TO '{snapshot / kind}.parquet' (CODEC zstd)")
        query = _FILES.format(units=snapshot / "units.parquet")
        sql.execute(f"COPY ({query}) TO '{snapshot / 'files'}.parquet'")
    Path(places.ledger("current.json")).write_text(Current(generation=GENERATION).model_dump_json())
    size = sum(path.stat().st_size for path in snapshot.iterdir())
    print(f"{units:,} units of {numbers['documents']:,} documents, {size / 2**20:.0f} MB on disk", flush=True)


def _measure(step: str, sink: str) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    said = STEPS[step](sink)
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = time.perf_counter() - began
    print(
        f"{step}: {time.process_time() - cpu:.1f} CPU-s, {seconds:.1f} s, peak {used.ru_maxrss / 2**10:.0f} MB; {said}",
        flush=True,
    )


def _open(sink: str) -> str:
    with Ledger(open_store(sink), Places(sink), "bench") as ledger:
        (count,) = ledger.rows("SELECT count(*) FROM cover")[0]
    return f"{count:,} ranges"


def _select(sink: str) -> str:
    with Ledger(open_store(sink), Places(sink), "bench") as ledger:
        load_manifest(ledger, open_store(sink), ())
        ledger.execute("INSERT INTO manifest SELECT source_id, uri, version, size_bytes, modified_at FROM source")
        ledger.execute("DELETE FROM cover")
        return f"{select(ledger, tasks=['t'], job_name='nightly', backfill=False).units:,} units to do"


def _fold(sink: str) -> str:
    store, places = open_store(sink), Places(sink)
    with Ledger(store, places, "bench") as ledger:
        for number in range(RECORDS_FOLDED):
            ledger.record_sources([_unreadable(number * ROWS_PER_RECORD + row) for row in range(ROWS_PER_RECORD)])
        publish(ledger, store, places, "bench")
        (count,) = ledger.rows("SELECT count(*) FROM source")[0]
    return f"{count:,} source objects, generation {ledger.current.generation}"


def _unreadable(number: int) -> Inspected:
    failure = Failure(stage="open", code="damaged", message="made up")
    uri = f"s3://lake/new/{number}.pdf"
    return Inspected(
        source_id=identity(uri, "1"), uri=uri, version="1", size_bytes=1, failures=(failure,), job_name="nightly", run_id="bench", recorded_at=NOW
    )  # fmt: skip


STEPS: dict[str, Callable[[str], str]] = {"open": _open, "select": _select, "fold": _fold}

if __name__ == "__main__":
    main()
