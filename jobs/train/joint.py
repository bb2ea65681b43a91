"""Tower, projector and decoder together, as they are served."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from transformers import PaliGemmaForConditionalGeneration

from jobs.train.feed import Batch, as_pixels
from jobs.train.frame import features
from jobs.train.grids import GlyphStandins
from jobs.train.outlines import OutlineHeads
from jobs.train.suffix import Said, suffix_loss
from jobs.train.tower import TowerHeads

_RIDGE = 1e-3
_GLYPHS_WEIGHT = 0.3
_OUTLINES_WEIGHT = 0.5
_WEIGHT_BY_LENGTH = 0.5
"""Where each answer weighs alike, a letter of the densest tiles weighs least, and those are read worst."""


class WholeCourse(nn.Module):
    """The whole model, and the tower's heads, which go on saying which glyphs there are: the shortest way to teach it."""

    def __init__(self, model: PaliGemmaForConditionalGeneration, first_place: int) -> None:
        """Take a model, and the id of `<loc0000>` in its vocabulary."""
        super().__init__()
        self.model = model
        self.heads = TowerHeads(model.config.vision_config.hidden_size)
        self.outline_heads = OutlineHeads(model.config.vision_config.hidden_size)
        self._first_place = first_place

    def forward(self, batch: Batch) -> Said:
        """Return how well the answers of a batch were written."""
        if batch.rows is None or batch.where is None or batch.grids is None:
            raise ValueError("the model is taught on words and grids")
        seen = features(self.model.model.vision_tower, as_pixels(batch), batch.where)
        told = self.heads(seen, batch.grids, batch.where)
        shown = self.model.model.multi_modal_projector(seen).repeat_interleave(len(batch.rows.ids) // len(seen), 0)
        said = suffix_loss(self.model, shown, batch.rows, first_place=self._first_place, weight_by_length=_WEIGHT_BY_LENGTH)
        loss = said.loss + _GLYPHS_WEIGHT * told.loss
        if batch.outlines is not None:
            loss = loss + _OUTLINES_WEIGHT * self.outline_heads(seen, batch.outlines)
        return Said(loss, said.right, said.asked)


class JointCourse(nn.Module):
    """The whole model as it is served, on whole views."""

    def __init__(self, model: PaliGemmaForConditionalGeneration, softcap: float | None = None) -> None:
        """Take a model, and the bound of its logits where its family has one."""
        super().__init__()
        self.model = model
        self._softcap = softcap

    def forward(self, batch: Batch) -> Said:
        """Return how well the answers of a batch were written."""
        if batch.rows is None:
            raise ValueError("the model is taught on words")
        seen = self.model.get_image_features(as_pixels(batch)).pooler_output
        return suffix_loss(self.model, seen, batch.rows, self._softcap)


@torch.no_grad()
def fit_projector(model: PaliGemmaForConditionalGeneration, standins: GlyphStandins, seen: Iterable[Batch]) -> float:
    """Set the projector to what brings the tower's features nearest to what stood for the glyphs; return the share of variance left.

    Tower and decoder were taught apart, and this is their first handshake: least squares, in closed form. Without it the decoder has to
    find in noise what it already knew how to read.
    """
    inputs: list[Tensor] = []
    wanted: list[Tensor] = []
    for batch in seen:
        if batch.where is None or batch.grids is None:
            raise ValueError("the projector is fitted on grids")
        inputs.append(features(model.model.vision_tower, as_pixels(batch), batch.where).float().flatten(0, 1))
        wanted.append(standins(batch.grids, batch.where).float().flatten(0, 1))
    x, y = torch.cat(inputs), torch.cat(wanted)
    x_mean, y_mean = x.mean(0), y.mean(0)
    weight = _ridge(x - x_mean, y - y_mean)
    linear = model.model.multi_modal_projector.linear
    linear.weight.copy_(weight.T)
    linear.bias.copy_(y_mean - x_mean @ weight)
    left: Tensor = (x @ weight + linear.bias - y).square().sum() / (y - y_mean).square().sum()
    return float(left)


def _ridge(x: Tensor, y: Tensor) -> Tensor:
    gram = x.T @ x
    gram += _RIDGE * gram.diagonal().mean() * torch.eye(len(gram), device=x.device)
    solved: Tensor = torch.linalg.solve(gram, x.T @ y)
    return solved
