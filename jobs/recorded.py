"""The job that made a sink, as its newest run recorded it: for commands that are told where results lie, and not what asked for them."""

from pathlib import Path

from jobs.jobfile import load
from pipeline.errors import JobError
from pipeline.places import Places
from pipeline.runs import Runs
from pipeline.storage import open_store
from schemas.job import Job, Workers

_FILES = (".yaml", ".yml")


def job_or_sink(place: str) -> Job:
    """Return the job of a job file, or the one that made a sink. Raises JobError where several did, or none."""
    return load(place) if Path(place).suffix in _FILES or Path(place).is_file() else recorded(place)


def recorded(sink_uri: str) -> Job:
    """Return the job that made a sink, the whole of it if it ran in shards; the sink may have moved since. Raises JobError as above."""
    found = {record.job.name: record.job for record in Runs(open_store(sink_uri), Places(sink_uri)).begun()}
    if not found:
        raise JobError(f"{sink_uri} is no job file, and no run is recorded there: give the job file, or the sink of a run")
    if len(found) > 1:
        raise JobError(f"{sink_uri} holds results of {', '.join(sorted(found))}: give the job file of one of them")
    (job,) = found.values()
    sink, workers = job.sink.model_copy(update={"uri": sink_uri}), Workers(**{**dict(job.workers), "shard": "1/1"})
    return job.model_copy(update={"sink": sink, "workers": workers})
