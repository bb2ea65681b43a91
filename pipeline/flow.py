"""The whole machine on one screen: list → inspect → select → pass → commit → conclude → publish."""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from pipeline.claim import claim
from pipeline.correction import Corrector
from pipeline.interruption import named
from pipeline.ledger import Ledger
from pipeline.places import Places
from pipeline.progress import Progress, Silent
from pipeline.publish import publish
from pipeline.register import drop_deleted
from pipeline.steps import Steps
from pipeline.storage import open_store
from pipeline.where import checked
from schemas.correction import Corrections
from schemas.job import Job
from schemas.run import RunKind, RunOptions, RunSummary

UNREAD = "status IN ('partial', 'failed')"
"""Of which pages this holds, those were not wholly read."""


def run(job: Job, *, options: RunOptions | None = None, progress: Progress | None = None) -> RunSummary:
    """Do all of the job that is not done, and return what came of it; its `exit_code` says whether it must be run again.

    Raises JobLocked while another run of this job is at work on the sink, and JobError, StorageError or CheckpointError on what no
    retry cures. Ctrl-C (KeyboardInterrupt) ends the work under way, keeps what is done, and is reported in the summary.
    """
    with _begun(job, options, progress) as steps:
        with steps.interruptible():
            steps.list_objects()
            if steps.is_finished():
                return steps.end()
            steps.compare()
            steps.inspect()
            steps.select()
            steps.read()
            steps.conclude()
        steps.publish()
        steps.seal()
        return steps.end()


def rerun(job: Job, where: str | None = None, *, progress: Progress | None = None) -> RunSummary:
    """Read the job's pages of which `where` holds once more, in place of the rows that they have.

    `where` is an expression of DuckDB over the columns of pages/ and fields/ (of those that both have, the page's). Without one, all that was
    not wholly read is read again, and documents that could not be opened are tried again. Raises JobError on what is no such expression.
    """
    asked = checked(UNREAD if where is None else where)
    with _begun(job, None, progress, "rerun") as steps:
        with steps.interruptible():
            if where is None:
                steps.list_unreadable()
                steps.inspect(again=True)
                steps.select()
                steps.read()
            steps.select_where(asked)
            steps.read()
            steps.conclude()
        steps.publish()
        return steps.end()


def redecode(job: Job, *, progress: Progress | None = None) -> RunSummary:
    """Make the rows of all pages that the job has read anew from the completions they keep: no document is opened, no model asked."""
    with _begun(job, None, progress, "redecode") as steps:
        with steps.interruptible():
            steps.select_kept()
            steps.decode_again()
            steps.conclude()
        steps.publish()
        return steps.end()


def correct(job: Job, corrections: Corrections, *, progress: Progress | None = None) -> RunSummary:
    """Put a person's words in the place of what was read; they stay, whatever is read or decoded again.

    Raises JobError, with nothing changed, where a correction is no value of its field.
    """
    corrector = Corrector(job, corrections)
    with _begun(job, None, progress, "corrections") as steps:
        with steps.interruptible():
            steps.select_corrected(corrector)
            steps.correct(corrector)
        steps.publish()
        return steps.end()


def compact(sink_uri: str, *, without_deleted: bool = False) -> int:
    """Merge the small files of a sink's datasets into files of 128 MB; return how many objects were dropped.

    With `without_deleted`, all rows of objects that are gone from their source are dropped. An object that comes back is read anew.
    """
    store, places, run_id = open_store(sink_uri), Places(sink_uri), _new_run_id()
    with Ledger(store, places, run_id) as ledger:
        dropped = drop_deleted(ledger, run_id) if without_deleted else 0
        publish(ledger, store, places, run_id, compact=True, purge=without_deleted)
    return dropped


@contextmanager
def _begun(job: Job, options: RunOptions | None, progress: Progress | None, kind: RunKind = "run") -> Iterator[Steps]:
    run_id = _new_run_id()
    store, places = open_store(job.sink.uri), Places(job.sink.uri)
    part, parts = job.workers.shard_of
    with (
        named(),
        claim(store, places.claim(f"job-{job.name}-{part + 1}-of-{parts}"), run_id) as held,
        closing(Ledger(store, places, run_id)) as ledger,  # loaded by the step that needs it
    ):
        steps = Steps(job, options or RunOptions(), progress or Silent(), run_id, store, places, ledger, held, kind)
        steps.begin()
        yield steps


def _new_run_id() -> str:
    """Return an id that sorts by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
