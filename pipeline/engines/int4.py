"""Rounds a checkpoint's language model to four bits before anything serves it, so that engine and reference compute the same weights.

What it makes is a checkpoint like any other, its rounded weights written out plainly for the reference, and in the folder PACKED the
same weights as vLLM serves them: compressed-tensors, 4 bits and a bfloat16 scale for every 32 of them. Vision tower, projector,
embeddings and norms stay as they are.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from pipeline.engines.adapter import published_name
from pipeline.engines.weights import cache_folder, checkpoint_hash
from pipeline.errors import CheckpointError

PACKED = "packed"
_GROUP, _BITS, _MOST = 32, 4, 7
_ROUNDED = re.compile(r"language_model\.model\.layers\.\d+\.(self_attn|mlp)\.\w+_proj\.weight")
_INDEX = "model.safetensors.index.json"
_PARTS = ("weight_packed", "weight_scale", "weight_shape")


def rounded(folder: Path, cache: Path | None = None) -> Path:
    """Return a folder with the checkpoint in `folder` rounded, made once and kept in `cache`.

    Raises CheckpointError for a checkpoint that is quantised already, or whose layers cannot be cut into groups of 32.
    """
    target = (cache or cache_folder()) / "int4" / checkpoint_hash(folder)[:32]
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="rounding-") as scratch:
        made = Path(scratch) / "made"
        (made / PACKED).mkdir(parents=True)
        for path in folder.iterdir():
            if path.suffix == ".safetensors":
                _write_weights(path, made)
            elif path.is_file():
                shutil.copyfile(path, made / path.name)
                shutil.copyfile(path, made / PACKED / path.name)
        _describe(made / PACKED)
        try:
            made.rename(target)
        except OSError:
            if not target.is_dir():  # another worker was as quick
                raise
    return target


def _write_weights(path: Path, made: Path) -> None:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    plain, packed = load_file(path), {}
    for name, weight in list(plain.items()):
        if not _is_rounded(name):
            packed[name] = weight
            continue
        if weight.dim() != 2 or weight.shape[1] % _GROUP or not weight.is_floating_point():
            raise CheckpointError(
                f"{path} holds {name} as {weight.dtype} of shape {tuple(weight.shape)}: it cannot be rounded to int4"
            )
        levels, scales = _levels(weight)
        plain[name] = (levels * scales[:, :, None]).view_as(weight).to(weight.dtype)
        for part, tensor in zip(
            _PARTS, (_pack(levels.view_as(weight)), scales.bfloat16(), torch.tensor(weight.shape)), strict=True
        ):
            packed[f"{name.removesuffix('weight')}{part}"] = tensor
    save_file(plain, made / path.name, metadata=metadata)
    save_file(packed, made / PACKED / path.name, metadata=metadata)


def _is_rounded(name: str) -> bool:
    return _ROUNDED.fullmatch(published_name(name)) is not None


def _levels(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the nearest of 16 levels of each weight, (rows, groups, 32) from -8 to 7, and the groups' scales, (rows, groups)."""
    groups = weight.float().view(weight.shape[0], -1, _GROUP)
    scales = (groups.abs().amax(2) / _MOST).bfloat16().float()
    levels = (groups / scales.clamp(min=torch.finfo(torch.float32).tiny)[:, :, None]).round().clamp(-_MOST - 1, _MOST)
    return levels, scales


def _pack(levels: torch.Tensor) -> torch.Tensor:
    """Return eight levels an int32, the first in its lowest bits, each as 0 to 15."""
    eights = (levels + _MOST + 1).to(torch.int64).view(levels.shape[0], -1, 32 // _BITS)
    shifts = torch.arange(0, 32, _BITS)
    whole = (eights << shifts).sum(2)
    return torch.where(whole >= 2**31, whole - 2**32, whole).to(torch.int32)


def _describe(packed: Path) -> None:
    """Say in config.json how the weights are packed, and in the index, where there is one, how they are called."""
    config = json.loads((packed / "config.json").read_text(encoding="utf-8"))
    if "quantization_config" in config:
        raise CheckpointError("the checkpoint is quantised already: name the one that it was made from")
    config["quantization_config"] = {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "quantization_status": "compressed",
        "ignore": ["re:.*vision_tower.*", "re:.*multi_modal_projector.*", "re:.*lm_head"],
        "config_groups": {
            "group_0": {
                "targets": ["Linear"],
                "weights": {"num_bits": _BITS, "type": "int", "symmetric": True, "strategy": "group", "group_size": _GROUP},
            }
        },
    }
    (packed / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    if (packed / _INDEX).exists():
        index = json.loads((packed / _INDEX).read_text(encoding="utf-8"))
        index["weight_map"] = _renamed(index["weight_map"])
        (packed / _INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _renamed(weight_map: Mapping[str, str]) -> dict[str, str]:
    return {
        new: file
        for name, file in weight_map.items()
        for new in ([f"{name.removesuffix('weight')}{part}" for part in _PARTS] if _is_rounded(name) else [name])
    }
