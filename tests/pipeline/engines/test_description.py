"""A checkpoint is described from its configuration files alone."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.checkpoints import EMBEDDED_FOLDER
from pipeline.engines.description import describe, require_resolution
from pipeline.errors import CheckpointError


@pytest.mark.parametrize(("family", "resolution", "tokens"), [("paligemma", 224, 256), ("paligemma2", 896, 4096)])
def test_family_resolution_and_image_tokens_are_read(lively, family, resolution, tokens) -> None:
    """They come from config.json, for PaliGemma 1 and 2."""
    found = describe(lively(family, resolution))
    assert (found.family, found.resolution, found.image_tokens) == (family, resolution, tokens)
    assert found.final_softcap == (30.0 if family == "paligemma2" else None)


def test_a_published_layout_is_understood(tmp_path: Path) -> None:
    """Both eos ids of PaliGemma 2 count, tokens may be objects, and absent keys have the published defaults."""
    config = {
        "model_type": "paligemma",
        "image_token_index": 257152,
        "bos_token_id": 2,
        "pad_token_id": 0,
        "text_config": {"model_type": "gemma2", "eos_token_id": [1, 107], "torch_dtype": "bfloat16"},
        "vision_config": {"image_size": 448, "patch_size": 14},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"bos_token": {"content": "<bos>"}}))
    found = describe(tmp_path)
    assert (found.eos_ids, found.bos_token, found.dtype) == ((1, 107), "<bos>", "bfloat16")
    assert (found.image_id, found.image_tokens, found.final_softcap) == (257152, 1024, 30.0)


def test_another_resolution_is_refused_by_name() -> None:
    """The message names the resolution that the checkpoint has."""
    with pytest.raises(CheckpointError, match=r"448 px, not 896.*resolution: 448"):
        require_resolution(describe(EMBEDDED_FOLDER), 896)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("config.json", None, "no config.json"),
        ("config.json", "{", "cannot be read"),
        ("config.json", "[]", "no JSON object"),
        ("config.json", '{"model_type": "llava"}', "llava, not a PaliGemma"),
        ("config.json", '{"model_type": "paligemma", "text_config": {"model_type": "phi"}}', "phi"),
        ("tokenizer_config.json", None, "no tokenizer_config.json"),
        ("tokenizer_config.json", "{}", "bos_token"),
    ],
)
def test_what_is_no_paligemma_is_refused(lively, tmp_path: Path, name: str, content: str | None, words: str) -> None:
    """Each fault of the files is an error that says which."""
    folder = shutil.copytree(lively("paligemma", 224), tmp_path / "copy")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises(CheckpointError, match=words):
        describe(folder)


def test_describing_imports_no_model_library() -> None:
    """A job file is validated without torch or transformers."""
    check = (
        "import sys; from pipeline.engines.description import describe; from pipeline.engines.weights import resolve;"
        "describe(resolve('embedded')); sys.exit(bool({'torch', 'transformers', 'boto3'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", check], cwd=Path(__file__).parents[3], check=False).returncode == 0
