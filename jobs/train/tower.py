"""The vision tower alone, asked at every patch which glyphs have their centre in it, and where in the frame it lies.

The head that answers is thrown away afterwards; what stays is a tower that tells one letter from another, and knows where it stands.
"""

import torch
from torch import Tensor, nn
from transformers import PaliGemmaForConditionalGeneration

from jobs.train.feed import Batch, as_pixels
from jobs.train.frame import SIDE, features
from jobs.train.glyphs import BLANK, CLASSES, SLOTS
from jobs.train.suffix import Said

_BLANK_WEIGHT = 0.1
"""Most places are blank; weighted fully, to say nothing would be the best answer for thousands of steps."""
_PLACE_WEIGHT = 0.1


class TowerCourse(nn.Module):
    """The tower and its heads."""

    def __init__(self, model: PaliGemmaForConditionalGeneration) -> None:
        super().__init__()
        self.tower = model.model.vision_tower
        self.heads = TowerHeads(model.config.vision_config.hidden_size)

    def forward(self, batch: Batch) -> Said:
        """Return how well the places of a batch were told, and of those with a glyph how many."""
        if batch.grids is None or batch.where is None:
            raise ValueError("the tower is taught on grids")
        said: Said = self.heads(features(self.tower, as_pixels(batch), batch.where), batch.grids, batch.where)
        return said


class TowerHeads(nn.Module):
    """What tells from a patch's features which glyphs it has, and its row and column."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.glyphs = nn.Linear(width, SLOTS * CLASSES)
        self.places = nn.Linear(width, 2 * SIDE)
        self.register_buffer("weights", torch.ones(CLASSES), persistent=False)
        self.get_buffer("weights")[BLANK] = _BLANK_WEIGHT

    def forward(self, seen: Tensor, grids: Tensor, where: Tensor) -> Said:
        """Return the loss over all places, and the count of right ones among those that hold a glyph."""
        said = glyph_loss(self.glyphs(seen).float().reshape(-1, CLASSES), grids, self.get_buffer("weights"))
        lies = torch.stack((where // SIDE, where % SIDE), dim=-1).reshape(-1)
        placed = nn.functional.cross_entropy(self.places(seen).float().reshape(-1, SIDE), lies)
        return Said(said.loss + _PLACE_WEIGHT * placed, said.right, said.asked)


def glyph_loss(logits: Tensor, grids: Tensor, weights: Tensor) -> Said:
    """Return the weighted loss over all places, and the count of right ones among those that hold a glyph."""
    labels = grids.reshape(-1)
    loss = nn.functional.cross_entropy(logits, labels, weight=weights)
    inked = labels != BLANK
    return Said(loss, (logits.argmax(-1) == labels)[inked].sum(), int(inked.sum()))
