"""Writes what was taught as a checkpoint folder: the files of the one it came from, their names and order kept, with the new weights in them."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PaliGemmaForConditionalGeneration

from pipeline.engines.adapter import published_name
from pipeline.errors import CheckpointError

CARD = "MODEL_CARD.md"
_COPIED = (".json", ".model")
_TERMS = ("license", "licence", "notice", "use_policy", "prohibited_use")


def write_checkpoint(model: PaliGemmaForConditionalGeneration, origin: Path, folder: Path, card: str) -> None:
    """Write the model into `folder`, in the types and files of the checkpoint in `origin`, with its terms and the card.

    Each file appears whole or not at all. Raises CheckpointError for weights that the model does not have.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taught = {published_name(name): weight for name, weight in model.state_dict().items()}
    for path in sorted(origin.iterdir()):
        if path.suffix == ".safetensors":
            _write_weights(path, folder / path.name, taught)
        elif path.suffix in _COPIED or path.name.lower().startswith(_TERMS):
            shutil.copyfile(path, folder / path.name)
    (folder / CARD).write_text(card, encoding="utf-8")


def _write_weights(source: Path, target: Path, taught: Mapping[str, Tensor]) -> None:
    with safe_open(source, framework="pt") as file:
        metadata = file.metadata()
    weights = {name: _taken(name, weight, taught) for name, weight in load_file(source).items()}
    scratch = target.with_suffix(".part")
    save_file(weights, scratch, metadata=metadata)
    scratch.replace(target)


def _taken(name: str, weight: Tensor, taught: Mapping[str, Tensor]) -> Tensor:
    found = taught.get(published_name(name))
    if found is None or found.shape != weight.shape:
        raise CheckpointError(
            f"the taught model has no {name} of shape {tuple(weight.shape)}: it belongs to another checkpoint"
        )
    return found.detach().to(device=torch.device("cpu"), dtype=weight.dtype).contiguous()
