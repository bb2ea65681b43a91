"""Merges a LoRA adapter into its checkpoint before anything serves it, so that every engine and the reference compute the same weights.

It reads what PEFT writes (adapter_config.json, adapter_model.safetensors) and refuses what a plain W + s·B·A does not express.
"""

import hashlib
import json
import math
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from pipeline.engines.weights import cache_folder, checkpoint_hash, resolve_adapter
from pipeline.errors import CheckpointError

_FACTOR = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")
# Transformers names a module otherwise than the published checkpoints name its weights, and did so differently before 4.52.
_NAMES = (
    ("model.language_model.", "language_model.model."),
    ("model.vision_tower.", "vision_tower."),
    ("model.multi_modal_projector.", "multi_modal_projector."),
)
# Settings that say how it was trained or where it applies, which its factors tell themselves, or that matter only beside another.
_OF_NO_MATTER = frozenset(
    {
        *("peft_type", "peft_version", "task_type", "auto_mapping", "base_model_name_or_path", "revision", "inference_mode"),
        *("r", "rank_pattern", "lora_alpha", "use_rslora", "lora_dropout", "eva_config", "runtime_config"),
        *("target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "megatron_core", "qalora_group_size"),
    }
)
# Where the factors began. PEFT's others (pissa, olora, corda, loftq, lora_ga) change the checkpoint's own weights as well.
_INITS = (True, False, "gaussian", "eva", "orthogonal", "mica")


def merged(folder: Path, adapter: str, cache: Path | None = None) -> Path:
    """Return a folder with the checkpoint in `folder` and the adapter's factors added, made once and kept in `cache`.

    `adapter` is a local folder, an s3:// prefix or a hub id. Raises CheckpointError for one that is no plain LoRA of this checkpoint.
    """
    source = resolve_adapter(adapter, cache)
    parts = checkpoint_hash(folder), checkpoint_hash(source)
    target = (cache or cache_folder()) / "merged" / hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    if target.is_dir():
        return target
    changes = _changes(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="merging-") as scratch:
        made = Path(scratch) / "made"
        _merge(folder, made, changes, adapter)
        try:
            made.rename(target)
        except OSError:
            if not target.is_dir():  # another worker was as quick
                raise
    return target


def _changes(source: Path) -> dict[str, torch.Tensor]:
    """Return what is to be added to each module's weight, by the module's published name."""
    config = _config(source)
    try:
        factors = load_file(source / "adapter_model.safetensors")
    except (OSError, SafetensorError) as exc:
        raise CheckpointError(f"{source} has no readable adapter_model.safetensors: {exc}") from exc
    sides: dict[str, dict[str, torch.Tensor]] = {}
    for name, factor in factors.items():
        match = _FACTOR.fullmatch(name)
        if match is None:
            raise CheckpointError(f"{source} holds {name}, which is no factor of a linear layer: merge it with PEFT first")
        sides.setdefault(published_name(match["module"]), {})[match["side"]] = factor.float()
    if lone := sorted(module for module, pair in sides.items() if len(pair) != 2):
        raise CheckpointError(f"{source} holds only one factor of {lone[0]}")
    return {module: _scale(config, pair["A"].shape[0]) * (pair["B"] @ pair["A"]) for module, pair in sides.items()}


def _config(source: Path) -> dict[str, Any]:
    try:
        config = json.loads((source / "adapter_config.json").read_text(encoding="utf-8"))
    except ValueError as exc:
        raise CheckpointError(f"{source / 'adapter_config.json'} cannot be read: {exc}") from exc
    kind = config.get("peft_type") if isinstance(config, dict) else None
    if kind != "LORA":
        raise CheckpointError(f"{source} is a {kind} adapter, and only LORA can be merged")
    if other := sorted(key for key, value in config.items() if not _is_plain(key, value)):
        raise CheckpointError(
            f"{source} sets {', '.join(other)}, which adding two factors to the checkpoint does not express: merge it with PEFT first"
        )
    if not isinstance(config.get("lora_alpha"), int | float):
        raise CheckpointError(f"{source / 'adapter_config.json'} names no lora_alpha")
    return dict(config)


def _is_plain(key: str, value: object) -> bool:
    """Say whether a setting leaves it at W + s·B·A; one that is not known here must not be set."""
    if key in _OF_NO_MATTER:
        return True
    if key == "init_lora_weights":
        return value is None or value in _INITS
    return not value or (key, value) == ("bias", "none")


def _scale(config: dict[str, Any], rank: int) -> float:
    return float(config["lora_alpha"]) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _merge(folder: Path, made: Path, changes: dict[str, torch.Tensor], adapter: str) -> None:
    made.mkdir()
    left = dict(changes)
    for path in folder.iterdir():
        if path.suffix == ".safetensors":
            left = _merge_file(path, made / path.name, left)
        elif path.is_file():
            shutil.copyfile(path, made / path.name)
    if left:
        raise CheckpointError(
            f"the adapter {adapter} changes {min(left)}, which {folder} does not have: it belongs to another checkpoint"
        )


def _merge_file(path: Path, target: Path, changes: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Write a file of weights with the changes that concern it; return the others."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    weights, left = load_file(path), dict(changes)
    for name, weight in weights.items():
        change = left.pop(published_name(name).removesuffix(".weight"), None)
        if change is None:
            continue
        if change.shape != weight.shape:
            raise CheckpointError(
                f"the adapter's {name} is of shape {tuple(change.shape)}, the checkpoint's of {tuple(weight.shape)}"
            )
        weights[name] = (weight.float() + change).to(weight.dtype).contiguous()
    save_file(weights, target, metadata=metadata)
    return left


def published_name(name: str) -> str:
    """Return a module's or weight's name as the published checkpoints have it, whichever of the three ways it is written."""
    for written, published in _NAMES:
        if name.startswith(written):
            name = published + name.removeprefix(written)
    return name.replace("vision_tower.vision_model.", "vision_tower.")
