"""What a checkpoint is, read from its configuration files alone: no torch, no weights, so that a job can be refused in an instant.

Every token id comes from here or from the tokenizer; none is written into code.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from pipeline.errors import CheckpointError

_FAMILIES = {"gemma": "paligemma", "gemma2": "paligemma2"}


@dataclass(frozen=True, slots=True)
class Description:
    """A checkpoint in short.

    `dtype` is the type on disk. `final_softcap` bounds PaliGemma 2's logits: softcap · tanh(logit / softcap).
    """

    folder: Path
    family: Literal["paligemma", "paligemma2"]
    resolution: int
    dtype: str
    image_tokens: int
    image_id: int
    bos_token: str
    eos_ids: tuple[int, ...]
    pad_id: int
    max_positions: int
    final_softcap: float | None
    quantization: str | None


def describe(folder: Path) -> Description:
    """Describe the checkpoint in `folder`. Raises CheckpointError on anything else."""
    config = _read(folder / "config.json")
    if config.get("model_type") != "paligemma":
        raise CheckpointError(f"{folder} holds a {config.get('model_type', 'model of no known type')}, not a PaliGemma")
    text, vision = _part(config, "text_config"), _part(config, "vision_config")
    family = _FAMILIES.get(str(text.get("model_type", "gemma")))
    if family is None:
        raise CheckpointError(f"{folder}: text model {text.get('model_type')} belongs to no PaliGemma that is known here")
    tokens = _read(folder / "tokenizer_config.json")
    generation = _read(folder / "generation_config.json") if (folder / "generation_config.json").exists() else {}
    resolution, patch = _number(vision, "image_size", 224), _number(vision, "patch_size", 14)
    quantization = config.get("quantization_config")
    return Description(
        folder=folder,
        family=cast("Literal['paligemma', 'paligemma2']", family),
        resolution=resolution,
        dtype=str(
            config.get("dtype") or config.get("torch_dtype") or text.get("dtype") or text.get("torch_dtype") or "float32"
        ),
        image_tokens=(resolution // patch) ** 2,
        image_id=_number(config, "image_token_index", _number(config, "image_token_id", -1)),
        bos_token=_token(tokens, "bos_token", folder),
        eos_ids=_ids(generation, config, text),
        pad_id=_number(config, "pad_token_id", _number(text, "pad_token_id", 0)),
        max_positions=_number(text, "max_position_embeddings", 8192),
        final_softcap=_softcap(text) if family == "paligemma2" else None,
        quantization=str(quantization.get("quant_method", "unnamed")) if isinstance(quantization, dict) else None,
    )


def require_resolution(description: Description, resolution: int) -> None:
    """Raise CheckpointError, naming the resolution that the checkpoint has, unless it is this one."""
    if description.resolution != resolution:
        raise CheckpointError(
            f"the checkpoint in {description.folder} reads {description.resolution} px, not {resolution}: "
            f"set `resolution: {description.resolution}` in render.ladder, or name a checkpoint of {resolution} px"
        )


def _read(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise CheckpointError(f"{path.parent} has no {path.name}: it is not a whole checkpoint") from exc
    except (OSError, ValueError) as exc:
        raise CheckpointError(f"{path} cannot be read: {exc}") from exc
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds no JSON object")
    return content


def _part(config: dict[str, object], key: str) -> dict[str, object]:
    part = config.get(key)
    return part if isinstance(part, dict) else {}


def _number(config: dict[str, object], key: str, default: int) -> int:
    value = config.get(key)
    return value if isinstance(value, int) else default


def _softcap(text: dict[str, object]) -> float | None:
    value = text.get("final_logit_softcapping", 30.0)
    return float(value) if isinstance(value, int | float) else None


def _token(tokens: dict[str, object], key: str, folder: Path) -> str:
    """Return a token's text; tokenizer_config.json writes it plain or as an object."""
    value = tokens.get(key)
    value = value.get("content") if isinstance(value, dict) else value
    if not isinstance(value, str):
        raise CheckpointError(f"{folder / 'tokenizer_config.json'} names no {key}")
    return value


def _ids(*configs: dict[str, object]) -> tuple[int, ...]:
    """Return every id that any of the files calls eos: PaliGemma 2's text model has two."""
    found: set[int] = set()
    for config in configs:
        value = config.get("eos_token_id")
        found.update([value] if isinstance(value, int) else value if isinstance(value, list) else [])
    return tuple(sorted(found)) or (1,)
