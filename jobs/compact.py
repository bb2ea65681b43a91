"""`pagemill compact`: many small files into few large ones."""

import click


@click.command()
@click.argument("sink_uri", metavar="SINK")
def compact(sink_uri: str) -> int:
    """Merge the small files of SINK's datasets into files of 128 MB; the rows stay what they are."""
    from pipeline.flow import compact as merge_files

    merge_files(sink_uri)
    click.echo(f"{sink_uri} is compact; `pagemill verify {sink_uri}` proves that nothing is missing")
    return 0
