"""Seeded weights that know nothing, under the names that the published checkpoints use (transformers and vLLM both read those).

It answers at length, and its answer depends on every pixel, every prompt token and the mask: what tests of an engine need.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.checkpoints.architecture import PATCH_PX, Family, Sizes, image_tokens
from pipeline.checkpoints.tokenizer import SpecialIds

Array = NDArray[np.float32]
Weights = dict[str, Array]

# With unit noise a model's logits are about 1 apart, so near a tie that rounding could flip a token; 6 times that puts the
# best two tokens about 2 apart.
_SHARPNESS = 6.0
# The head is tied to the embedding, so a token would predict itself for ever if the branches did not outweigh it.
_BRANCH = 8.0
# Attention spread evenly over a thousand image tokens would average them away.
_QUERY_KEY = 2.0


def noise(family: Family, resolution: int, sizes: Sizes, ids: SpecialIds, seed: int) -> Weights:
    """Return every weight of the model by name."""
    source = _Source(np.random.default_rng(seed))
    weights = dict(_vision(sizes, resolution, source)) | dict(_text(family, sizes, source))
    weights["multi_modal_projector.linear.weight"] = source.matrix(sizes.text_width, sizes.vision_width)
    weights["multi_modal_projector.linear.bias"] = np.zeros(sizes.text_width, np.float32)
    weights["language_model.model.norm.weight"] += np.float32(_SHARPNESS - 1)
    embedding = source.matrix(ids.size, sizes.text_width)
    # One token in 1,400 would be eos; half as large again makes it about one in 50, so that answers differ in length.
    embedding[ids.eos] *= 1.5
    weights["language_model.model.embed_tokens.weight"] = embedding
    return weights


@dataclass(frozen=True, slots=True)
class _Source:
    """Draws matrices that keep a unit signal a unit signal."""

    rng: np.random.Generator

    def matrix(self, rows: int, columns: int, gain: float = 1.0) -> Array:
        """Return noise of shape (rows, columns)."""
        return self.rng.standard_normal((rows, columns), np.float32) * np.float32(gain / columns**0.5)


def _vision(sizes: Sizes, resolution: int, source: _Source) -> Iterator[tuple[str, Array]]:
    root = "vision_tower.vision_model"
    width, mlp = sizes.vision_width, sizes.vision_mlp
    patches = source.matrix(width, 3 * PATCH_PX * PATCH_PX)
    yield from _linear(f"{root}.embeddings.patch_embedding", patches.reshape(width, 3, PATCH_PX, PATCH_PX))
    yield f"{root}.embeddings.position_embedding.weight", source.matrix(image_tokens(resolution), width, gain=width**0.5 / 2)
    for layer in range(sizes.vision_layers):
        here = f"{root}.encoder.layers.{layer}"
        for name in ("layer_norm1", "layer_norm2"):
            yield from _layer_norm(f"{here}.{name}", width)
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield from _linear(f"{here}.self_attn.{name}", source.matrix(width, width))
        yield from _linear(f"{here}.mlp.fc1", source.matrix(mlp, width))
        yield from _linear(f"{here}.mlp.fc2", source.matrix(width, mlp))
    yield from _layer_norm(f"{root}.post_layernorm", width)


def _text(family: Family, sizes: Sizes, source: _Source) -> Iterator[tuple[str, Array]]:
    root = "language_model.model"
    width, mlp = sizes.text_width, sizes.text_mlp
    heads, kv_heads = sizes.text_heads * sizes.head_dim, sizes.text_kv_heads * sizes.head_dim
    for layer in range(sizes.text_layers):
        here = f"{root}.layers.{layer}"
        for name, factor in _norms(family).items():
            yield f"{here}.{name}.weight", np.full(width, factor - 1, np.float32)  # Gemma multiplies by 1 + weight
        yield f"{here}.self_attn.q_proj.weight", source.matrix(heads, width, gain=_QUERY_KEY)
        yield f"{here}.self_attn.k_proj.weight", source.matrix(kv_heads, width, gain=_QUERY_KEY)
        yield f"{here}.self_attn.v_proj.weight", source.matrix(kv_heads, width)
        yield f"{here}.self_attn.o_proj.weight", source.matrix(width, heads, gain=_BRANCH)
        yield f"{here}.mlp.gate_proj.weight", source.matrix(mlp, width)
        yield f"{here}.mlp.up_proj.weight", source.matrix(mlp, width)
        yield f"{here}.mlp.down_proj.weight", source.matrix(width, mlp, gain=_BRANCH)
    yield f"{root}.norm.weight", np.zeros(width, np.float32)


def _norms(family: Family) -> dict[str, float]:
    """Return a layer's norms and their factors; Gemma 2 normalises its branches, so their size is set there."""
    if family == "paligemma":
        return {"input_layernorm": 1, "post_attention_layernorm": 1}
    return {
        "input_layernorm": 1,
        "post_attention_layernorm": _BRANCH / 2,
        "pre_feedforward_layernorm": 1,
        "post_feedforward_layernorm": _BRANCH / 2,
    }


def _layer_norm(name: str, width: int) -> Iterator[tuple[str, Array]]:
    yield f"{name}.weight", np.ones(width, np.float32)
    yield f"{name}.bias", np.zeros(width, np.float32)


def _linear(name: str, matrix: Array) -> Iterator[tuple[str, Array]]:
    yield f"{name}.weight", matrix
    yield f"{name}.bias", np.zeros(matrix.shape[0], np.float32)
