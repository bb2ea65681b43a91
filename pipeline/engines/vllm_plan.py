"""How vLLM is set up for a checkpoint: lengths, memory and the settings without which PaliGemma's mask would be silently wrong.

It reads configuration files and asks the platform for its memory; it starts nothing.
"""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PaliGemmaConfig
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.platforms import current_platform

from pipeline.engines.description import Description
from pipeline.engines.int4 import PACKED
from pipeline.engines.quantization import why_not_quantized
from pipeline.errors import CheckpointError
from schemas.job import Model

# The longest prompt, in tokens with bos and newline, that still leaves an answer all its `max_tokens`.
PROMPT_TOKENS = 256
_BLOCK_TOKENS = 128
_MOST_SEQUENCES = {"cpu": 8, "gpu": 128}
_BATCHED_TOKENS = {"cpu": 4096, "gpu": 16384}
_CPU_KV_BYTES = 2 * 2**30
# What a GPU's memory holds beside weights and KV cache: CUDA's context and graphs, and the activations of one batch.
_GPU_SHARE, _GPU_RESERVE_BYTES = 0.92, 8 * 2**30
_BYTES = {"float32": 4, "bfloat16": 2}
_FOUR_BITS = "cpu_gemm_wna16"  # vLLM's name for the product of rows with packed weights


@dataclass(frozen=True, slots=True)
class Plan:
    """What vLLM is told. Lengths in tokens; `kv_bytes` is a device's share and holds every sequence at its full length.

    `memory_share` is how much of a GPU's memory may be taken in all; on a CPU it says nothing.
    """

    device: str
    max_model_len: int
    max_sequences: int
    max_batched_tokens: int
    kv_bytes: int
    memory_share: float


