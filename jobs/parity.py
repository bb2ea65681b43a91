"""`pagemill parity`: asks a served checkpoint the exam and shows where its answers leave the reference's."""

import json
from dataclasses import asdict
from typing import Literal

import click

from schemas.job import Model


@click.command()
@click.argument("checkpoint")
@click.option(
    "--engine", type=click.Choice(["vllm", "transformers"]), default="vllm", show_default=True, help="What serves it."
)
@click.option("--dtype", type=click.Choice(["float32", "bfloat16"]), default="bfloat16", show_default=True)
@click.option("--revision", help="The revision of a hub id.")
@click.option("--adapter", help="A LoRA adapter, named like a checkpoint; it is merged into it.")
@click.option(
    "--quantization", type=click.Choice(["int4"]), help="Serve it in four bits, against the reference on the rounded weights."
)
@click.option("--tensor-parallel", "gpus", type=click.IntRange(min=1), default=1, help="Over how many GPUs it is spread.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict, and the reference's answers, as JSON.")
def parity(
    checkpoint: str,
    engine: Literal["vllm", "transformers"],
    dtype: Literal["float32", "bfloat16"],
    revision: str | None,
    adapter: str | None,
    quantization: Literal["int4"] | None,
    gpus: int,
    *,
    as_json: bool,
) -> int:
    """Check that an engine computes with CHECKPOINT what the reference computes.

    CHECKPOINT is `embedded`, a folder, an s3:// prefix or a hub id. The exit code is 0 where it does, and 2 where it does not.
    """
    from pipeline.engines.parity import examine
    from pipeline.engines.reference import reference
    from pipeline.engines.start import launch, prepare

    asked = Model(
        checkpoint=checkpoint,
        revision=revision,
        engine=engine,
        dtype=dtype,
        adapter=adapter,
        quantization=quantization,
        tensor_parallel=gpus,
    )
    model, description = prepare(asked)
    wanted = reference(model, description)
    served = launch(model, description)
    try:
        verdict = examine(served, wanted)
    finally:
        served.close()
    click.echo(json.dumps({"agrees": verdict.agrees, **asdict(verdict)}, indent=2) if as_json else str(verdict))
    return 0 if verdict.agrees else 2
