"""Four bits: what is rounded and how, and that both folders hold the same weights; that vLLM computes them is in test_vllm.py."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from pipeline.checkpoints.build import build
from pipeline.engines.int4 import PACKED, rounded
from pipeline.engines.quantization import why_not_quantized
from pipeline.engines.start import prepare
from pipeline.errors import CheckpointError
from schemas.job import Model

LAYER = "language_model.model.layers.0.mlp.down_proj.weight"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("base") / "tiny", family="paligemma2", resolution=224)


@pytest.fixture(scope="module")
def made(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rounded(base, tmp_path_factory.mktemp("cache"))


def test_only_the_language_models_layers_are_rounded(base: Path, made: Path) -> None:
    """Each of their weights moves by at most half a level; tower, projector, embeddings and norms are what they were."""
    before, after = load_file(base / "model.safetensors"), load_file(made / "model.safetensors")
    assert before.keys() == after.keys()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {name for name in before if name.startswith("language_model.model.layers.") and "_proj." in name}
    for name in moved:
        groups = before[name].view(-1, 32)
        level = groups.abs().amax(1, keepdim=True) / 7
        assert ((after[name].view(-1, 32) - groups).abs() <= level * 0.51).all(), name


def test_what_is_packed_is_what_is_written_out(made: Path) -> None:
    """Unpacked by compressed-tensors' rule (eight to an int32, lowest bits first, 8 is nought), the packed weights are the plain ones."""
    plain, packed = load_file(made / "model.safetensors"), load_file(made / PACKED / "model.safetensors")
    assert LAYER not in packed
    base = LAYER.removesuffix(".weight")
    words = packed[f"{base}.weight_packed"].to(torch.int64) % 2**32
    levels = torch.stack([(words >> 4 * place) % 16 - 8 for place in range(8)], dim=2).view(words.shape[0], -1)
    scales = packed[f"{base}.weight_scale"].float().repeat_interleave(32, dim=1)
    assert torch.equal(levels * scales, plain[LAYER])
    assert packed[f"{base}.weight_shape"].tolist() == list(plain[LAYER].shape)
    assert json.loads((made / PACKED / "config.json").read_text())["quantization_config"]["format"] == "pack-quantized"
    assert "quantization_config" not in json.loads((made / "config.json").read_text())


def test_it_is_made_once(base: Path, tmp_path: Path) -> None:
    """The second time the folder is found, and nothing half made lies beside it."""
    folder = rounded(base, tmp_path)
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert rounded(base, tmp_path) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    assert list((tmp_path / "int4").iterdir()) == [folder]


def test_a_checkpoint_in_several_files_keeps_its_index_right(base: Path, tmp_path: Path) -> None:
    """Every name of the packed index is in the file that it names, and no weight is missing from it."""
    weights, folder = load_file(base / "model.safetensors"), shutil.copytree(base, tmp_path / "parts")
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    weight_map = {}
    for number, some in enumerate((names[: len(names) // 2], names[len(names) // 2 :])):
        save_file({name: weights[name] for name in some}, folder / f"model-{number}.safetensors", metadata={"format": "pt"})
        weight_map |= dict.fromkeys(some, f"model-{number}.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    packed = rounded(folder, tmp_path / "cache") / PACKED
    index = json.loads((packed / "model.safetensors.index.json").read_text())["weight_map"]
    held = {name: path.name for path in packed.glob("*.safetensors") for name in load_file(path)}
    assert index == held


def test_what_cannot_be_rounded_is_refused(base: Path, tmp_path: Path) -> None:
    """A checkpoint that is quantised already, and a layer that groups of 32 do not divide; nothing half made stays."""
    already = shutil.copytree(base, tmp_path / "already")
    config = json.loads((already / "config.json").read_text())
    (already / "config.json").write_text(json.dumps({**config, "quantization_config": {"quant_method": "gptq"}}))
    odd = shutil.copytree(base, tmp_path / "odd")
    weights = load_file(odd / "model.safetensors")
    save_file(weights | {LAYER: weights[LAYER][:, :-1].contiguous()}, odd / "model.safetensors", metadata={"format": "pt"})
    for folder, reason in ((already, "quantised already"), (odd, "cannot be rounded")):
        with pytest.raises(CheckpointError, match=reason):
            rounded(folder, tmp_path / "cache")
    assert not list((tmp_path / "cache" / "int4").iterdir())


def test_preparing_rounds_and_says_so(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is prepared is the rounded checkpoint, still marked for vLLM to load the packed one; rows carry the rounded weights' hash."""
    monkeypatch.setenv("PAGEMILL_CACHE", str(tmp_path))
    model, description = prepare(Model(checkpoint=str(base), engine="vllm", quantization="int4"))
    assert model.quantization == "int4"
    assert description.folder.parent == tmp_path / "int4"
    assert (description.folder / PACKED / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"quantization": "int8"}, "0.26 in float32.*`int4`"),
        ({"quantization": "fp8"}, "0.58 in bfloat16"),
        ({"quantization": "nf4"}, "no longer serves"),
        ({"quantization": "int4", "dtype": "float32"}, "dtype: bfloat16"),
        ({"quantization": "int4", "engine": "transformers"}, "goes with `engine: vllm`"),
    ],
)
def test_what_is_not_served_says_why(base: Path, settings: dict[str, str], reason: str) -> None:
    """Before anything is written: the reason, and what to do."""
    with pytest.raises(CheckpointError, match=reason):
        prepare(Model.model_validate({"checkpoint": str(base), "engine": "vllm", **settings}))
    assert why_not_quantized(None, "transformers", "float32") is None
