"""Places are near each other, and words are not: where the tokens of places begin, and what it costs to miss one.

A thousand `<loc>` tokens that begin as noise are a thousand words without a likeness, each seen now and then: a small model that had written
ten thousand answers with places in them knew their form, and said 0 or 1023 for all of them. It knows neither tokenizer nor task.
"""

import math

import torch
from torch import Tensor, nn

from pipeline.tasks.tokens import LAST_BIN

PLACES = LAST_BIN + 1
_WAVES = 96
_FALL = 24.0
"""Two places begin alike by about exp(-_FALL * distance), where the view's side is 1: peaked, so that the very place can be told, and wide."""
_LENGTH = 1.2
_SPREAD = 5.0
"""How far off a place is still half right, in places: two pixels of 448."""


@torch.no_grad()
def begin_near_alike(embedding: nn.Embedding, first: int, seed: int) -> None:
    """Set the rows of the places, which begin at `first`, to waves along their axis; a width that cannot hold these waves is left as it is."""
    if embedding.embedding_dim < _WAVES:
        return
    drawn = torch.randn(embedding.embedding_dim, _WAVES, generator=torch.Generator().manual_seed(seed))
    directions: Tensor = torch.linalg.qr(drawn).Q
    frequencies = math.pi * torch.arange(_WAVES)
    strengths = (1 + (frequencies / _FALL).square()).rsqrt() * torch.where(frequencies == 0, 1.0, math.sqrt(2))
    waves = torch.cos(torch.linspace(0, 1, PLACES)[:, None] * frequencies) * strengths
    embedding.weight[first : first + PLACES] = _LENGTH * nn.functional.normalize(waves @ directions.T)


def missed(logits: Tensor, labels: Tensor, first: int | None) -> Tensor:
    """Return the cross-entropy of each of (n, vocabulary) logits and n labels: (n).

    Where the id of the `first` place is given, a place's neighbours are labels too, each by its nearness.
    """
    each = nn.functional.cross_entropy(logits, labels, reduction="none")
    if first is None:
        return each
    placed = (labels >= first) & (labels < first + PLACES)
    away = torch.arange(first, first + PLACES, device=labels.device) - labels[placed, None]
    wanted = torch.softmax(-0.5 * (away / _SPREAD).square(), dim=1)
    told = torch.log_softmax(logits[placed], dim=1)[:, first : first + PLACES]
    return each.masked_scatter(placed, -(wanted * told).sum(dim=1))
