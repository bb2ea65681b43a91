"""A canary: labelled pages that are read before everything else. Where they are read worse than the job allows, nothing else is.

They are read as the job reads its own, into a place of their own under the sink, which is removed; the verdict is kept there.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from secrets import token_hex

from jobs.evaluate.accept import bound
from jobs.evaluate.evaluation import evaluate
from jobs.evaluate.report import Report
from pipeline.errors import CanaryFailed, RunError
from pipeline.places import Places
from pipeline.progress import Progress
from pipeline.storage import open_store
from schemas.job import Canary, Job, Sink, Source, Stop, Workers
from schemas.run import RunSummary

Run = Callable[..., RunSummary]
_LABELS = ("**/*.json", "**/*.jsonl", "**/*.ndjson", "**/*.parquet", "**/*.txt", "**/*.csv")
_RESAMPLES = 1  # the bound is held against the score itself, not its interval


def watched(job: Job, run: Run, progress: Progress) -> RunSummary:
    """Read the canary, if the job has one, and then run the job. Raises CanaryFailed, with nothing of the job done, where it is read too badly."""
    if job.canary is not None:
        _listen(job, job.canary, run, progress)
    return run(job, progress=progress)


def _listen(job: Job, canary: Canary, run: Run, progress: Progress) -> None:
    bounds = [bound(text) for text in canary.accept]
    places = Places(job.sink.uri)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{token_hex(3)}"
    sink = places.canary(name)
    progress.note("the canary is read first")
    try:
        report = _read(_job_of(job, canary, sink), canary, run, progress)
    finally:
        store = open_store(sink)
        store.delete([item.uri for item in store.list(sink)])
    store.write(places.canary(f"{name}.json"), report.model_dump_json(indent=1).encode())
    broken = [str(each) for each in bounds if not each.holds(report)]
    if broken:
        scores = ", ".join(f"{score.task}.{score.metric} {score.value:.3g}" for score in report.totals)
        raise CanaryFailed(
            f"the canary is read too badly, so nothing was read or published: {', '.join(broken)} does not hold ({scores}); "
            f"see to the checkpoint, the engine and the renderer, or to the labels in {canary.labels or canary.uri}"
        )


def _read(job: Job, canary: Canary, run: Run, progress: Progress) -> Report:
    summary = run(job, progress=progress)
    if summary.exit_code == 3:  # what is rejected counts as wrong below; what was not read says nothing
        raise RunError(f"the canary was not read to its end: {'; '.join(summary.left_reasons) or 'it was interrupted'}")
    return evaluate(job.sink.uri, canary.labels or canary.uri, resamples=_RESAMPLES)


def _job_of(job: Job, canary: Canary, sink: str) -> Job:
    workers = Workers(**{**dict(job.workers), "shard": "1/1"})
    return job.model_copy(
        update={
            "name": f"{job.name[:120]}-canary",
            "source": Source(uri=canary.uri, exclude=_LABELS, passwords=job.source.passwords),
            "sink": Sink(uri=sink),
            "stop": Stop(),
            "workers": workers,
            "canary": None,
        }
    )
