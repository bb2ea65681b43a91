"""Where a tower begins: each patch sees its neighbours from the first step on.

A letter is cut by the patches' edges, so a tower has to look at a patch's neighbours before it can tell one letter from another. Left to itself
it finds out over thousands of steps which of the learned positions lie next to each other. Here the positions are waves whose products
single out one offset, and in the first layers four heads look left, right, up and down; all of it goes on being learned.
"""

import math
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from jobs.train.frame import SIDE
from pipeline.checkpoints.architecture import PATCH_PX

if TYPE_CHECKING:
    from transformers.models.siglip.modeling_siglip import SiglipAttention, SiglipEncoderLayer

_WAVES = SIDE // 4
"""Waves along an axis. Frequencies of odd multiples of pi / (2 * _WAVES) sum to nothing at every offset but 0 and SIDE / 2, where they oppose."""
_PLACE = 4 * _WAVES
"""Dimensions that carry the place: a sine and a cosine of each wave, for rows and for columns."""
_BRANCH = 0.25
"""How much of what a layer finds out is added at first: more would drown the places."""
_OFFSETS = ((0, -1), (0, 1), (-1, 0), (1, 0))
_LAYERS = 3
_SHARP = 7.0
"""By how much, in nats, a neighbour's row leads over other rows, and its column over other columns."""
_CONTENT = 0.2
"""How large a patch's own features are beside its place, which is 1."""
_INKED = 0.4
_FLOOR = 0.05
"""Directions in which patches hardly differ are not blown up: they are noise."""


@torch.no_grad()
def see_neighbours(tower: nn.Module, pixels: Tensor) -> None:
    """Set the features, the positions and the first layers' attention of a SigLIP tower of the frame's size; `pixels` are some views.

    A tower whose heads are fewer or narrower than that takes is left as it is.
    """
    layers = [cast("SiglipEncoderLayer", layer) for layer in cast("nn.ModuleList", tower.get_submodule("encoder.layers"))]
    attention = layers[0].self_attn
    if attention.num_heads < len(_OFFSETS) or attention.head_dim < _PLACE:
        return
    _see(cast("nn.Conv2d", tower.get_submodule("embeddings.patch_embedding")), pixels)
    positions = cast("nn.Embedding", tower.get_submodule("embeddings.position_embedding")).weight
    positions.zero_()
    positions[:, -_PLACE:] = _places()
    for number, layer in enumerate(layers):
        if number < _LAYERS:
            _look_around(layer.self_attn)
        for last in (layer.self_attn.out_proj, layer.mlp.fc2):
            last.weight *= _BRANCH
            last.weight[-_PLACE:] = 0.0


def _see(patches: nn.Conv2d, pixels: Tensor) -> None:
    """Make a patch's features the whitened principal parts of its ink, and nothing of paper."""
    count = patches.out_channels - _PLACE
    filters = _CONTENT * _whitening(pixels, count)
    patches.weight.zero_()
    patches.weight[:count] = -filters[:, None] / 3  # the mean of three colours
    if patches.bias is not None:
        patches.bias.zero_()
        patches.bias[:count] = filters.sum(dim=(1, 2))


def _look_around(attention: "SiglipAttention") -> None:
    """Make the first heads of a layer look at one neighbour each."""
    wide = attention.head_dim
    scale = math.sqrt(2 * _SHARP * math.sqrt(wide) / (2 * _WAVES) / _GAIN)
    for head, (down, right) in enumerate(_OFFSETS):
        rows = slice(head * wide, head * wide + _PLACE)
        for linear, turn in ((attention.q_proj, _turned(down, right)), (attention.k_proj, torch.eye(_PLACE))):
            linear.weight[head * wide : (head + 1) * wide] = 0.0
            linear.weight[rows, -_PLACE:] = scale * turn


_GAIN = 160 / (2 * _WAVES) * 0.75
"""What the norm before attention makes of a place of square 1, squared; content takes a quarter."""


def _whitening(pixels: Tensor, count: int) -> Tensor:
    """Return filters, (count, PATCH_PX, PATCH_PX), whose answers to the ink of patches are unrelated and of like size."""
    ink = (1 - pixels.mean(dim=1)).unfold(1, PATCH_PX, PATCH_PX).unfold(2, PATCH_PX, PATCH_PX).reshape(-1, PATCH_PX**2)
    ink = ink[ink.amax(dim=1) - ink.amin(dim=1) > _INKED]
    values, vectors = torch.linalg.eigh(ink.T @ ink / len(ink))
    values, vectors = values[-count:].flip(0), vectors[:, -count:].flip(1)
    filters: Tensor = (vectors / (values + _FLOOR * values.mean()).sqrt()).T.reshape(-1, PATCH_PX, PATCH_PX)
    return filters


def _frequencies() -> Tensor:
    return math.pi * (torch.arange(_WAVES) + 0.5) / _WAVES


def _places() -> Tensor:
    """Return the waves at each patch of the frame, (SIDE * SIDE, _PLACE)."""
    angles = torch.arange(SIDE)[:, None] * _frequencies()
    axis = torch.stack((angles.cos(), angles.sin()), dim=-1).flatten(1)
    return torch.cat((axis.repeat_interleave(SIDE, 0), axis.repeat(SIDE, 1)), dim=1)


def _turned(down: int, right: int) -> Tensor:
    """Return the map that takes a place's waves to those of the place so far from it."""
    turns = torch.zeros(_PLACE, _PLACE)
    for axis, offset in enumerate((down, right)):
        for wave, frequency in enumerate(_frequencies().tolist()):
            at = axis * 2 * _WAVES + 2 * wave
            c, s = math.cos(offset * frequency), math.sin(offset * frequency)
            turns[at : at + 2, at : at + 2] = torch.tensor([[c, -s], [s, c]])
    return turns
