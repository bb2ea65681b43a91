"""`pagemill run`: a job file, or a place with documents, through the whole flow."""

import sys
from pathlib import Path

import click

from jobs.glimpse import glimpse
from jobs.interrupt import interruptible
from jobs.jobfile import adhoc, load, with_sink
from jobs.progress import watch
from jobs.summary import in_words
from schemas.job import Job
from schemas.run import RunOptions


@click.command()
@click.argument("job_or_uri", metavar="JOB|FILE|FOLDER|S3-URI")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N objects only.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Take N objects at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which random N objects --sample takes.")
@click.option("--backfill", is_flag=True, help="Ask new tasks and fields of documents that are read already, too.")
@click.option("--sink", metavar="URI", help="Where the results go, instead of where the job says.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
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
    from pipeline.flow import run as run_job

    options = RunOptions(limit=limit, sample=sample, seed=seed, backfill=backfill)
    with interruptible(sys.stderr), watch(sys.stderr, quiet=quiet) as progress:
        summary = run_job(job, options=options, progress=progress)
    click.echo(summary.model_dump_json(indent=2) if as_json else f"{glimpse(summary)}{in_words(summary, _python())}")
    return summary.exit_code


def job_of(job_or_uri: str) -> Job:
    """Return the job of a job file, or one for a place with documents."""
    return load(job_or_uri) if Path(job_or_uri).suffix in (".yaml", ".yml") else adhoc(job_or_uri)


def _python() -> str:
    here, interpreter = Path.cwd(), Path(sys.executable)
    return str(interpreter.relative_to(here) if interpreter.is_relative_to(here) else interpreter)
