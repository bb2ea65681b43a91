"""LoRA adapters, merged before anything serves them; the truth is the same model with the factors applied beside its layers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from peft import LoraConfig
from safetensors.torch import load_file, save_file

from pipeline.checkpoints.build import build
from pipeline.engines import exam
from pipeline.engines.adapter import merged
from pipeline.engines.description import describe
from pipeline.engines.start import prepare
from pipeline.engines.transformers import TransformersEngine
from pipeline.engines.weights import checkpoint_hash
from pipeline.errors import CheckpointError
from pipeline.storage import open_store
from schemas.job import Model

RANK, ALPHA = 4, 6.0


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return build(tmp_path / "base", resolution=224)


@pytest.fixture
def factors(base: Path) -> dict[str, torch.Tensor]:
    """Return random factors for attention and MLP layers of the language model and one of the tower, by PEFT's names."""
    torch.manual_seed(0)
    weights = load_file(base / "model.safetensors")
    chosen = [name for name in weights if name.endswith(("layers.0.self_attn.q_proj.weight", "layers.1.mlp.down_proj.weight"))]
    assert len(chosen) == 3
    made = {}
    for name in chosen:
        module = name.removesuffix(".weight").replace("language_model.model.", "model.language_model.")
        module = module.replace("vision_tower.vision_model.", "model.vision_tower.")
        made[f"base_model.model.{module}.lora_A.weight"] = torch.randn(RANK, weights[name].shape[1]) / 4
        made[f"base_model.model.{module}.lora_B.weight"] = torch.randn(weights[name].shape[0], RANK) / 4
    return made


def test_the_merged_checkpoint_computes_base_and_factors(base: Path, factors: dict[str, torch.Tensor], tmp_path: Path) -> None:
    """The merged folder answers as the base does with x·Aᵀ·Bᵀ·alpha/rank added to each layer's output; and not as the base alone."""
    folder = merged(base, str(_adapter(tmp_path / "adapter", factors)), tmp_path / "cache")
    alone, both = _engine(base), _engine(base)
    for module, a, b in _pairs(factors):
        layer = both._model.get_submodule(module)
        layer.register_forward_hook(lambda _, x, out, a=a, b=b: out + x[0] @ a.T @ b.T * (ALPHA / RANK))
    asked = exam.requests(224)
    said = _engine(folder).generate(asked)
    assert (
        [one.token_ids for one in said]
        == [one.token_ids for one in both.generate(asked)]
        != [one.token_ids for one in alone.generate(asked)]
    )


def test_it_is_merged_once_and_served_without_the_adapter(
    base: Path, factors: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Preparing the same pair again finds what was made; the engine is told of no adapter, and rows carry the merged weights' hash."""
    monkeypatch.setenv("PAGEMILL_CACHE", str(tmp_path / "cache"))
    asked = Model(checkpoint=str(base), adapter=str(_adapter(tmp_path / "adapter", factors)), dtype="float32")
    model, description = prepare(asked)
    assert model.adapter is None
    assert description.folder != base
    made = (description.folder / "model.safetensors").stat().st_mtime_ns
    assert prepare(asked)[1].folder == description.folder
    assert (description.folder / "model.safetensors").stat().st_mtime_ns == made


def test_an_adapter_is_fetched_as_checkpoints_are(
    base: Path, factors: dict[str, torch.Tensor], tmp_path: Path, s3_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From an s3:// prefix or under a hub id it makes the very checkpoint that it makes from a local folder."""
    local, cache = _adapter(tmp_path / "adapter", factors), tmp_path / "cache"
    wanted = merged(base, str(local), tmp_path / "other")
    store = open_store(s3_uri)
    for path in local.iterdir():
        store.upload(path, f"{s3_uri}/adapter/{path.name}")
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda repository, **_: str({"me/lora": local}[repository]))
    for name in (f"{s3_uri}/adapter/", "me/lora"):
        assert checkpoint_hash(merged(base, name, cache)) == checkpoint_hash(wanted)


def test_a_pickled_adapter_is_never_read(base: Path, tmp_path: Path) -> None:
    """An adapter_model.bin alone is refused, and told why."""
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.bin").write_bytes(b"")
    with pytest.raises(CheckpointError, match="pickled"):
        merged(base, str(folder), tmp_path / "cache")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"peft_type": "LOHA"}, "only LORA"),
        ({"use_dora": True}, "use_dora"),
        ({"bias": "all"}, "bias"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"init_lora_weights": "pissa_niter_4"}, "init_lora_weights"),
        ({"init_lora_weights": "olora"}, "init_lora_weights"),
        ({"alora_invocation_tokens": [5, 6]}, "alora_invocation_tokens"),
        ({"layer_replication": [[0, 1], [0, 1]]}, "layer_replication"),
        ({"use_something_new": True}, "use_something_new"),
        ({"lora_alpha": None}, "lora_alpha"),
    ],
)
def test_what_two_factors_do_not_express_is_refused(
    base: Path, factors: dict[str, torch.Tensor], tmp_path: Path, settings: dict[str, object], reason: str
) -> None:
    """Other kinds of adapter, what changes the checkpoint beside its factors, and settings that nobody here knows are refused by name."""
    with pytest.raises(CheckpointError, match=reason):
        merged(base, str(_adapter(tmp_path / "adapter", factors, **settings)), tmp_path / "cache")


def test_what_peft_writes_of_itself_is_plain(base: Path, factors: dict[str, torch.Tensor], tmp_path: Path) -> None:
    """The settings that the installed PEFT saves, all of them spelled out, are those of an adapter that is merged."""
    adapter = _adapter(tmp_path / "adapter", factors)
    LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["q_proj", "down_proj"]).save_pretrained(str(adapter))
    assert merged(base, str(adapter), tmp_path / "cache").is_dir()


def test_an_adapter_of_another_checkpoint_is_refused(base: Path, factors: dict[str, torch.Tensor], tmp_path: Path) -> None:
    """A layer that the checkpoint lacks, one of another shape, and a folder without an adapter are told; nothing half made stays."""
    foreign = {name.replace("layers.1", "layers.9"): factor for name, factor in factors.items()}
    wide = {name: torch.cat([factor, factor], dim=1) if "lora_A" in name else factor for name, factor in factors.items()}
    for index, (wrong, reason) in enumerate([(foreign, "layers.9"), (wide, "of shape")]):
        with pytest.raises(CheckpointError, match=reason):
            merged(base, str(_adapter(tmp_path / str(index), wrong)), tmp_path / "cache")
    with pytest.raises(CheckpointError, match="no adapter"):
        merged(base, str(tmp_path / "none"), tmp_path / "cache")
    with pytest.raises(CheckpointError, match=r"no adapter in .*adapter_config\.json"):
        merged(base, str(base), tmp_path / "cache")
    assert not list((tmp_path / "cache" / "merged").iterdir())


def _adapter(folder: Path, factors: dict[str, torch.Tensor], **settings: object) -> Path:
    folder.mkdir()
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": ALPHA, "bias": "none", "modules_to_save": None, **settings}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    save_file(factors, folder / "adapter_model.safetensors")
    return folder


def _pairs(factors: dict[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    for name, a in factors.items():
        if name.endswith(".lora_A.weight"):
            module = name.removesuffix(".lora_A.weight").removeprefix("base_model.model.")
            yield module, a, factors[name.replace("lora_A", "lora_B")]


def _engine(folder: Path) -> TransformersEngine:
    return TransformersEngine(Model(checkpoint=str(folder), dtype="float32"), describe(folder))
