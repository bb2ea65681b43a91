"""The stages of the embedded checkpoint, each learning and handing over to the next, on a model of a few thousand weights."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from jobs.train.embedded import blank_checkpoint, fresh_model, teach
from jobs.train.feed import as_pixels, batches
from jobs.train.frame import features
from jobs.train.grids import GlyphStandins
from jobs.train.joint import fit_projector
from jobs.train.recipe import Recipe, Stage
from jobs.train.release import release
from jobs.train.state import State, read_state, write_state
from jobs.train.succession import state_path
from pipeline.checkpoints.architecture import TINY
from pipeline.engines.description import describe
from pipeline.engines.vocabulary import Vocabulary
from pipeline.errors import CheckpointError

CPU = torch.device("cpu")
WORDS = ((1.0, "words"),)
RECIPE = Recipe(
    sizes=replace(TINY, vision_layers=1, text_layers=1),
    stages=(
        Stage("tower", 224, 6, 2, 3e-3, WORDS),
        Stage("grids", 448, 6, 2, 3e-3, WORDS),
        Stage("walk", 448, 2, 2, 1e-3, ((1.0, "lines"),)),
        Stage("words", 448, 2, 2, 1e-3, ((1.0, "lines"),)),
        Stage("large", 448, 1, 2, 1e-3, ((1.0, "lines"),)),
        Stage("places", 448, 1, 2, 1e-3, ((1.0, "tiles"),), asks=(("spot", 1),)),
        Stage("whole", 448, 1, 2, 1e-3, ((1.0, "tiles"),), asks=(("spot", 1),)),
    ),
    processes=0,
)


def test_each_stage_begins_with_what_the_last_one_left(tmp_path, capsys) -> None:
    """Decoder and tower each go on where they were, and meet in the last stage; a stage that is done is not taught again."""
    for stage in RECIPE.stages:
        assert teach(RECIPE, stage, tmp_path, CPU).done
    states = {stage.name: read_state(state_path(tmp_path, stage.name), CPU) for stage in RECIPE.stages}
    learned = {name: state.weights for name, state in states.items() if state}
    assert len(learned) == len(RECIPE.stages)
    for before, after, change in (
        ("tower", "words", {}),
        ("grids", "walk", {}),
        ("words", "large", {"tower": "model.model.vision_tower", "projector": "model.model.multi_modal_projector"}),
        ("walk", "large", {"decoder": "model.model.language_model"}),
        ("large", "whole", {}),
        ("places", "whole", {}),
    ):
        for name, weight in learned[before].items():
            part, rest = name.split(".", 1)
            found = learned[after].get(f"{change.get(part, part)}.{rest}")
            assert (part == "standins") == (found is None)
            assert found is None or (found - weight).abs().max() < 0.02  # but for a step or two
    assert "the projector leaves" in capsys.readouterr().out
    assert teach(RECIPE, RECIPE.stages[0], tmp_path, CPU).step == 6


def test_stages_out_of_order_are_refused(tmp_path) -> None:
    """A stage without what it begins with says which stage is missing."""
    for name, missing in (("walk", "grids"), ("words", "grids"), ("large", "words"), ("places", "large"), ("whole", "large")):
        with pytest.raises(CheckpointError, match=rf"{missing}\.pt"):
            teach(RECIPE, RECIPE.stage(name), tmp_path, CPU)


def test_a_stage_goes_on_after_its_minutes(tmp_path) -> None:
    """Many short calls teach what one long call does; a call without time teaches nothing."""
    stage = RECIPE.stage("tower")
    whole = teach(RECIPE, stage, tmp_path / "whole", CPU)
    assert teach(RECIPE, stage, tmp_path / "parts", CPU, minutes=0).step == 0
    parts = [teach(RECIPE, stage, tmp_path / "parts", CPU, minutes=0.001)]
    while not parts[-1].done:
        parts.append(teach(RECIPE, stage, tmp_path / "parts", CPU, minutes=0.001))
    assert parts[-1].losses == whole.losses


@pytest.mark.slow
def test_processes_teach_a_stage_together(tmp_path) -> None:
    """Two that torchrun starts take the steps of one, write one state and one line of history, and go on where they were."""
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--standalone",
        "-m",
        "jobs.train.embedded",
    ]
    arguments = ["--out", tmp_path, "--stage", "tower", "--steps", "3", "--processes", "0", "--threads", "1"]
    for steps in (0, 3):
        minutes = ["--minutes", "0"] if not steps else []
        done = subprocess.run([*command, *arguments, *minutes], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        state = read_state(state_path(tmp_path, "tower"), CPU)
        assert (state.step if state else 0) == steps
    told = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [(line["step"], line["machine"]) for line in told] == [(0, "CPU, 2 threads"), (3, "CPU, 2 threads")]


def test_the_tower_learns(tmp_path) -> None:
    """In some steps on one kind of page the loss falls."""
    recipe = replace(RECIPE, stages=(Stage("tower", 224, 30, 2, 3e-3, WORDS),))
    losses = teach(recipe, recipe.stages[0], tmp_path, CPU).losses
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_the_projector_is_fitted_to_what_stood_for_the_glyphs(tmp_path) -> None:
    """Least squares leave less than a fitted mean would, and the model's projector is what was fitted."""
    folder = blank_checkpoint(RECIPE, 448, tmp_path)
    model = fresh_model(folder, 0)
    standins = GlyphStandins(64)
    seen = list(batches(RECIPE, RECIPE.stage("tower"), Vocabulary.load(describe(folder)), 0))
    left = fit_projector(model, standins, seen)
    assert 0 < left < 1
    with torch.no_grad():
        said = model.model.multi_modal_projector(features(model.model.vision_tower, as_pixels(seen[0]), seen[0].where))
        wanted = standins(seen[0].grids, seen[0].where)
    assert (said - wanted).square().sum() < (wanted - wanted.mean((0, 1))).square().sum()


