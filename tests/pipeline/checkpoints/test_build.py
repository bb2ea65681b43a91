"""The checkpoint builder writes the same bytes every time, under the names that both libraries read."""

import hashlib
import math
from pathlib import Path

from safetensors import safe_open

from pipeline.checkpoints import EMBEDDED_FOLDER
from pipeline.checkpoints.architecture import EMBEDDED
from pipeline.checkpoints.build import build


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def shapes(folder: Path) -> dict[str, list[int]]:
    with safe_open(folder / "model.safetensors", "pt") as file:
        return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 (it is no mapping)


def test_the_embedded_checkpoint_is_built_and_then_taught(tmp_path: Path) -> None:
    """Every file that ships but the weights and the card is what the builder writes, byte by byte; the weights have its names and shapes."""
    build(tmp_path, sizes=EMBEDDED, dtype="bfloat16")
    shipped, built = contents(EMBEDDED_FOLDER), contents(tmp_path)
    assert shipped.keys() - built.keys() == {"MODEL_CARD.md"}
    assert {name for name in built if built[name] != shipped[name]} == {"model.safetensors"}
    assert shapes(EMBEDDED_FOLDER) == shapes(tmp_path)


def test_the_embedded_checkpoint_is_small() -> None:
    """At most 12 million weights and 25 MB."""
    weights = sum(math.prod(shape) for shape in shapes(EMBEDDED_FOLDER).values())
    assert 2e6 < weights <= 12e6
    assert sum(path.stat().st_size for path in EMBEDDED_FOLDER.iterdir()) <= 25e6


def test_a_seed_makes_the_weights(tmp_path: Path) -> None:
    """The same seed writes the same bytes, another seed other weights and the same configuration."""
    first, again, other = (
        contents(build(tmp_path / name, resolution=224, seed=seed)) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again
    assert {name for name in first if first[name] != other[name]} == {"model.safetensors"}


def test_weights_have_the_published_names(tmp_path: Path) -> None:
    """What transformers itself saves does not load in vLLM; both read the published names."""
    for family in ("paligemma", "paligemma2"):
        folder = build(tmp_path / family, family=family, resolution=224)
        with safe_open(folder / "model.safetensors", "pt") as file:
            names = set(file.keys())
        assert {
            "vision_tower.vision_model.embeddings.patch_embedding.weight",
            "vision_tower.vision_model.encoder.layers.1.self_attn.out_proj.bias",
            "vision_tower.vision_model.post_layernorm.weight",
            "multi_modal_projector.linear.bias",
            "language_model.model.embed_tokens.weight",
            "language_model.model.layers.1.mlp.gate_proj.weight",
            "language_model.model.norm.weight",
        } <= names
        assert ("language_model.model.layers.0.pre_feedforward_layernorm.weight" in names) == (family == "paligemma2")
