"""`pagemill rerun`: chosen pages once more."""

import sys

import click

from jobs.interrupt import interruptible
from jobs.jobfile import load
from jobs.progress import watch
from jobs.summary import in_words


@click.command()
@click.argument("job_file", metavar="JOB")
@click.option(
    "--where",
    default="status IN ('partial', 'failed')",
    show_default=True,
    metavar="EXPR",
    help="DuckDB expression over the columns of pages/ and fields/.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def rerun(job_file: str, where: str, *, as_json: bool, quiet: bool) -> int:
    """Read those pages of JOB again of which an expression holds; the new rows take the place of the old."""
    job = load(job_file)
    from pipeline.flow import rerun as read_again

    with interruptible(sys.stderr), watch(sys.stderr, quiet=quiet) as progress:
        summary = read_again(job, where, progress=progress)
    click.echo(summary.model_dump_json(indent=2) if as_json else in_words(summary, sys.executable))
    return summary.exit_code