def test_a_state_is_whole_or_refused(tmp_path) -> None:
    """What is read is what was written; half a file is an error that says what to do."""
    path = tmp_path / "deep" / "tower.pt"
    assert read_state(path, CPU) is None
    write_state(path, State(3, 1.5, {"w": torch.arange(3.0)}, {"state": {}, "param_groups": []}, [2.0, 1.0]))
    state = read_state(path, CPU)
    assert state is not None
    assert (state.step, state.seconds, state.losses) == (3, 1.5, [2.0, 1.0])
    assert torch.equal(state.weights["w"], torch.arange(3.0))
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(CheckpointError, match="remove it"):
        read_state(path, CPU)
    assert list(path.parent.iterdir()) == [path]


def test_what_was_taught_becomes_a_checkpoint_with_measured_figures(tmp_path) -> None:
    """The released folder is served as it is, holds the state's weights, and its card says what was measured and how it was made."""
    with pytest.raises(CheckpointError, match="no joint training yet"):
        release(tmp_path, tmp_path / "out", 1)
    for stage in RECIPE.stages:
        teach(RECIPE, stage, tmp_path, CPU)
    written = release(tmp_path, tmp_path / "out", 3)
    assert written == (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert "| ocr | " in written
    assert "whole: 1 of 1 steps of 2" in written
    description = describe(tmp_path / "out")
    assert (description.resolution, description.dtype) == (448, "bfloat16")
    state = read_state(state_path(tmp_path, "whole"), CPU)
    assert state is not None
    wanted = next(weight for name, weight in state.weights.items() if name.endswith("layers.0.mlp.up_proj.weight"))
    found = load_file(tmp_path / "out" / "model.safetensors")["language_model.model.layers.0.mlp.up_proj.weight"]
    assert torch.equal(found, wanted.to(torch.bfloat16))
    assert "Not taught" not in written
    state_path(tmp_path, "whole").unlink()
    assert "Not taught, or to no avail: detect, spot, table." in release(tmp_path, tmp_path / "out", 3)
