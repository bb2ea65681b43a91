"""The decoder and the projector, asked for places, of a tower that is held as it is.

A place is learned by looking from where the text is read to where that lies, which is the decoder's to find out; the tower's features tell row
and column already. Held, the tower costs a third, and paper without ink need not be shown: half as long a step.
"""

import torch
from torch import Tensor, nn
from transformers import PaliGemmaForConditionalGeneration

from jobs.train.feed import Batch, as_pixels
from jobs.train.frame import features
from jobs.train.suffix import Rows, Said, suffix_loss
from pipeline.checkpoints.architecture import PATCH_PX

_INKED = 60
"""A patch whose lightest and darkest pixels are so far apart, of 255, is more than paper."""


class PlacesCourse(nn.Module):
    """The whole model, of which the tower does not learn."""

    def __init__(self, model: PaliGemmaForConditionalGeneration, first_place: int) -> None:
        super().__init__()
        self.model = model
        self._first_place = first_place
        model.model.vision_tower.requires_grad_(False)

    def forward(self, batch: Batch) -> Said:
        """Return how well the answers of a batch were written."""
        if batch.rows is None or batch.where is None or batch.pixels is None:
            raise ValueError("places are taught on views and words")
        with torch.no_grad():
            seen = features(self.model.model.vision_tower, as_pixels(batch), batch.where)
        count = len(batch.rows.ids) // len(seen)
        kept = inked(batch.pixels)
        told = self.model.model.multi_modal_projector(seen.gather(1, kept[..., None].expand(-1, -1, seen.shape[-1])))
        rows = thinned(batch.rows, kept.repeat_interleave(count, 0), seen.shape[1])
        return suffix_loss(self.model, told.repeat_interleave(count, 0), rows, first_place=self._first_place)


def inked(pixels: Tensor) -> Tensor:
    """Return which patches of views, uint8 (n, side, side, 3), have ink, in order: (n, k), k as many as the view with the most of them has.

    None with ink is left out: where the densest views lacked some, the decoder learned to make up what it was not shown.
    """
    grey = pixels.float().mean(dim=-1)
    patches = grey.unfold(1, PATCH_PX, PATCH_PX).unfold(2, PATCH_PX, PATCH_PX).reshape(len(grey), -1, PATCH_PX**2)
    contrast = patches.amax(dim=-1) - patches.amin(dim=-1)
    count = max(1, int((contrast > _INKED).sum(dim=1).max()))
    return contrast.topk(count, dim=1).indices.sort(dim=1).values


def thinned(rows: Rows, kept: Tensor, patches: int) -> Rows:
    """Return rows that begin with `patches` image tokens with those alone that are `kept`, (rows, k); they keep their positions."""

    def those(tokens: Tensor) -> Tensor:
        return torch.cat((tokens[:, :patches].gather(1, kept), tokens[:, patches:]), dim=1)

    return Rows(those(rows.ids), those(rows.token_types), those(rows.real), those(rows.labels), those(rows.positions))
