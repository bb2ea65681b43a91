"""`pagemill run`: a job file, or a place with documents, through the whole flow."""

from pathlib import Path

import click

from jobs.attend import attend, attended
from jobs.jobfile import adhoc, load, with_sink
from pipeline.progress import Progress
from schemas.job import Job
from schemas.run import RunOptions, RunSummary


@click.command()
@click.argument("job_or_uri", metavar="JOB|FILE|FOLDER|S3-URI")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N objects only.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Take N objects at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which random N objects --sample takes.")
@click.option("--backfill", is_flag=True, help="Ask new tasks and fields of documents that are read already, too.")
@click.option("--sink", metavar="URI", help="Where the results go, instead of where the job says.")
@attended
def run(
    job_or_uri: str,
    limit: int | None,
    sample: int | None,
    seed: int,
    sink: str | None,
    *,
    backfill: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Read documents into Parquet.

    JOB is a job file (.yaml); anything else is a place with documents, whose text goes to ./pagemill-out unless --sink says otherwise.
    """
    if limit and sample:
        raise click.UsageError("--limit takes the first objects and --sample random ones: give one of them")
    job = job_of(job_or_uri)
    if sink:
        job = with_sink(job, sink)
    from jobs.canary import watched
    from pipeline.flow import run as run_job

    options = RunOptions(limit=limit, sample=sample, seed=seed, backfill=backfill)

    def read(wanted: Job, *, progress: Progress) -> RunSummary:
        return run_job(wanted, options=options if wanted is job else RunOptions(), progress=progress)

    return attend(lambda progress: watched(job, read, progress), as_json=as_json, quiet=quiet)


def job_of(job_or_uri: str) -> Job:
    """Return the job of a job file, or one for a place with documents."""
    return load(job_or_uri) if Path(job_or_uri).suffix in (".yaml", ".yml") else adhoc(job_or_uri)
