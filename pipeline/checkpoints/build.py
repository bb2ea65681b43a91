"""Builds a small PaliGemma with the real architecture, file names and weight names; its weights are seeded noise, to be taught or for tests."""

from pathlib import Path

import torch
from safetensors.torch import save

from pipeline.checkpoints.architecture import TINY, Dtype, Family, Sizes, write_configuration
from pipeline.checkpoints.noise import noise
from pipeline.checkpoints.tokenizer import write_tokenizer


def build(
    folder: Path,
    *,
    family: Family = "paligemma",
    resolution: int = 448,
    seed: int = 0,
    sizes: Sizes = TINY,
    dtype: Dtype = "float32",
) -> Path:
    """Write a checkpoint into `folder` and return it; the same arguments write the same bytes.

    `dtype` is the weights' type on disk; an engine may serve it in another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ids = write_tokenizer(folder)
    write_configuration(folder, family, resolution, sizes, ids, dtype)
    weights = noise(family, resolution, sizes, ids, seed)
    tensors = {name: torch.from_numpy(weights[name]).to(getattr(torch, dtype)) for name in sorted(weights)}
    (folder / "model.safetensors").write_bytes(save(tensors, metadata={"format": "pt"}))
    return folder
