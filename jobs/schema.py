"""`pagemill schema`: the job file's JSON Schema for editors, and table definitions of the datasets for query engines."""

import json

import click

from schemas.job import Job

_MODELINE = "# yaml-language-server: $schema=job.schema.json"


@click.command()
@click.option(
    "--ddl",
    "dialect",
    type=click.Choice(["duckdb", "spark", "athena", "snowflake"]),
    help="Print CREATE TABLE statements instead.",
)
@click.option("--location", metavar="URI", default="s3://your-bucket/your-sink", help="The job's sink, for --ddl.")
def schema(dialect: str | None, location: str) -> None:
    r"""Print the job file's JSON Schema, or the datasets' table definitions.

    Editors complete job files by it: save it as job.schema.json, and begin the job file with the line

    \b
        # yaml-language-server: $schema=job.schema.json
    """
    if dialect:
        from jobs.ddl import ddl

        click.echo(ddl(dialect, location))
    else:
        click.echo(json.dumps(job_schema(), indent=2))


def job_schema() -> dict[str, object]:
    """Return the JSON Schema of a job file (draft 2020-12)."""
    described = (
        "A Pagemill job. In an editor with a YAML language server, the first line of a job file names this schema: " + _MODELINE
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Job.model_json_schema(),
        "title": "Pagemill job",
        "description": described,
    }