def plan(model: Model, description: Description, max_tokens: int, gpu_share: float = 1.0) -> Plan:
    """Return the set-up for answers of up to `max_tokens`, by an engine to which `gpu_share` of a GPU belongs.

    Raises CheckpointError where the device has no room.
    """
    if current_platform.is_unspecified():
        raise CheckpointError(
            "vLLM finds no GPU here that it could use: give the job's workers GPUs (`workers.gpus`), on nodes with NVIDIA's driver"
        )
    device = "cpu" if current_platform.is_cpu() else "gpu"
    refuse_what_is_not_served(model, description, gpus=0 if device == "cpu" else current_platform.device_count())
    length = min(description.image_tokens + PROMPT_TOKENS + max_tokens, description.max_positions)
    sequence_bytes = _sequence_bytes(model, description.folder, length)
    share = _GPU_SHARE * gpu_share
    room = _CPU_KV_BYTES if device == "cpu" else _kv_room(model, _served(model, description), share)
    sequences = min(_MOST_SEQUENCES[device], int(room // sequence_bytes))
    if sequences < 1:
        cure = (
            "spread it over more GPUs with `tensor_parallel`"
            if gpu_share == 1
            else "give a worker more of a GPU with `gpus_per_worker`"
        )
        raise CheckpointError(
            f"{description.folder} leaves no room for one answer of {length} tokens ({sequence_bytes / 2**20:.0f} MiB) beside its weights: "
            f"{cure}, or ask for fewer `max_tokens`"
        )
    return Plan(
        device=device,
        max_model_len=length,
        max_sequences=sequences,
        max_batched_tokens=max(length, _BATCHED_TOKENS[device]),
        kv_bytes=(sequences + 1) * sequence_bytes,  # one more: vLLM keeps a block for itself
        memory_share=share,
    )


def engine_args(model: Model, description: Description, planned: Plan) -> AsyncEngineArgs:
    """Return vLLM's arguments. Whatever they leave to vLLM's judgement changes speed, never an answer."""
    return AsyncEngineArgs(
        model=str(_served(model, description)),
        dtype=model.dtype,  # outright: float16 overflows Gemma 2, and vLLM's guard against it does not see inside a PaliGemma
        max_model_len=planned.max_model_len,
        max_num_seqs=planned.max_sequences,
        max_num_batched_tokens=planned.max_batched_tokens,
        kv_cache_memory_bytes=planned.kv_bytes,
        gpu_memory_utilization=planned.memory_share,  # so much must be free as it starts, though `kv_bytes` are all that it takes
        block_size=_BLOCK_TOKENS,
        enable_prefix_caching=False,  # an image's keys depend on the question
        enable_chunked_prefill=False,  # a chunk would not see what comes after it
        tensor_parallel_size=model.tensor_parallel,
        distributed_executor_backend="mp" if model.tensor_parallel > 1 else None,  # never Ray: a worker holds its own GPUs
        enforce_eager=planned.device == "cpu",  # compiling takes longer there than it saves
        hf_overrides=overrides(description),
        generation_config="vllm",  # no sampling settings of the checkpoint's own
        limit_mm_per_prompt={"image": 1},
        mm_processor_cache_gb=0,
        trust_remote_code=False,
        worker_extension_cls="pipeline.engines.prefix_mask.WorkerProbe",
        seed=0,
    )


def overrides(description: Description) -> dict[str, Any]:
    """Return what is changed in the checkpoint's configuration.

    - `is_mm_prefix_lm` off: vLLM's own half mask (image tokens only) would be laid over the whole one.
    - PaliGemma 2 without its sliding window, as it was trained (no effect below 4096 tokens: only 896 px reaches it).
    The soft cap on PaliGemma 2's logits stays as vLLM applies it: it was trained with it, and the reference applies it too.
    """
    changed: dict[str, Any] = {"is_mm_prefix_lm": False}
    if description.family == "paligemma2":
        layers = PaliGemmaConfig.from_pretrained(description.folder).text_config.num_hidden_layers
        changed["text_config"] = {"layer_types": ["full_attention"] * layers}
    return changed


def refuse_what_is_not_served(model: Model, description: Description, gpus: int) -> None:
    """Raise CheckpointError, with the reason, for what would not be served as it is asked for; `gpus` are those that this process sees."""
    if model.adapter is not None:
        raise CheckpointError("the vllm engine takes no adapter: it is merged into the checkpoint before it is served")
    if reason := why_not_quantized(model.quantization, "vllm", model.dtype):
        raise CheckpointError(reason)
    if model.quantization is not None and not _served(model, description).is_dir():
        raise CheckpointError(f"{description.folder} was not rounded to {model.quantization}: start.prepare does that")
    if model.quantization is not None and not gpus and not _multiplies_four_bits():
        raise CheckpointError(
            "vLLM multiplies four-bit weights on CPUs with AVX-512 alone, which this one lacks: leave `quantization` out, or run it on a GPU"
        )
    if description.quantization is not None:
        raise CheckpointError(
            f"{description.folder} holds {description.quantization} weights, which the reference does not read: name the checkpoint that "
            "they were made from, with `quantization: int4` where it is too large"
        )
    if model.tensor_parallel > 1 and not gpus:
        raise CheckpointError("`tensor_parallel` spreads a checkpoint over GPUs, and this vLLM runs on a CPU: set it to 1")
    if model.tensor_parallel > max(1, gpus):
        raise CheckpointError(
            f"`tensor_parallel: {model.tensor_parallel}` needs as many GPUs on one machine, and there are {gpus} here: set it lower"
        )


def _multiplies_four_bits() -> bool:
    """Return whether the build of vLLM for this machine's CPU can; that for AVX2 lacks it, and would die of the first request."""
    import vllm._custom_ops  # noqa: F401 (it loads the build)

    return hasattr(torch.ops._C, _FOUR_BITS)  # noqa: SLF001 (so vLLM calls what it brings)


def _served(model: Model, description: Description) -> Path:
    """Return the folder that vLLM loads: the packed weights, where the model is asked for in four bits."""
    return description.folder / PACKED if model.quantization else description.folder


def _sequence_bytes(model: Model, folder: Path, length: int) -> int:
    """Return what the keys and values of one sequence take on one device, whole blocks."""
    text = PaliGemmaConfig.from_pretrained(folder).text_config
    heads = max(1, text.num_key_value_heads // model.tensor_parallel)
    tokens = math.ceil(length / _BLOCK_TOKENS) * _BLOCK_TOKENS
    return int(tokens * 2 * text.num_hidden_layers * heads * text.head_dim * _BYTES[model.dtype])


def _kv_room(model: Model, folder: Path, share: float) -> float:
    """Return what a share of a GPU's memory has room for beside weights, graphs and activations, which every engine has for itself."""
    weights = _weight_bytes(folder, _BYTES[model.dtype]) / model.tensor_parallel
    return float(current_platform.get_device_total_memory()) * share - weights - _GPU_RESERVE_BYTES


def _weight_bytes(folder: Path, float_bytes: int) -> int:
    """Return what a checkpoint's weights take once loaded, from the headers of its files: floats as served, packed ones as they are."""
    return sum(
        math.prod(entry["shape"]) * (4 if entry["dtype"] == "I32" else float_bytes)
        for path in folder.glob("*.safetensors")
        for entry in _tensors(path).values()
    )


def _tensors(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header: dict[str, Any] = json.loads(file.read(size))
    return {name: entry for name, entry in header.items() if name != "__metadata__"}
