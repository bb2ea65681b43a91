"""From 224 to 448 pixels: the tower's position embeddings are stretched, so that a tile holds four times the text in letters of the same size."""

from math import isqrt

import torch
from torch import Tensor

POSITIONS = "vision_tower.embeddings.position_embedding.weight"


def stretched(positions: Tensor, count: int) -> Tensor:
    """Return position embeddings of (n, width) interpolated to (count, width), both squares of patches row by row."""
    side, wanted = isqrt(len(positions)), isqrt(count)
    square = positions.float().reshape(1, side, side, -1).permute(0, 3, 1, 2)
    wider = torch.nn.functional.interpolate(square, size=(wanted, wanted), mode="bicubic", align_corners=False)
    return wider.permute(0, 2, 3, 1).reshape(count, -1).to(positions.dtype)
