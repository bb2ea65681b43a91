"""What answering costs a GPU, from the sizes of the model: operations, and the time that a GPU takes for them. Pure but for reading a config.json.

Multiply and add are two operations. The prefix is as long as image and prompt, and is worked through once a question; the vision tower
sees a view once, however many questions follow. A GPU is taken to reach a share of its dense bfloat16 peak.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.checkpoints import EMBEDDED, EMBEDDED_FOLDER
from pipeline.checkpoints.architecture import Sizes, image_tokens

PEAK_TFLOPS = {"h200": 989.0, "h100": 989.0, "a100": 312.0, "l40s": 362.0, "l4": 121.0, "a10g": 70.0, "rtx4090": 165.0}
"""Dense bfloat16, by their makers' data sheets."""
REACHED = 0.35
"""The share of its peak that a GPU is taken to reach, until it is measured there (`make bench-gpu`)."""
PROMPT_TOKENS = 12
_VISION = {"vision_width": 1152, "vision_layers": 27, "vision_heads": 16, "vision_mlp": 4304}
# From the papers and model cards: width, layers, heads, key-value heads, MLP, head_dim, vocabulary.
_TEXT = {
    "PaliGemma 3B": (2048, 18, 8, 1, 16384, 256, 257216),
    "PaliGemma 2 3B": (2304, 26, 8, 4, 9216, 256, 257216),
    "PaliGemma 2 10B": (3584, 42, 16, 8, 14336, 256, 257216),
    "PaliGemma 2 28B": (4608, 46, 32, 16, 36864, 128, 257216),
}


@dataclass(frozen=True, slots=True)
class Model:
    """A model as far as its cost goes; `name` is how it is called in words."""

    name: str
    sizes: Sizes
    vocabulary: int

    def operations(self, resolution: int, views: float, requests: float, tokens: float) -> float:
        """Return the operations of so many views, requests and answer tokens."""
        sizes, image = self.sizes, image_tokens(resolution)
        vision = sizes.vision_layers * (4 * sizes.vision_width**2 + 2 * sizes.vision_width * sizes.vision_mlp)
        attention = sizes.text_width * sizes.head_dim * (2 * sizes.text_heads + 2 * sizes.text_kv_heads)
        text = sizes.text_layers * (attention + 3 * sizes.text_width * sizes.text_mlp)
        prefix = image + PROMPT_TOKENS
        view = 2 * vision * image + 4 * sizes.vision_layers * sizes.vision_width * image**2
        request = 2 * text * prefix + 4 * sizes.text_layers * sizes.text_heads * sizes.head_dim * prefix**2
        return views * view + requests * request + tokens * 2 * (text + self.vocabulary * sizes.text_width)


def model_of(checkpoint: str) -> tuple[Model, bool]:
    """Return a checkpoint's model, and whether it is known: by its configuration where that is at hand, by its name, or PaliGemma 2 3B."""
    folder = EMBEDDED_FOLDER if checkpoint == EMBEDDED else Path(checkpoint).expanduser()
    if not checkpoint.startswith("s3://") and (folder / "config.json").is_file():
        return _configured(checkpoint, json.loads((folder / "config.json").read_text(encoding="utf-8"))), True
    named = checkpoint.casefold()
    size = re.search(r"(?<!\d)(3|10|28)b", named)
    if size is None:
        return _published("PaliGemma 2 3B"), False
    is_first = size[1] == "3" and not re.search(r"(paligemma|pg)-?2", named)
    return _published("PaliGemma 3B" if is_first else f"PaliGemma 2 {size[1]}B"), True


def _published(name: str) -> Model:
    width, layers, heads, kv_heads, mlp, head_dim, vocabulary = _TEXT[name]
    sizes = Sizes(
        **_VISION,
        text_width=width,
        text_layers=layers,
        text_heads=heads,
        text_kv_heads=kv_heads,
        text_mlp=mlp,
        head_dim=head_dim,
    )
    return Model(name, sizes, vocabulary)


def _configured(checkpoint: str, config: dict[str, dict[str, int]]) -> Model:
    """Return the model of a config.json; what that leaves out is as in PaliGemma 2 3B."""
    usual = _published("PaliGemma 2 3B")
    vision, text, as_usual = config.get("vision_config", {}), config.get("text_config", {}), usual.sizes
    sizes = Sizes(
        vision_width=vision.get("hidden_size", as_usual.vision_width),
        vision_layers=vision.get("num_hidden_layers", as_usual.vision_layers),
        vision_heads=vision.get("num_attention_heads", as_usual.vision_heads),
        vision_mlp=vision.get("intermediate_size", as_usual.vision_mlp),
        text_width=text.get("hidden_size", as_usual.text_width),
        text_layers=text.get("num_hidden_layers", as_usual.text_layers),
        text_heads=text.get("num_attention_heads", as_usual.text_heads),
        text_kv_heads=text.get("num_key_value_heads", as_usual.text_kv_heads),
        text_mlp=text.get("intermediate_size", as_usual.text_mlp),
        head_dim=text.get("head_dim", as_usual.head_dim),
    )
    return Model(checkpoint, sizes, text.get("vocab_size", usual.vocabulary))
