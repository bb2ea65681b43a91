"""The configuration files of a small PaliGemma 1 or 2, as the published checkpoints lay them out."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.checkpoints.tokenizer import SpecialIds

Family = Literal["paligemma", "paligemma2"]
Dtype = Literal["bfloat16", "float32"]
PATCH_PX = 14


@dataclass(frozen=True, slots=True)
class Sizes:
    """Widths and depths of the vision tower and of the text model; a head of the text model is `head_dim` wide."""

    vision_width: int
    vision_layers: int
    vision_heads: int
    vision_mlp: int
    text_width: int
    text_layers: int
    text_heads: int
    text_kv_heads: int
    text_mlp: int
    head_dim: int


TINY = Sizes(
    vision_width=32,
    vision_layers=2,
    vision_heads=2,
    vision_mlp=64,
    text_width=64,
    text_layers=2,
    text_heads=2,
    text_kv_heads=1,
    text_mlp=128,
    head_dim=32,
)
EMBEDDED = Sizes(
    vision_width=160,
    vision_layers=5,
    vision_heads=5,
    vision_mlp=640,
    text_width=160,
    text_layers=4,
    text_heads=5,
    text_kv_heads=5,
    text_mlp=480,
    head_dim=32,
)
"""What ships: small enough to be taught on one core in some hours; each head has keys of its own."""


def image_tokens(resolution: int) -> int:
    """Return how many tokens a square image of `resolution` pixels becomes."""
    return (resolution // PATCH_PX) ** 2


def write_configuration(folder: Path, family: Family, resolution: int, sizes: Sizes, ids: SpecialIds, dtype: Dtype) -> None:
    """Write config.json, generation_config.json and preprocessor_config.json."""
    specials = {"pad_token_id": ids.pad, "bos_token_id": ids.bos, "eos_token_id": ids.eos}
    model = {
        "architectures": ["PaliGemmaForConditionalGeneration"],
        "model_type": "paligemma",
        **specials,
        "image_token_index": ids.image,
        "ignore_index": -100,
        "vocab_size": ids.size,
        "hidden_size": sizes.text_width,
        "projection_dim": sizes.text_width,
        "dtype": dtype,
        "text_config": {**_text(family, sizes, resolution), **specials, "vocab_size": ids.size, "dtype": dtype},
        "vision_config": {**_vision(sizes, resolution), "dtype": dtype},
    }
    preprocessor = {
        "image_processor_type": "SiglipImageProcessor",
        "processor_class": "PaliGemmaProcessor",
        "image_seq_length": image_tokens(resolution),
        "size": {"height": resolution, "width": resolution},
        "do_convert_rgb": True,
        "do_resize": True,
        "resample": 3,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    files = {"config.json": model, "generation_config.json": specials, "preprocessor_config.json": preprocessor}
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _text(family: Family, sizes: Sizes, resolution: int) -> dict[str, object]:
    shared: dict[str, object] = {
        "hidden_size": sizes.text_width,
        "intermediate_size": sizes.text_mlp,
        "num_hidden_layers": sizes.text_layers,
        "num_attention_heads": sizes.text_heads,
        "num_key_value_heads": sizes.text_kv_heads,
        "head_dim": sizes.head_dim,
        "max_position_embeddings": 8192,
        "num_image_tokens": image_tokens(resolution),
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
    }
    if family == "paligemma":
        return {**shared, "model_type": "gemma", "hidden_act": "gelu_pytorch_tanh"}
    return {
        **shared,
        "model_type": "gemma2",
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_activation": "gelu_pytorch_tanh",
        "query_pre_attn_scalar": sizes.head_dim,
        "sliding_window": 4096,
        "attn_logit_softcapping": 50.0,
        "final_logit_softcapping": 30.0,
    }


def _vision(sizes: Sizes, resolution: int) -> dict[str, object]:
    return {
        "model_type": "siglip_vision_model",
        "hidden_size": sizes.vision_width,
        "intermediate_size": sizes.vision_mlp,
        "num_hidden_layers": sizes.vision_layers,
        "num_attention_heads": sizes.vision_heads,
        "image_size": resolution,
        "patch_size": PATCH_PX,
        "num_image_tokens": image_tokens(resolution),
        "num_positions": image_tokens(resolution),
        "projection_dim": sizes.text_width,
        "vision_use_head": False,
        "hidden_act": "gelu_pytorch_tanh",
        "layer_norm_eps": 1e-6,
    }
