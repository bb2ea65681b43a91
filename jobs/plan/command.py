"""`pagemill plan`: what a run would read, ask and cost."""

import sys
from collections.abc import Iterable

import click

from jobs.jobfile import with_sink
from jobs.plan.arithmetic import PEAK_TFLOPS, REACHED
from jobs.plan.words import in_words
from jobs.run import job_of


@click.command()
@click.argument("job_or_uri", metavar="JOB|FILE|FOLDER|S3-URI")
@click.option(
    "--sample", type=click.IntRange(min=1), default=40, show_default=True, metavar="N", help="How many documents to look at."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Which random documents those are.")
@click.option("--backfill", is_flag=True, help="Plan for a run with --backfill.")
@click.option(
    "--gpu", type=click.Choice(tuple(PEAK_TFLOPS)), default="h100", show_default=True, help="The GPU that is to do it."
)
@click.option("--price", type=click.FloatRange(min=0), metavar="DOLLARS", help="What an hour of that GPU costs.")
@click.option(
    "--reached",
    type=click.FloatRange(0, 1, min_open=True),
    default=REACHED,
    show_default=True,
    metavar="SHARE",
    help="The share of its peak that the GPU reaches (`make bench-gpu` measures it).",
)
@click.option("--sink", metavar="URI", help="Where the results will go, instead of where the job says.")
@click.option(
    "--keep/--no-keep",
    default=True,
    show_default=True,
    help="Keep the plan in the sink, so that `pagemill report` holds it against what came of it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def plan(
    job_or_uri: str,
    sample: int,
    seed: int,
    gpu: str,
    price: float | None,
    reached: float,
    sink: str | None,
    *,
    backfill: bool,
    keep: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Say what a run would read, ask and cost: the source is listed, and a sample of what is left to do is opened. No model is asked."""
    job = with_sink(job_of(job_or_uri), sink) if sink else job_of(job_or_uri)
    from jobs.plan.kept import keep as keep_plan
    from jobs.plan.make import make
    from jobs.plan.todo import Candidate

    def watch(drawn: tuple[Candidate, ...]) -> Iterable[Candidate]:
        if quiet or not sys.stderr.isatty():
            return drawn
        return click.progressbar(drawn, label="looking at documents", file=sys.stderr)

    made = make(job, sample=sample, seed=seed, backfill=backfill, gpu=gpu, dollars_per_hour=price, reached=reached, watch=watch)
    if keep:
        keep_plan(made)
    click.echo(made.model_dump_json(indent=2) if as_json else in_words(made))
