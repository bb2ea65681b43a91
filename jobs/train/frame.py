"""A view smaller than what is served, at a place of its own within it: a quarter of the work, and every place is learned.

The model is the one of 448 px from the start. A view of 224 px is laid somewhere into that frame: its patches carry the positions which
they would have in a full view, in the tower as in the decoder, and the rest of the frame is left out. What is learned there holds at 448.
"""

import torch
from torch import Tensor, nn

from pipeline.checkpoints.architecture import PATCH_PX

FRAME_PX = 448
SIDE = FRAME_PX // PATCH_PX
"""Patches along a side of the frame."""


def places(corners: Tensor, resolution: int) -> Tensor:
    """Return which patches of the frame views of `resolution` px cover, (n, patches); corners are (n, 2), the row and column of each first."""
    steps = torch.arange(resolution // PATCH_PX)
    rows, columns = corners[:, 0, None] + steps, corners[:, 1, None] + steps
    return (rows[:, :, None] * SIDE + columns[:, None, :]).flatten(1)


def features(tower: nn.Module, pixels: Tensor, where: Tensor) -> Tensor:
    """Return what the tower makes of views (n, 3, side, side) that lie at `where` in the frame: (n, patches, width)."""
    patches = tower.embeddings.patch_embedding(pixels).flatten(2).transpose(1, 2)  # type: ignore[operator, union-attr]
    placed = patches + tower.embeddings.position_embedding(where)  # type: ignore[operator, union-attr]
    seen: Tensor = tower.post_layernorm(tower.encoder(inputs_embeds=placed).last_hidden_state)  # type: ignore[operator]
    return seen
