"""Attention for Gemma's text model inside transformers: soft caps, shared keys and long prefixes, without writing everything out.

transformers offers two that do not fit: its fused attention leaves PaliGemma 2's soft caps out without a word, and its eager one writes
all scores of a prefix out (0.5 GB a view at 896) and copies shared keys at every token. The numbers are the eager one's.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

NAME = "pagemill"
_QUERIES_AT_ONCE = 256


def register() -> None:
    """Make `attn_implementation="pagemill"` known to transformers, in this process."""
    ALL_ATTENTION_FUNCTIONS.register(NAME, attend)
    ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, sdpa_mask)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    softcap: float | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Return the attention's output, (rows, queries, heads, width), and no weights: transformers' interface.

    query is (rows, heads, queries, width), key and value (rows, shared heads, keys, width); the mask is true where a query may look,
    (rows, 1, queries or 1, keys), and None lets every query look everywhere, or causally where the module says so.
    """
    if attention_mask is None and query.shape[2] > 1 and getattr(module, "is_causal", True):
        attention_mask = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device).tril()[None, None]
    if softcap is None and query.shape[2] > 1:
        shared = query.shape[1] // key.shape[1]
        wide_key, wide_value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
        mixed = nn.functional.scaled_dot_product_attention(query, wide_key, wide_value, attn_mask=attention_mask, scale=scaling)
    else:
        mixed = torch.cat(list(_written_out(query, key, value, attention_mask, scaling, softcap)), dim=2)
    return mixed.transpose(1, 2).contiguous(), None


def _written_out(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scaling: float, softcap: float | None
) -> Iterator[Tensor]:
    """Yield the output for some queries at a time; heads that share keys are multiplied with them in one go."""
    rows, heads, queries, width = query.shape
    shared = heads // key.shape[1]
    for start in range(0, queries, _QUERIES_AT_ONCE):
        some = query[:, :, start : start + _QUERIES_AT_ONCE]
        count = some.shape[2]
        folded = some.reshape(rows, key.shape[1], shared * count, width)
        scores = torch.matmul(folded, key.transpose(2, 3)) * scaling
        if softcap is not None:
            scores = (scores / softcap).tanh_() * softcap
        if mask is not None:
            looks = mask if mask.shape[2] == 1 else mask[:, :, start : start + count].repeat(1, 1, shared, 1)
            scores = scores.masked_fill(~looks, torch.finfo(scores.dtype).min)
        weights = scores.softmax(-1, dtype=torch.float32).to(query.dtype)
        yield torch.matmul(weights, value).view(rows, heads, count, width)
