"""The tower learns to say which glyphs it sees in the words that the decoder was taught: what stood for them on its grids.

After that the two understand each other: what is wrong is seen wrongly, and not said wrongly.
"""

import torch
from torch import nn
from transformers import PaliGemmaForConditionalGeneration

from jobs.train.feed import Batch, as_pixels
from jobs.train.frame import features
from jobs.train.glyphs import BLANK
from jobs.train.grids import GlyphStandins
from jobs.train.suffix import Said
from jobs.train.tower import TowerHeads

_WORDS_WEIGHT = 2.0
_PAPER_WEIGHT = 0.3


class HandOver(nn.Module):
    """The tower with its heads, and the projector, which is to say what the standins say."""

    def __init__(self, model: PaliGemmaForConditionalGeneration, standins: GlyphStandins) -> None:
        super().__init__()
        self.tower = model.model.vision_tower
        self.projector = model.model.multi_modal_projector
        self.heads = TowerHeads(model.config.vision_config.hidden_size)
        # Known already, and not learned here: kept out of the module tree.
        self._standins = (standins.requires_grad_(False),)

    def forward(self, batch: Batch) -> Said:
        """Return how well the glyphs of a batch were told; its loss has the share of the standins' variance that is left, too."""
        if batch.grids is None or batch.where is None:
            raise ValueError("words are taught on grids")
        seen = features(self.tower, as_pixels(batch), batch.where)
        told: Said = self.heads(seen, batch.grids, batch.where)
        wanted = self._standins[0](batch.grids, batch.where)
        weight = torch.where((batch.grids != BLANK).any(-1, keepdim=True), 1.0, _PAPER_WEIGHT)
        missed, spread = self.projector(seen) - wanted, wanted - wanted.mean((0, 1))
        left = (missed.square() * weight).sum() / (spread.square() * weight).sum()
        return Said(told.loss + _WORDS_WEIGHT * left, told.right, told.asked)
