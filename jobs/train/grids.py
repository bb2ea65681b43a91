"""The decoder alone, on true grids of glyphs in the place of the tower's features, so that it learns to walk over them.

No image is computed, and blank patches are mostly left out. What stands for a patch is the sum of what stands for its glyphs, for its row
and for its column; the tables are thrown away once the projector has been fitted to them.
"""

import torch
from torch import Tensor, nn
from transformers import PaliGemmaForConditionalGeneration

from jobs.train.feed import Batch
from jobs.train.frame import SIDE
from jobs.train.glyphs import CLASSES, SLOTS
from jobs.train.suffix import Said, suffix_loss


class GridCourse(nn.Module):
    """The decoder, and the tables of what stands for a glyph."""

    def __init__(self, model: PaliGemmaForConditionalGeneration) -> None:
        super().__init__()
        # The model is kept out of the module tree: of its weights, only the decoder's belong to this stage.
        self._model = (model,)
        self.decoder = model.model.language_model
        self.standins = GlyphStandins(model.config.text_config.hidden_size)

    def forward(self, batch: Batch) -> Said:
        """Return how well the answers of a batch were written."""
        if batch.grids is None or batch.where is None or batch.rows is None:
            raise ValueError("the decoder is taught on grids and words")
        return suffix_loss(self._model[0], self.standins(batch.grids, batch.where), batch.rows)


class GlyphStandins(nn.Module):
    """One vector for each class in each place of a patch, one for each row and each column of the frame."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.glyphs = nn.Embedding(SLOTS * CLASSES, width)
        self.rows, self.columns = nn.Embedding(SIDE, width), nn.Embedding(SIDE, width)
        for table in (self.glyphs, self.rows, self.columns):
            nn.init.normal_(table.weight, std=0.5)
        self.register_buffer("offsets", torch.arange(SLOTS) * CLASSES, persistent=False)

    def forward(self, grids: Tensor, where: Tensor) -> Tensor:
        """Return what stands for patches of (n, patches, SLOTS) classes that lie at (n, patches) in the frame: (n, patches, width)."""
        glyphs: Tensor = self.glyphs(grids + self.get_buffer("offsets")).sum(dim=2)
        places: Tensor = self.rows(where // SIDE) + self.columns(where % SIDE)
        return glyphs + places
