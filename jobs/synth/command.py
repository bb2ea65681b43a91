"""`pagemill synth`: write made-up documents and their truth into a folder."""

from pathlib import Path

import click

from jobs.synth.document import KINDS, Split
from jobs.synth.examples import synth_examples
from jobs.synth.finish import FINISHES
from jobs.synth.folder import synth as write_documents


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--count", default=10, show_default=True, type=click.IntRange(min=1), help="How many documents.")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="The first document's seed; the next have the next.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(sorted(KINDS)),
    help="A kind of document; may be repeated. All, if none.",
)
@click.option(
    "--finish",
    "finishes",
    multiple=True,
    type=click.Choice(FINISHES),
    help="A finish; may be repeated. All that open, if none.",
)
@click.option(
    "--split",
    default="train",
    show_default=True,
    type=click.Choice(["train", "evaluate"]),
    help="Seeds of one never meet the other's.",
)
@click.option("--examples", is_flag=True, help="The documents that ship with the project, and no others.")
def synth(
    out: Path, count: int, seed: int, kinds: tuple[str, ...], finishes: tuple[str, ...], split: str, *, examples: bool
) -> None:
    """Write made-up documents, and the truth of their pages beside them, into the folder OUT."""
    side: Split = "evaluate" if split == "evaluate" else "train"
    paths = (
        synth_examples(out)
        if examples
        else write_documents(out, count=count, seed=seed, kinds=kinds, finishes=finishes, split=side)
    )
    click.echo(f"{len(paths)} documents in {out}, each with its truth in a .truth.json beside it")
