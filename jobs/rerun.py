"""`pagemill rerun`: chosen pages once more."""

import click

from jobs.attend import attend, attended
from jobs.corrections import load_corrections
from jobs.recorded import job_or_sink
from pipeline.progress import Progress
from schemas.run import RunSummary


@click.command()
@click.argument("place", metavar="SINK|JOB")
@click.option(
    "--where",
    default=None,
    show_default="status IN ('partial', 'failed')",
    metavar="EXPR",
    help="DuckDB expression over the columns of pages/ and fields/; only pages of which it holds are read.",
)
@click.option(
    "--corrections",
    metavar="FILE",
    help="Read nothing again: put what a person corrected in a report in the place of what was read.",
)
@attended
def rerun(place: str, where: str | None, corrections: str | None, *, as_json: bool, quiet: bool) -> int:
    """Read those pages of SINK again of which an expression holds; the new rows take the place of the old.

    Without --where, all that was not wholly read is: documents that could not be opened are tried again, too. Such as still cannot are told,
    and count for nothing in the exit code; pages that are read again and are rejected do. Pages whose document the last run found gone from
    its source, or changed there, keep their rows.

    They are read by the job that made them, as it ran last. JOB is a job file: of a job that has changed since, or where several share a sink.

    With --corrections, values and lines that a person corrected while looking at a report (`pagemill report`) become the rows' own, as
    `human`; they stay, whatever is read or decoded again.
    """
    if where is not None and not where.strip():
        raise click.UsageError(
            "--where is empty: give an expression, or leave it out to read again whatever was not wholly read"
        )
    if where and corrections:
        raise click.UsageError("--corrections reads nothing again, so it goes without --where")
    job = job_or_sink(place)
    by_hand = load_corrections(corrections) if corrections else None
    from pipeline.flow import correct
    from pipeline.flow import rerun as read_again

    def work(progress: Progress) -> RunSummary:
        return correct(job, by_hand, progress=progress) if by_hand else read_again(job, where, progress=progress)

    return attend(work, as_json=as_json, quiet=quiet)
