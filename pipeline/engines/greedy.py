"""Greedy decoding of a batch, with a log-probability a token: the loop itself, over transformers' PaliGemma.

Why not `model.generate`: questions on one view share its image features, a row that has ended leaves the batch, and each row has its own
budget. It knows nothing of requests, views or text.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from transformers import PaliGemmaForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutputWithPooling

from pipeline.engines.description import Description
from pipeline.engines.kvcache import growing_cache

_FEW = 32


@dataclass(slots=True)
class Row:
    """One answer in the making: what is asked, how many tokens it may have, and what came.

    `follows` chooses, of tokens from the likeliest on, the one that may come after those that are written (following.py).
    """

    text_prefix: list[int]
    max_tokens: int
    follows: Callable[[Sequence[int], Iterable[int]], int | None] | None = None
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    margins: list[float] = field(default_factory=list)
    ended: bool = False

    @property
    def done(self) -> bool:
        return self.ended or len(self.token_ids) >= self.max_tokens


@torch.inference_mode()
def image_features(model: PaliGemmaForConditionalGeneration, pixels: torch.Tensor) -> torch.Tensor:
    """Return what the tower and the projector make of pixels (n, 3, side, side): (n, image tokens, text width)."""
    features: torch.Tensor = model.get_image_features(pixels).pooler_output
    return features


@torch.inference_mode()
def decode(
    model: PaliGemmaForConditionalGeneration, description: Description, features: torch.Tensor, rows: Sequence[Row]
) -> None:
    """Fill in the rows' tokens. `features` has one entry a row.

    A logit that is not finite, or a form that no token can go on with, raises ArithmeticError.
    """
    eos = frozenset(description.eos_ids)
    live = list(rows)
    input_ids, attends = _left_padded(description, rows, features.device)
    cache = growing_cache(model.config.text_config.num_hidden_layers)
    positions = attends.cumsum(1).clamp(min=1)  # PaliGemma counts positions from 1
    hidden = model.model(
        input_ids=input_ids,
        # All of it is prefix and sees itself in both directions: every query looks at every key that is no padding.
        attention_mask=attends[:, None, None, :].bool(),
        position_ids=positions,
        past_key_values=cache,
        mm_encoder_outputs={"image": BaseModelOutputWithPooling(pooler_output=features)},
        use_cache=True,
    ).last_hidden_state
    while True:
        tokens, logprobs, margins = _best(model.lm_head(hidden[:, -1]), description.final_softcap, live)
        for row, token, logprob, margin in zip(live, tokens.tolist(), logprobs.tolist(), margins.tolist(), strict=True):
            row.token_ids.append(token)
            row.logprobs.append(logprob)
            row.margins.append(margin)
            row.ended = token in eos
        keep = [index for index, row in enumerate(live) if not row.done]
        if not keep:
            return
        positions = positions[:, -1:] + 1
        attends = torch.cat([attends, attends.new_ones((len(live), 1))], dim=1)
        if len(keep) < len(live):
            chosen = torch.tensor(keep, device=features.device)
            cache.batch_select_indices(chosen)
            tokens, positions, attends = tokens[chosen], positions[chosen], attends[chosen]
            live = [live[index] for index in keep]
        hidden = model.model(
            input_ids=tokens[:, None], attention_mask=attends, position_ids=positions, past_key_values=cache, use_cache=True
        ).last_hidden_state


def _left_padded(description: Description, rows: Sequence[Row], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the rows' prefixes and where they are no padding, both of shape (rows, longest). The last column is every row's newline."""
    images = [description.image_id] * description.image_tokens
    width = max(len(row.text_prefix) for row in rows)
    padding = [width - len(row.text_prefix) for row in rows]
    ids = [[description.pad_id] * pad + images + row.text_prefix for pad, row in zip(padding, rows, strict=True)]
    attends = [[0] * pad + [1] * (len(images) + width - pad) for pad in padding]
    return torch.tensor(ids, device=device), torch.tensor(attends, device=device)


def _best(logits: torch.Tensor, softcap: float | None, rows: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return each row's likeliest token, its natural log-probability, and by how much that is above the best of the others.

    A row that follows a form gets the likeliest token that may come, with the probability that it has without the form.

    The soft cap is PaliGemma 2's own, trained with it; transformers' PaliGemma leaves it out, which changes no token but every probability.
    """
    if not torch.isfinite(logits).all():
        raise ArithmeticError("the model's logits are not finite")
    tokens = best = logits.argmax(-1)
    if any(row.follows for row in rows):  # without, nothing need leave the device here
        kept = [_token(row, mine, token) for row, mine, token in zip(rows, logits, best.tolist(), strict=True)]
        tokens = torch.tensor(kept, device=logits.device)
    scores = logits.float()
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    mine = scores.gather(1, tokens[:, None]).squeeze(1)
    others = scores.topk(2).values.gather(1, (tokens == best).long()[:, None]).squeeze(1)
    return tokens, mine - scores.logsumexp(-1), mine - others


def _token(row: Row, logits: torch.Tensor, best: int) -> int:
    if row.follows is None:
        return best
    token = row.follows(row.token_ids, _likeliest_first(logits))
    if token is None:
        raise ArithmeticError("no token of the vocabulary goes on with the form that is asked for")
    return token


def _likeliest_first(logits: torch.Tensor) -> Iterable[int]:
    """Yield a few tokens from the likeliest on, which mostly are enough, and all of them after that."""
    yield from logits.topk(min(_FEW, logits.shape[-1])).indices.tolist()
    yield from logits.argsort(descending=True).tolist()
