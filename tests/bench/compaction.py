"""What compaction makes of many nights: the sizes of files before and after, and what it costs, over both formats.

    python tests/bench/compaction.py [--nights 10] [--mb 40] [--format parquet]

Each night publishes pages of made-up text, about so many MB of them as they lie in storage (hexadecimal digits, which zstd halves). Compaction
has a process of its own, and so has its second run, which should find nothing to do; each prints CPU seconds, seconds on the clock and the
peak of its memory.
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.flow import compact
from pipeline.format import settle_format, shown_files
from pipeline.ledger import Ledger
from pipeline.places import Places
from pipeline.publish import publish
from pipeline.settle import Circumstances, PageFacts, rows
from pipeline.staging import Part
from pipeline.storage import open_store
from pipeline.verify import verify
from schemas.job import Sink
from schemas.source import Inspected, identity
from schemas.unit import Origin, Tally, Unit

FORMATS = ("parquet", "iceberg")
MB, BYTES_PER_PAGE, PAGES_PER_PART = 2**20, 24_000, 256
EVENING = datetime(2026, 3, 1, tzinfo=UTC)


def main() -> None:
    """Fill a sink of each format night by night, and compact it twice."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--nights", type=int, default=10)
    options.add_argument("--mb", type=int, default=40)
    options.add_argument("--format", choices=FORMATS)
    options.add_argument("--compact", metavar="SINK")
    chosen = options.parse_args()
    if chosen.compact:
        _compact(chosen.compact)
        return
    for sink_format in [chosen.format] if chosen.format else FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            sink = Sink.model_validate({"uri": str(Path(folder) / "out"), "format": sink_format})
            for night in range(chosen.nights):
                _publish(sink, night, chosen.mb * MB // BYTES_PER_PAGE)
            print(f"{sink_format}: {chosen.nights} nights, {_sizes(sink.uri)}", flush=True)
            for _ in range(2):
                subprocess.run([sys.executable, __file__, "--compact", sink.uri], check=True)
            print(f"  then {_sizes(sink.uri)}; {'exact' if verify(sink.uri).is_exact else 'NOT EXACT'}", flush=True)


def _compact(sink_uri: str) -> None:
    began = time.perf_counter()
    compact(sink_uri)
    seconds, cpu_s = time.perf_counter() - began, time.process_time()
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())  # getrusage's is the parent's, too
    print(f"  compact: {cpu_s:.1f} CPU-s, {seconds:.1f} s, peak {int(peak[1]) / 2**10 if peak else 0:.0f} MB", flush=True)


def _publish(sink: Sink, night: int, pages: int) -> None:
    """Publish one document of so many pages, in parts as workers stage them."""
    store, places, run_id = open_store(sink.uri), Places(sink.uri), f"night-{night:03}"
    settle_format(store, places, sink)
    rng, at = random.Random(night), EVENING + timedelta(seconds=night)  # noqa: S311 (any text)
    uri, document_id = f"s3://b/{night:03}.pdf", identity("document", str(night))
    known = Inspected(
        source_id=identity(uri, "1"), uri=uri, version="1", size_bytes=10, document_id=document_id, media_type="application/pdf",
        page_count=pages, job_name="bench", run_id=run_id, recorded_at=at,
    )  # fmt: skip
    with Ledger(store, places, run_id) as ledger:
        ledger.record_sources([known])
        origin = Origin(source_id=known.source_id, uri=uri, version="1", size_bytes=10)
        for first in range(0, pages, PAGES_PER_PART):
            count = min(PAGES_PER_PART, pages - first)
            unit = Unit(
                document_id=document_id, media_type="application/pdf", origins=(origin,), first_page=first, n_pages=count
            )
            part = Part(store, places, run_id, [unit])
            for page_index in range(first, first + count):
                facts = PageFacts(page_index, 600.0, 800.0, 0).with_text(rng.randbytes(BYTES_PER_PAGE).hex(), (), ())
                made = rows(facts, [], origin, document_id, Circumstances("bench", run_id, at, "hash", "made up"), 0.1)
                part.add(unit, origin, made, tasks=("t",), jobs=("bench",))
            ledger.commit([part.stage(Tally(), "made up", at)], job_name="bench", at=at)
        publish(ledger, store, places, run_id)


def _sizes(sink_uri: str) -> str:
    """Say how large the files of pages/ are that readers find."""
    with Ledger(open_store(sink_uri), Places(sink_uri), "sizes") as ledger:
        files = sorted(Path(sink_uri, file).stat().st_size / MB for file in shown_files(ledger)["pages"])
    return f"{len(files)} files of pages, " + ", ".join(f"{size:.0f}" for size in files) + " MB"


if __name__ == "__main__":
    main()
