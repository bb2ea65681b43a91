"""`pagemill redecode`: a better decoder over what the model said before."""

import click

from jobs.attend import attend, attended
from jobs.jobfile import load


@click.command()
@click.argument("job_file", metavar="JOB")
@attended
def redecode(job_file: str, *, as_json: bool, quiet: bool) -> int:
    """Make the rows of all pages that JOB has read anew from the completions they keep. No document is opened and no model asked."""
    job = load(job_file)
    from pipeline.flow import redecode as decode_again

    return attend(lambda progress: decode_again(job, progress=progress), as_json=as_json, quiet=quiet)
