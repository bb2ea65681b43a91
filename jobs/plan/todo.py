"""What is left to do for a job, and a random sample of it; nothing is opened, and nothing is written.

New objects are drawn by the hashes of their keys below the source and known documents by their ids', so that the same seed draws
the same ones, wherever a folder has been moved to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa

from pipeline.ledger import Ledger
from pipeline.listing import list_source
from pipeline.places import Places
from pipeline.questions import questions
from pipeline.selection import load_manifest, select, to_inspect, units
from pipeline.storage import open_store
from schemas.arrow import from_table, to_table
from schemas.job import Job
from schemas.source import SourceObject, identity
from schemas.unit import Unit

_ROWS_AT_ONCE = 10_000
_DRAWN = """
CREATE OR REPLACE TEMP TABLE drawn AS
SELECT document_id FROM (SELECT DISTINCT document_id FROM todo) ORDER BY sha256($1 || document_id) LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the sample is drawn from: a new object, or a document that is known, by its units."""

    new: SourceObject | None = None
    units: tuple[Unit, ...] = ()


@dataclass(frozen=True, slots=True)
class Todo:
    """How many objects were listed, how many candidates there are, and those that were drawn."""

    listed: int
    candidates: int
    drawn: tuple[Candidate, ...]


def todo(job: Job, *, sample: int, seed: int, backfill: bool) -> Todo:
    """List the source, hold it against the sink's ledger, and draw the sample from what is left."""
    store, places = open_store(job.sink.uri), Places(job.sink.uri)
    with Ledger(store, places, "plan") as ledger:
        listed = _list(ledger, job)
        tasks = [question.fingerprint for question in questions(job)]
        select(ledger, tasks=tasks, job_name=job.name, backfill=backfill)
        known = int(ledger.rows("SELECT count(DISTINCT document_id) FROM todo")[0][0])
        new, kept = 0, []
        for item in _new(ledger):
            new += 1
            kept.append((identity(str(seed), item.uri.removeprefix(job.source.uri)), Candidate(new=item)))
            if len(kept) > 2 * sample:
                kept = sorted(kept, key=lambda pair: pair[0])[:sample]
        kept += [(identity(str(seed), each[0].document_id), Candidate(units=each)) for each in _known(ledger, sample, seed)]
        drawn = tuple(candidate for _, candidate in sorted(kept, key=lambda pair: pair[0])[:sample])
        return Todo(listed, new + known, drawn)


def _list(ledger: Ledger, job: Job) -> int:
    """Load what is listed beside the ledger, as a run does from its manifest, and return how many objects there are."""
    load_manifest(ledger, open_store(job.sink.uri), ())
    objects, count = list_source(job.source, shard=job.workers.shard_of, sink_uri=job.sink.uri), 0
    while batch := [*islice(objects, _ROWS_AT_ONCE)]:
        source_ids = pa.array([item.source_id for item in batch], pa.string())
        ledger.insert("manifest", to_table(batch, SourceObject).append_column("source_id", source_ids))
        count += len(batch)
    return count


def _new(ledger: Ledger) -> Iterator[SourceObject]:
    for batch in to_inspect(ledger):
        yield from from_table(pa.Table.from_batches([batch]).drop_columns(["source_id"]), SourceObject)


def _known(ledger: Ledger, sample: int, seed: int) -> Iterator[tuple[Unit, ...]]:
    """Yield the units of the known documents with the smallest hashes, a document at a time."""
    ledger.execute(_DRAWN, [f"{seed}\0", sample])
    ledger.execute("DELETE FROM todo WHERE document_id NOT IN (SELECT document_id FROM drawn)")
    of_document: dict[str, list[Unit]] = {}
    for batch in units(ledger):
        for unit in from_table(pa.Table.from_batches([batch]), Unit):
            of_document.setdefault(unit.document_id, []).append(unit)
    yield from map(tuple, of_document.values())
