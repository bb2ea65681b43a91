"""What it costs to find out that nothing is to be done: a finished job over made-up objects, against listing them alone.

    python tests/bench/ledger.py [--objects 100000] [--profile]

Prints the CPU seconds of the list step alone (listing and manifest), of the whole run of the finished job (aim: 1.2 times that), and of
such a run whose seal is broken, as by another job's delivery; wall seconds in brackets. Medians of rounds in which each has its turn.
Making the objects and their ledger beforehand takes some minutes and is not counted.
"""

import argparse
import cProfile
import pstats
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

from pipeline.flow import run
from pipeline.ledger import Ledger
from pipeline.listing import list_source, write_manifest
from pipeline.places import OWN, Places
from pipeline.publish import publish
from pipeline.questions import questions
from pipeline.settle import Circumstances, PageFacts, rows
from pipeline.staging import Part
from pipeline.storage import Store, open_store
from schemas.job import Job, Model, Sink, Source
from schemas.source import Inspected
from schemas.unit import Origin, StagedPart, Tally, Unit

PER_PART = 1000
ROUNDS = 5


class Took(NamedTuple):
    """What something took."""

    cpu_s: float
    wall_s: float

    def __str__(self) -> str:
        return f"{self.cpu_s:.2f} s ({self.wall_s:.2f} s)"


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
        _timed(lambda: _run(job, chosen.objects))  # loads libraries, and seals the job
        rounds = [
            (
                _timed(lambda: _list(job)),
                _timed(lambda: _run(job, chosen.objects)),
                _timed(lambda: _run_unsealed(job, chosen.objects)),
            )
            for _ in range(ROUNDS)
        ]
    listing, whole, unsealed = (Took(*map(median, zip(*column, strict=True))) for column in zip(*rounds, strict=True))
    print(
        f"{chosen.objects:,} objects: listing {listing}, finished job {whole}, ratio {whole.cpu_s / listing.cpu_s:.2f}; "
        f"its seal broken {unsealed}, ratio {unsealed.cpu_s / listing.cpu_s:.2f}"
    )


def _source(folder: Path, objects: int) -> Job:
    source = folder / "in"
    for number in range(objects):
        path = source / f"{number // 1000:05}" / f"{number:07}.pdf"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.touch()
    return Job(name="bench", source=Source(uri=str(source)), model=Model(engine="scripted"), sink=Sink(uri=str(folder / "out")))


def _timed(work: Callable[[], None]) -> Took:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Took(time.process_time() - cpu, time.perf_counter() - wall)


def _list(job: Job) -> None:
    write_manifest(list_source(job.source, sink_uri=job.sink.uri), open_store(job.sink.uri), f"{job.sink.uri}-listed")


def _run_unsealed(job: Job, objects: int) -> None:
    store = open_store(job.sink.uri)
    store.delete([item.uri for item in store.list(f"{job.sink.uri}/{OWN}/seals")])
    _run(job, objects)


def _run(job: Job, objects: int) -> None:
    summary = run(job)
    if (summary.objects_known, summary.pages_selected, summary.exit_code) != (objects, 0, 0):
        raise SystemExit(f"the job was not finished: {summary}")


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
