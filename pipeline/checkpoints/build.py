"""Builds a small PaliGemma with the real architecture, file names and weight names.

`python -m pipeline.checkpoints.build [FOLDER]` makes the embedded one again. It does not train: what it writes is seeded noise.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save

from pipeline.checkpoints import EMBEDDED_FOLDER
from pipeline.checkpoints.architecture import EMBEDDED, TINY, Dtype, Family, Sizes, write_configuration
from pipeline.checkpoints.noise import Temper, noise
from pipeline.checkpoints.tokenizer import write_tokenizer

EMBEDDED_SEED = 2024


def build(
    folder: Path,
    *,
    family: Family = "paligemma",
    resolution: int = 448,
    seed: int = 0,
    sizes: Sizes = TINY,
    temper: Temper = "lively",
    dtype: Dtype = "float32",
) -> Path:
    """Write a checkpoint into `folder` and return it; the same arguments write the same bytes.

    `dtype` is the weights' type on disk; an engine may serve it in another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ids = write_tokenizer(folder)
    write_configuration(folder, family, resolution, sizes, ids, dtype)
    weights = noise(family, resolution, sizes, ids, temper, seed)
    tensors = {name: torch.from_numpy(weights[name]).to(getattr(torch, dtype)) for name in sorted(weights)}
    (folder / "model.safetensors").write_bytes(save(tensors, metadata={"format": "pt"}))
    return folder


def build_embedded(folder: Path = EMBEDDED_FOLDER) -> Path:
    """Write the checkpoint that ships: PaliGemma 1 at 448 px, silent until it is trained."""
    return build(
        folder, family="paligemma", resolution=448, seed=EMBEDDED_SEED, sizes=EMBEDDED, temper="silent", dtype="bfloat16"
    )


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else EMBEDDED_FOLDER
    sys.stdout.write(f"{build_embedded(target)}\n")
