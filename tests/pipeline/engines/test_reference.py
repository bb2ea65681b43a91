"""The reference's answers: worked out in a process of its own, kept, and never taken for those of anything else."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.checkpoints.build import build
from pipeline.engines import reference
from pipeline.engines.description import Description, describe
from pipeline.errors import CheckpointError
from schemas.job import Model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Description:
    return describe(build(tmp_path_factory.mktemp("checkpoint") / "tiny", resolution=224))


@pytest.fixture(scope="module")
def wanted(tiny: Description) -> reference.Reference:
    return reference.work_out(_model(tiny), tiny)


def test_the_reference_is_worked_out_once(tiny: Description, wanted: reference.Reference, tmp_path: Path) -> None:
    """A process of its own answers like this one; the second time the stored answers are taken, whatever they say."""
    found = reference.reference(_model(tiny), tiny, tmp_path)
    assert found == wanted
    (kept,) = (tmp_path / "parity").iterdir()
    kept.write_text(kept.read_text().replace(f'"text": "{wanted.answers[0].text[0]}', '"text": "?', 1))
    assert reference.reference(_model(tiny), tiny, tmp_path).answers[0].text.startswith("?")


def test_another_dtype_checkpoint_or_damage_is_never_taken_for_it(
    tiny: Description, wanted: reference.Reference, tmp_path: Path
) -> None:
    """A stored reference of something else, or half a file, counts as none."""
    path = tmp_path / "reference.json"
    reference._write(wanted, path)
    asked = reference._wanted(_model(tiny), tiny)
    assert reference._read(path, asked) == wanted
    for changed in (
        {"dtype": "bfloat16"},
        {"checkpoint_hash": "0" * 64},
        {"torch": "1.0"},
        {"exam": "1" * 64},
        {"device": "cuda"},
    ):
        assert reference._read(path, asked | changed) is None
    path.write_text(path.read_text()[:-20])
    assert reference._read(path, asked) is None
    assert reference._read(tmp_path / "none.json", asked) is None


def test_a_checkpoint_that_cannot_be_run_says_so(tiny: Description, tmp_path: Path) -> None:
    """What the process that works the reference out dies of reaches whoever asked."""
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in tiny.folder.iterdir():
        (broken / path.name).write_bytes(path.read_bytes()[: 1000 if path.suffix == ".safetensors" else None])
    with pytest.raises(CheckpointError, match="cannot be worked out here") as refused:
        reference.reference(_model(tiny), replace(tiny, folder=broken), tmp_path)
    assert "transformers cannot load" in str(refused.value)


def test_four_bits_are_asked_of_the_weights_written_out(tiny: Description, wanted: reference.Reference) -> None:
    """The reference reads the plain weights in the described folder, however a model serves them."""
    asked = _model(tiny).model_copy(update={"quantization": "int4", "engine": "vllm", "tensor_parallel": 2})
    assert reference.work_out(asked, tiny) == wanted


def _model(description: Description) -> Model:
    return Model(checkpoint=str(description.folder), engine="vllm", dtype="float32")
