"""Several processes that teach one model with Ray Train, against one process that takes as many batches a step."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from safetensors.torch import load_file

from jobs.cli import cli


@pytest.fixture
def labels(tmp_path, pictures) -> Path:
    """Return a label file of twelve questions on three pictures."""
    from PIL import Image

    for number, image in enumerate(pictures(3, 56)):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    lines = [
        {"uri": f"{number % 3}.png", "task": "answer", "prompt": f"answer en which is {number}?", "target": f"{number * 37}.00"}
        for number in range(12)
    ]
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def _taught(labels: Path, checkpoint: Path, out: Path, *options: str) -> dict[str, object]:
    arguments = ["train", str(labels), "--checkpoint", str(checkpoint), "--out", str(out), "--epochs", "4", "--batch", "2"]
    done = CliRunner().invoke(cli, [*arguments, "--hold-out", "0", "--json", *options], standalone_mode=False)
    assert done.exception is None, done.exception
    return json.loads(done.stdout)["progress"]


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.filterwarnings("ignore:.use_.* is deprecated:DeprecationWarning")  # Ray's own, read by Ray Train
def test_two_processes_learn_what_one_does(tiny, labels, tmp_path) -> None:
    """With a batch each, two processes take the steps of one with two batches: the same losses, and the same weights.

    Killed on their way, they go on where they were.
    """
    alone = _taught(labels, tiny(), tmp_path / "alone", "--accumulate", "2")
    stopped = _taught(labels, tiny(), tmp_path / "together", "--workers", "2", "--minutes", "0.0001")
    assert 0 < stopped["step"] < alone["step"]
    together = _taught(labels, tiny(), tmp_path / "together", "--workers", "2", "--minutes", "60")
    assert (together["step"], together["done"]) == (alone["step"], True)
    assert together["losses"] == pytest.approx(alone["losses"], rel=1e-4)
    ours, theirs = (load_file(tmp_path / name / "model.safetensors") for name in ("together", "alone"))
    assert all((ours[name] - theirs[name]).abs().max() < 1e-4 for name in theirs)
    card = (tmp_path / "together" / "MODEL_CARD.md").read_text()
    assert "of 4 examples by 2 processes" in card
    assert "training: step" in (tmp_path / "together" / "training" / "progress.log").read_text()
