"""`pagemill validate`: job files checked in a blink, with everything wrong told at once; imports neither torch nor ray."""

import json

import click

from jobs.jobfile import load
from pipeline.errors import JobError
from pipeline.tasks.kinds import misfits
from schemas.job import Job


@click.command()
@click.argument("job_files", nargs=-1, required=True, metavar="JOB…")
@click.option("--json", "as_json", is_flag=True, help="Print the whole job, defaults included, as JSON (one job file only).")
def validate(job_files: tuple[str, ...], as_json: bool) -> None:
    """Check job files without starting anything."""
    if as_json and len(job_files) != 1:
        raise click.UsageError("--json prints one job: name one job file")
    jobs: list[tuple[str, Job]] = []
    wrong: list[str] = []
    for path in job_files:
        try:
            jobs.append((path, load(path)))
        except JobError as error:
            wrong.append(str(error))
    for path, job in jobs:
        click.echo(json.dumps(job.model_dump(mode="json"), indent=2) if as_json else f"{path}: {_in_words(job)}")
        for warning in misfits(job):
            click.echo(f"{path}: warning: {warning}", err=True)
    if wrong:
        raise JobError("\n".join(["this cannot run as it stands", *wrong]))


def _in_words(job: Job) -> str:
    tasks = ", ".join(task.type for task in job.tasks)
    rungs = " → ".join(
        f"{rung.resolution}" + ("" if rung.tiles == "none" else f" {rung.tiles} tiles") for rung in job.render.ladder
    )
    model = f"{job.model.checkpoint} on {job.model.engine} at {rungs}, text layer: {job.render.text_layer}"
    return f"ok: {job.name} reads {job.source.uri} ({tasks}) with {model}, into {job.sink.uri}"
