"""What it costs to find out that nothing is to be done: a finished job over made-up objects, against listing them alone.

    python tests/bench/ledger.py [--objects 100000] [--profile]

Prints the seconds of the list step alone (listing and manifest), those of the whole run of the finished job, and their ratio (aim 1.2).
Making the objects and their ledger beforehand takes some minutes and is not counted.
"""

import argparse
import cProfile
import pstats
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from pipeline.flow import run
from pipeline.ledger import Ledger
from pipeline.listing import list_source, write_manifest
from pipeline.places import Places
from pipeline.publish import publish
from pipeline.questions import questions
from pipeline.settle import Circumstances, PageFacts, rows
from pipeline.staging import Part
from pipeline.storage import Store, open_store
from schemas.job import Job, Model, Sink, Source
from schemas.source import Inspected
from schemas.unit import Origin, StagedPart, Tally, Unit

PER_PART = 1000
REPEATS = 3


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--objects", type=int, default=100_000)
    options.add_argument("--profile", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        job = _source(Path(folder), chosen.objects)
        _finish(job)
        if chosen.profile:
            profile = cProfile.Profile()
            profile.runcall(run, job)
            pstats.Stats(profile).sort_stats("cumulative").print_stats(45)
        listing = min(_timed_listing(job) for _ in range(REPEATS))
        whole = min(_timed_run(job, chosen.objects) for _ in range(REPEATS))
    print(f"{chosen.objects:,} objects: listing {listing:.2f} s, finished job {whole:.2f} s, ratio {whole / listing:.2f}")


def _source(folder: Path, objects: int) -> Job:
    source = folder / "in"
    for number in range(objects):
        path = source / f"{number // 1000:05}" / f"{number:07}.pdf"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.touch()
    return Job(name="bench", source=Source(uri=str(source)), model=Model(engine="scripted"), sink=Sink(uri=str(folder / "out")))


def _timed_listing(job: Job) -> float:
    began = time.perf_counter()
    write_manifest(list_source(job.source, sink_uri=job.sink.uri), open_store(job.sink.uri), f"{job.sink.uri}-listed")
    return time.perf_counter() - began


def _timed_run(job: Job, objects: int) -> float:
    began = time.perf_counter()
    summary = run(job)
    seconds = time.perf_counter() - began
    if (summary.objects_known, summary.pages_selected, summary.exit_code) != (objects, 0, 0):
        raise SystemExit(f"the job was not finished: {summary}")
    return seconds


def _finish(job: Job) -> None:
    """Let the ledger and the datasets say that every object is read."""
    store, places, now = open_store(job.sink.uri), Places(job.sink.uri), datetime.now(UTC)
    marks = [question.fingerprint for question in questions(job)]
    with Ledger(store, places, "made-up") as ledger:
        known = [
            Inspected(
                **dict(item), source_id=item.source_id, document_id=item.source_id, media_type="application/pdf", page_count=1,
                job_name=job.name, run_id="made-up", recorded_at=now,
            )
            for item in list_source(job.source)
        ]  # fmt: skip
        ledger.record_sources(known)
        parts = [
            _part(store, places, job, known[start : start + PER_PART], marks, now) for start in range(0, len(known), PER_PART)
        ]
        ledger.commit(parts, job_name=job.name, at=now)
        publish(ledger, store, places, "made-up")


def _part(store: Store, places: Places, job: Job, known: list[Inspected], marks: list[str], now: datetime) -> StagedPart:
    units, given = [], Circumstances(job.name, "made-up", now)
    for item in known:
        origin = Origin(source_id=item.source_id, uri=item.uri, version=item.version, size_bytes=item.size_bytes)
        units.append(Unit(document_id=item.source_id, media_type="application/pdf", origins=(origin,), first_page=0, n_pages=1))
    part = Part(store, places, "made-up", units)
    for unit in units:
        facts = PageFacts(0, 100.0, 100.0, 0).with_text("made up", (), ())
        part.add(
            unit, unit.origins[0], rows(facts, (), unit.origins[0], unit.document_id, given, 0.0), tasks=marks, jobs=[job.name]
        )
    return part.stage(Tally(), None, now)


if __name__ == "__main__":
    main()
