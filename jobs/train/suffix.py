"""Prompts and answers as the rows a model is taught on, and the loss on what it should have said.

The layout is the engine's own: image tokens, bos, the prompt, one newline; the answer and one eos; padding. The whole prefix sees itself
in both directions, the answer sees what came before it, and nothing sees padding. Only the answer is scored. It knows no lesson and no
optimiser.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PaliGemmaForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutputWithPooling

from jobs.train.nearness import missed
from pipeline.engines.vocabulary import Vocabulary

IGNORED = -100


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Token ids, which of them are suffix (1), which are real (1), labels and positions, all (rows, tokens); a label is the next token's id."""

    ids: Tensor
    token_types: Tensor
    real: Tensor
    labels: Tensor
    positions: Tensor

    def to(self, device: torch.device) -> "Rows":
        """Return the rows on a device."""
        tensors = (self.ids, self.token_types, self.real, self.labels, self.positions)
        return Rows(*(each.to(device, non_blocking=True) for each in tensors))

    @property
    def attends(self) -> Tensor:
        """Return which token looks at which, (rows, 1, tokens, tokens): prefix at prefix, suffix at all before it, none at padding."""
        count = self.ids.shape[1]
        causal = torch.ones(count, count, dtype=torch.bool, device=self.ids.device).tril()
        prefix = (self.token_types == 0) & self.real.bool()
        both_prefix = prefix[:, :, None] & prefix[:, None, :]
        looks = (causal | both_prefix) & self.real.bool()[:, None, :]
        return (looks | torch.eye(count, dtype=torch.bool, device=self.ids.device))[:, None]


def packed(
    vocabulary: Vocabulary,
    pairs: Sequence[tuple[str, str]],
    *,
    longest: int | None = None,
    shown: Sequence[NDArray[np.int64]] | None = None,
) -> Rows:
    """Return (prompt, answer) pairs as rows, padded on the right to the longest; answers are cut to `longest` tokens, and then have no eos.

    `shown` says for each pair which patches of a whole image there are, if not all; they keep the positions of a whole image.
    """
    description = vocabulary.description
    every = np.arange(description.image_tokens)
    rows = []
    for (prompt, answer), patches in zip(pairs, shown or [every] * len(pairs), strict=True):
        prefix = [description.image_id] * len(patches) + vocabulary.text_prefix(prompt)
        suffix = [*vocabulary.tokenizer.encode(answer, add_special_tokens=False).ids, description.eos_ids[0]]
        rows.append((patches, prefix, suffix[:longest] if longest else suffix))
    width = max(len(prefix) + len(suffix) for _, prefix, suffix in rows)
    ids = torch.full((len(rows), width), description.pad_id)
    token_types, real, positions = torch.zeros_like(ids), torch.zeros_like(ids), torch.ones_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for index, (patches, prefix, suffix) in enumerate(rows):
        seen, start, end = len(patches), len(prefix), len(prefix) + len(suffix)
        ids[index, :end] = torch.tensor(prefix + suffix)
        token_types[index, start:] = 1
        real[index, :end] = 1
        labels[index, start - 1 : end - 1] = torch.tensor(suffix)
        positions[index, :seen] = torch.from_numpy(patches) + 1  # PaliGemma counts from 1
        positions[index, seen:] = torch.arange(width - seen) + description.image_tokens + 1
    return Rows(ids, token_types, real, labels, positions)


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """How a batch went: the answers' mean loss, and how many of the tokens asked for were the likeliest."""

    loss: Tensor
    right: Tensor
    asked: int


def suffix_loss(
    model: PaliGemmaForConditionalGeneration,
    features: Tensor,
    rows: Rows,
    softcap: float | None = None,
    first_place: int | None = None,
    weight_by_length: float = 0.0,
) -> Said:
    """Return the loss of the answers, given what the tower (or a lesson in its place) made of the images: (rows, image tokens, width).

    An answer's loss is the mean over its tokens, and it weighs as its length to the power `weight_by_length`: at 0 as much as another, as
    PaliGemma was trained; at 1 a value of six letters would weigh nothing beside a page of four hundred. `softcap` is PaliGemma 2's, which
    it was trained with and transformers leaves out. `first_place` is the id of `<loc0000>` where places near the right one are to be half
    right. Logits are made for the answers' tokens alone: over all of a published vocabulary they are most of the memory.
    """
    hidden = model.model(
        input_ids=rows.ids,
        attention_mask=rows.attends,
        position_ids=rows.positions,
        mm_encoder_outputs={"image": BaseModelOutputWithPooling(pooler_output=features)},
        use_cache=False,
    ).last_hidden_state
    scored = rows.labels != IGNORED
    labels, logits = rows.labels[scored], model.lm_head(hidden[scored]).float()
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    each = missed(logits, labels, first_place)
    lengths = scored.sum(1, keepdim=True).float()
    share = (lengths ** (weight_by_length - 1)).expand_as(scored)[scored]
    loss = (each * share).sum() / (lengths**weight_by_length).sum()
    return Said(loss, (logits.argmax(-1) == labels).sum(), int(labels.numel()))
