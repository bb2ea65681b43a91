"""What publishing many small parts costs, as a night of small documents leaves them.

    python tests/bench/publication.py [--parts 1000] [--documents 8]

Each part holds so many documents of one page with a line of text, staged and committed as workers do it. The publication has a process of its
own, which prints CPU seconds, seconds on the clock and the peak of its memory.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from pipeline.ledger import Ledger
from pipeline.places import Places
from pipeline.publish import publish
from pipeline.settle import Circumstances, PageFacts, rows
from pipeline.staging import Part
from pipeline.storage import open_store
from pipeline.verify import verify
from schemas.source import Inspected, identity
from schemas.unit import Origin, StagedPart, Tally, Unit

RUN, NOW = "made-up", datetime(2026, 3, 1, tzinfo=UTC)


def main() -> None:
    """Stage the parts, publish them in another process, and recount them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--parts", type=int, default=1000)
    options.add_argument("--documents", type=int, default=8)
    options.add_argument("--publish", metavar="SINK")
    chosen = options.parse_args()
    if chosen.publish:
        _publish(chosen.publish)
        return
    with tempfile.TemporaryDirectory() as folder:
        _stage(folder, chosen.parts, chosen.documents)
        subprocess.run([sys.executable, __file__, "--publish", folder], check=True)
        print("exact" if verify(folder).is_exact else "NOT EXACT", flush=True)


def _publish(sink: str) -> None:
    store, places = open_store(sink), Places(sink)
    with Ledger(store, places, "night") as ledger:
        began, before = time.perf_counter(), time.process_time()
        publish(ledger, store, places, "night")
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - before
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())  # getrusage's is the parent's, too
    print(f"publish: {cpu_s:.1f} CPU-s, {seconds:.1f} s, peak {int(peak[1]) / 2**10 if peak else 0:.0f} MB", flush=True)


def _stage(sink: str, parts: int, documents: int) -> None:
    store, places = open_store(sink), Places(sink)
    with Ledger(store, places, RUN) as ledger:
        known = [_known(number) for number in range(parts * documents)]
        ledger.record_sources(known)
        staged = [_part(sink, known[first : first + documents]) for first in range(0, len(known), documents)]
        ledger.commit(staged, job_name="bench", at=NOW)


def _known(number: int) -> Inspected:
    uri = f"s3://b/{number:06}.pdf"
    return Inspected(
        source_id=identity(uri, "1"), uri=uri, version="1", size_bytes=10, document_id=identity("document", str(number)),
        media_type="application/pdf", page_count=1, job_name="bench", run_id=RUN, recorded_at=NOW,
    )  # fmt: skip


def _part(sink: str, documents: list[Inspected]) -> StagedPart:
    units = [_unit(known) for known in documents]
    part = Part(open_store(sink), Places(sink), RUN, units)
    for unit in units:
        facts = PageFacts(0, 600.0, 800.0, 0).with_text("Invoice 2026-117, total 1,204.50 EUR", (), ())
        made = rows(facts, [], unit.origins[0], unit.document_id, Circumstances("bench", RUN, NOW, "hash", "made up"), 0.1)
        part.add(unit, unit.origins[0], made, tasks=("t",), jobs=("bench",))
    return part.stage(Tally(), "made up", NOW)


def _unit(known: Inspected) -> Unit:
    origin = Origin(source_id=known.source_id, uri=known.uri, version=known.version, size_bytes=10)
    return Unit(document_id=known.document_id or "", media_type="application/pdf", origins=(origin,), first_page=0, n_pages=1)


if __name__ == "__main__":
    main()
