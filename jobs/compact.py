"""`pagemill compact`: many small files into few large ones, and on request without what is gone from its source."""

import click


@click.command()
@click.argument("sink_uri", metavar="SINK")
@click.option("--drop-deleted", is_flag=True, help="Remove all rows of documents whose objects are gone from their source.")
def compact(sink_uri: str, *, drop_deleted: bool) -> int:
    """Merge the small files of SINK's datasets into files of 128 MB; the rows stay what they are.

    Documents that are gone from their source keep their rows, with the status `deleted`, until --drop-deleted is given; of Iceberg
    tables the older snapshots, which still show them, then go too. The ledger goes on knowing the objects' names.
    """
    from pipeline.flow import compact as merge_files

    dropped = merge_files(sink_uri, without_deleted=drop_deleted)
    if drop_deleted:
        click.echo(f"{dropped:,} document{'' if dropped == 1 else 's'} that the source no longer has: all rows removed")
    click.echo(f"{sink_uri} is compact; `pagemill verify {sink_uri}` proves that nothing is missing")
    return 0
