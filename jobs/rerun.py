"""`pagemill rerun`: chosen pages once more."""

import sys

import click

from jobs.corrections import load_corrections
from jobs.interrupt import interruptible
from jobs.jobfile import load
from jobs.progress import watch
from jobs.summary import in_words


UNREAD = "status IN ('partial', 'failed')"


@click.command()
@click.argument("job_file", metavar="JOB")
@click.option(
    "--where",
    default=None,
    show_default=UNREAD,
    metavar="EXPR",
    help="DuckDB expression over the columns of pages/ and fields/.",
)
@click.option(
    "--corrections",
    metavar="FILE",
    help="Read nothing again: put what a person corrected in a report in the place of what was read.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def rerun(job_file: str, where: str | None, corrections: str | None, *, as_json: bool, quiet: bool) -> int:
    """Read those pages of JOB again of which an expression holds; the new rows take the place of the old.

    With --corrections, values and lines that a person corrected while looking at a report (`pagemill report`) become the rows' own, as
    `human`; they stay, whatever is read or decoded again.
    """
    if where and corrections:
        raise click.UsageError("--corrections reads nothing again, so it goes without --where")
    job = load(job_file)
    by_hand = load_corrections(corrections) if corrections else None
    from pipeline.flow import correct
    from pipeline.flow import rerun as read_again

    with interruptible(sys.stderr), watch(sys.stderr, quiet=quiet) as progress:
        summary = correct(job, by_hand, progress=progress) if by_hand else read_again(job, where or UNREAD, progress=progress)
    click.echo(summary.model_dump_json(indent=2) if as_json else in_words(summary, sys.executable))
    return summary.exit_code
