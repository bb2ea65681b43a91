"""The first stage: the vision tower alone, asked at every patch which glyphs have their centre in it.

The head that answers is thrown away afterwards; what stays is a tower that tells one letter from another.
"""

import torch
from torch import Tensor, nn
from transformers import PaliGemmaForConditionalGeneration

from jobs.train.feed import Batch, as_pixels
from jobs.train.glyphs import BLANK, CLASSES, SLOTS
from jobs.train.suffix import Said

_BLANK_WEIGHT = 0.1
"""Most places are blank; weighted fully, to say nothing would be the best answer for thousands of steps."""


class TowerCourse(nn.Module):
    """The tower and its head."""

    def __init__(self, model: PaliGemmaForConditionalGeneration) -> None:
        super().__init__()
        self.tower = model.model.vision_tower
        self.head = nn.Linear(model.config.vision_config.hidden_size, SLOTS * CLASSES)
        self.register_buffer("weights", torch.ones(CLASSES), persistent=False)
        self.get_buffer("weights")[BLANK] = _BLANK_WEIGHT

    def forward(self, batch: Batch) -> Said:
        """Return how well the places of a batch were told, and of those with a glyph how many."""
        logits = self.head(self.tower(as_pixels(batch)).last_hidden_state).float().reshape(-1, CLASSES)
        return glyph_loss(logits, batch.grids, self.get_buffer("weights"))


def glyph_loss(logits: Tensor, grids: Tensor | None, weights: Tensor) -> Said:
    """Return the weighted loss over all places, and the count of right ones among those that hold a glyph."""
    if grids is None:
        raise ValueError("the tower is taught on grids")
    labels = grids.reshape(-1)
    loss = nn.functional.cross_entropy(logits, labels, weight=weights)
    inked = labels != BLANK
    return Said(loss, (logits.argmax(-1) == labels)[inked].sum(), int(inked.sum()))
