"""`pagemill evaluate`: a run against labels, or a grid of settings against a labelled sample."""

import sys

import click

_FORMS = ("truth", "labels", "sroie", "funsd", "cord", "docvqa", "pubtabnet")


@click.command()
@click.argument("sink", required=False)
@click.argument("labels", required=False)
@click.option("--format", "form", type=click.Choice(_FORMS), help="What LABELS is; found out from it, if not given.")
@click.option("--listed-only", is_flag=True, help="Leave out labelled documents that the run's source does not have.")
@click.option("--accept", "bounds", multiple=True, metavar="BOUND", help="What is good enough: cer<=0.03; may be repeated.")
@click.option("--resamples", type=click.IntRange(min=1), default=1000, show_default=True, help="For the intervals.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the report as Markdown.")
def evaluate(
    sink: str | None,
    labels: str | None,
    form: str | None,
    bounds: tuple[str, ...],
    resamples: int,
    seed: int,
    *,
    listed_only: bool,
    as_json: bool,
    as_markdown: bool,
) -> int:
    """Hold what a run read (SINK) against LABELS: truth files, JSONL or Parquet, SROIE, FUNSD, CORD, DocVQA or PubTabNet.

    Pages that are missing or rejected count as wrong. Exit codes: 0; 1 where a bound of --accept is broken.
    """
    from typing import cast

    from rich.console import Console

    from jobs.evaluate.accept import bound
    from jobs.evaluate.evaluation import evaluate as evaluated
    from jobs.evaluate.forms import Form
    from jobs.evaluate.words import markdown, show

    if sink is None or labels is None:
        raise click.UsageError("name the SINK of a run and its LABELS")
    wanted = [bound(text) for text in bounds]
    report = evaluated(sink, labels, form=cast("Form | None", form), listed_only=listed_only, resamples=resamples, seed=seed)
    if as_json:
        click.echo(report.model_dump_json(indent=2))
    elif as_markdown:
        click.echo(markdown(report))
    else:
        show(report, Console(file=sys.stdout))
    broken = [str(each) for each in wanted if not each.holds(report)]
    if broken:
        click.echo(f"not accepted: {', '.join(broken)}", err=True)
    return 1 if broken else 0
