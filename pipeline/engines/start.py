"""Starts the engine that a job names. A vendor's library is imported only when its engine is asked for."""

from importlib.util import find_spec
from pathlib import Path

from pipeline.checkpoints import EMBEDDED
from pipeline.engines.base import Engine
from pipeline.engines.description import Description, describe, require_resolution
from pipeline.engines.quantization import why_not_quantized
from pipeline.engines.weights import resolve
from pipeline.errors import CheckpointError, ParityError
from schemas.job import Model

MAX_TOKENS = 4096


def start(model: Model, resolution: int, max_tokens: int = MAX_TOKENS, gpu_share: float = 1.0) -> Engine:
    """Return the engine, ready to answer views of `resolution` px with up to `max_tokens` tokens.

    Raises CheckpointError, with the cure, on what cannot be served, and ParityError on what would be served wrong. Room for long answers
    costs vLLM memory, and so requests at once: name what the job's tasks ask for. Of a GPU's memory it takes `gpu_share` at the most.
    """
    if model.engine == "scripted":
        return _scripted(model, resolution)
    if model.engine == "vllm" and find_spec("vllm") is None:
        raise CheckpointError(
            "engine: vllm needs vLLM, which is not installed here: see the README on GPUs, or use transformers"
        )
    model, description = prepare(model)
    require_resolution(description, resolution)
    if model.engine == "transformers":
        return launch(model, description)
    from pipeline.engines.parity import require
    from pipeline.engines.reference import reference

    wanted = reference(model, description)  # before the engine takes the GPU's memory
    engine = launch(model, description, max_tokens, gpu_share)
    try:
        require(engine, wanted)
    except ParityError:
        engine.close()
        raise
    return engine


def prepare(model: Model) -> tuple[Model, Description]:
    """Return what is to be served: the checkpoint at hand and described, an adapter merged into it, its weights rounded where asked."""
    folder = resolve(model.checkpoint, model.revision)
    if model.adapter is not None:
        from pipeline.engines.adapter import merged

        folder, model = merged(folder, model.adapter), model.model_copy(update={"adapter": None})
    if reason := why_not_quantized(model.quantization, model.engine, model.dtype):
        raise CheckpointError(reason)
    if model.quantization is not None:
        from pipeline.engines.int4 import rounded

        folder = rounded(folder)
    return model, describe(folder)


def launch(model: Model, description: Description, max_tokens: int = MAX_TOKENS, gpu_share: float = 1.0) -> Engine:
    """Return a served checkpoint that has not been held against the reference yet."""
    if model.engine == "vllm":
        return _vllm(model, description, max_tokens, gpu_share)
    from pipeline.engines.transformers import TransformersEngine

    return TransformersEngine(model, description)


def _scripted(model: Model, resolution: int) -> Engine:
    from pipeline.engines.scripted import ScriptedEngine

    truth = None if model.checkpoint == EMBEDDED else Path(model.checkpoint).expanduser()
    if truth is not None and not truth.is_dir():
        raise CheckpointError(f"the scripted engine reads truth from a folder, and {model.checkpoint} is none")
    return ScriptedEngine(truth, resolution)


def _vllm(model: Model, description: Description, max_tokens: int, gpu_share: float) -> Engine:
    from pipeline.engines.vllm import VllmEngine

    return VllmEngine(model, description, max_tokens, gpu_share)
