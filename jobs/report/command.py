"""`pagemill report`: what a sink holds, to look at in a browser."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jobs.report.pictures import Picture

PICTURES = 300


@click.command()
@click.argument("sink")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("pagemill-report"),
    show_default=True,
    help="The folder to write; an earlier report in it is replaced.",
)
@click.option(
    "--pictures",
    "picture_limit",
    type=click.IntRange(min=0),
    default=PICTURES,
    show_default=True,
    help="How many pages get a picture: the worst, and a sample of the others.",
)
@click.option("--all-pictures", is_flag=True, help="Picture every page.")
@click.option(
    "--one-file/--many-files",
    "is_one_file",
    default=None,
    help="One file for all, or data files beside it; by default small sinks are one.",
)
@click.option(
    "--evaluation",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What `pagemill evaluate SINK LABELS --json` said: shows how far confidence can be trusted.",
)
@click.option(
    "--price",
    type=click.FloatRange(min=0),
    metavar="DOLLARS",
    help="What an hour of a GPU costs, or of a machine without: shows what runs cost. By default as the last plan was told.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
def report(
    sink: str,
    out: Path,
    picture_limit: int,
    evaluation: Path | None,
    price: float | None,
    *,
    all_pictures: bool,
    is_one_file: bool | None,
    quiet: bool,
) -> None:
    """Make a report of what SINK holds: numbers, documents, and pages with what was found on them.

    It opens from disk and needs no network. Pictures are rendered from the documents, which must still be where they were read.
    """
    from jobs.report.build import build

    def watch(taken: "Iterator[Picture]", total: int) -> "Iterable[Picture]":
        if quiet or not total:
            return taken
        click.echo(f"picturing {total:,} pages", err=True)
        return _counted(taken, total)

    limit = None if all_pictures else picture_limit
    built = build(
        sink, out, picture_limit=limit, is_one_file=is_one_file, watch=watch, evaluation=evaluation, dollars_per_hour=price
    )
    missing = f", {built.unpictured:,} could not be pictured" if built.unpictured else ""
    made = ((built.documents, "document"), (built.pages, "page"), (built.pictures, "picture"))
    click.echo(", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in made) + missing)
    click.echo(f"open {built.index}")


def _counted(taken: "Iterator[Picture]", total: int) -> "Iterator[Picture]":
    with click.progressbar(taken, length=total, file=sys.stderr) as bar:
        yield from bar
