"""`pagemill redecode`: a better decoder over what the model said before."""

import sys

import click

from jobs.interrupt import interruptible
from jobs.jobfile import load
from jobs.progress import watch
from jobs.summary import in_words


@click.command()
@click.argument("job_file", metavar="JOB")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def redecode(job_file: str, *, as_json: bool, quiet: bool) -> int:
    """Make the rows of all pages that JOB has read anew from the completions they keep. No document is opened and no model asked."""
    job = load(job_file)
    from pipeline.flow import redecode as decode_again

    with interruptible(sys.stderr), watch(sys.stderr, quiet=quiet) as progress:
        summary = decode_again(job, progress=progress)
    click.echo(summary.model_dump_json(indent=2) if as_json else in_words(summary, sys.executable))
    return summary.exit_code
