"""`pagemill evaluate`: a run against labels, or a grid of settings against a labelled sample."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from rich.console import Console

    from jobs.evaluate.accept import Bound
    from jobs.evaluate.forms import Form
    from jobs.evaluate.report import Report
    from schemas.job import Job
    from schemas.run import RunOptions, RunSummary

_WIDE = 240
_FORMS = ("truth", "labels", "sroie", "funsd", "cord", "docvqa", "pubtabnet")


@click.command()
@click.argument("sink", required=False)
@click.argument("labels", required=False)
@click.option("--format", "form", type=click.Choice(_FORMS), help="What LABELS is; found out from it, if not given.")
@click.option("--listed-only", is_flag=True, help="Leave out labelled documents that the run's source does not have.")
@click.option(
    "--grid",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="GRID",
    help="Run and judge every combination of a grid file.",
)
@click.option(
    "--calibrate",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Fit confidence to LABELS, and write its weights to FILE, for `confidence: {model: FILE}`.",
)
@click.option("--accept", "bounds", multiple=True, metavar="BOUND", help="What is good enough: cer<=0.03; may be repeated.")
@click.option("--resamples", type=click.IntRange(min=1), default=1000, show_default=True, help="For the intervals.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the report as Markdown.")
def evaluate(
    sink: str | None,
    labels: str | None,
    form: str | None,
    grid: Path | None,
    calibrate: Path | None,
    bounds: tuple[str, ...],
    resamples: int,
    seed: int,
    *,
    listed_only: bool,
    as_json: bool,
    as_markdown: bool,
) -> int:
    """Hold what a run read (SINK) against LABELS: truth files, JSONL or Parquet, SROIE, FUNSD, CORD, DocVQA or PubTabNet.

    Pages that are missing or rejected count as wrong. With --grid, a labelled sample is read with every combination of checkpoints,
    resolutions, tiles and prompts, into sinks of their own, and the cheapest that is good enough comes first. Exit codes: 0; 1 where
    a bound of --accept is broken, by all of a grid; 3 where a run of a grid is not complete.

    \b
    A grid file names settings to try in every combination; what is left out stays as in the job:
      job: invoices.yaml
      labels: labelled/               # as LABELS above
      sample: 50                      # documents of the job's source, the same for all
      scratch: pagemill-grid          # where the runs' sinks go
      checkpoints: [embedded, s3://models/pg2-3b-448]
      resolutions: [224, 448]
      tiles: [none, whitespace]
      prompts: [{name: own}, {name: bare, answer: "{question}"}]
    """  # noqa: D301 - a backspace is click's word for "wrap no lines here"
    from jobs.evaluate.accept import bound

    wanted = [bound(text) for text in bounds]
    how = "json" if as_json else "markdown" if as_markdown else "terminal"
    if grid is not None:
        if sink is not None or form is not None or listed_only or calibrate:
            raise click.UsageError(
                "--grid names its job, labels and format itself, leaves out what is not listed, and calibrates nothing"
            )
        return _grid(grid, wanted, resamples, how)
    if sink is None or labels is None:
        raise click.UsageError("name the SINK of a run and its LABELS, or a --grid")
    from jobs.evaluate.evaluation import evaluate as evaluated

    report = evaluated(
        sink,
        labels,
        form=cast("Form | None", form),
        listed_only=listed_only,
        resamples=resamples,
        seed=seed,
        calibrate_to=calibrate,
    )
    return _say(report, wanted, how)


def _say(report: "Report", bounds: "Sequence[Bound]", how: str) -> int:
    from jobs.evaluate.words import markdown, show

    if how == "json":
        click.echo(report.model_dump_json(indent=2))
    elif how == "markdown":
        click.echo(markdown(report))
    else:
        show(report, _console())
    broken = [str(each) for each in bounds if not each.holds(report)]
    if broken:
        click.echo(f"not accepted: {', '.join(broken)}", err=True)
    return 1 if broken else 0


def _grid(path: Path, bounds: "Sequence[Bound]", resamples: int, how: str) -> int:
    from jobs.evaluate.grid import rows_of, run_grid, table_of
    from jobs.evaluate.gridfile import read_grid
    from jobs.evaluate.words import markdown_table

    report = run_grid(read_grid(path), bounds, _run, resamples=resamples)
    if how == "json":
        click.echo(report.model_dump_json(indent=2))
    elif how == "markdown":
        click.echo(markdown_table(*rows_of(report)))
    else:
        _console().print(table_of(report))
    return report.exit_code


def _console() -> "Console":
    """Return standard output; where it is no terminal, with room for whole lines, since someone's program cuts or greps them."""
    from rich.console import Console

    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDE)


def _run(job: "Job", options: "RunOptions") -> "RunSummary":
    """Run one combination, with its progress on stderr."""
    from jobs.interrupt import interruptible
    from jobs.progress import watch
    from pipeline.flow import run

    click.echo(f"{job.sink.uri}: {job.model.checkpoint}", err=True)
    with interruptible(sys.stderr), watch(sys.stderr) as progress:
        return run(job, options=options, progress=progress)
