"""Fine-tuning from end to end on tiny checkpoints: what is taught is what is served."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from jobs.train.adapt import adapt
from jobs.train.course import load
from jobs.train.examples import Example
from jobs.train.export import write_checkpoint
from jobs.train.joint import JointCourse
from jobs.train.lessons import batches
from jobs.train.loop import Plan, learn
from jobs.train.modes import MODES
from jobs.train.tune import answers
from pipeline.engines.description import describe
from pipeline.engines.vocabulary import Vocabulary

TEXTS = ["Total 12.00", "<loc0001><loc0002><loc0300><loc0400> stamp", "a\nb", ""]
CPU = torch.device("cpu")


@pytest.fixture
def lessons(tmp_path, pictures):
    """Return four examples and the folder of their views: two questions on one picture, and others."""
    images = pictures(3, 56)
    for number, image in enumerate(images):
        np.save(tmp_path / f"{number}.npy", image)
    asked = [("0.npy", "ocr"), ("0.npy", "detect stamp"), ("1.npy", "ocr"), ("2.npy", "answer en what is it?")]
    return [
        Example(view, (1, 0, 0, 1, 0, 0), "x", 0, "ocr", prompt, text)
        for (view, prompt), text in zip(asked, TEXTS, strict=True)
    ], tmp_path


def _plan(vocabulary, examples, views, path, steps, **more):
    return Plan(
        name="test",
        steps=steps,
        batches=lambda step: batches(vocabulary, examples, views, size=2, seed=0, start=step),
        rate=lambda step: 3e-3 * min(1, (steps - step) / steps * 2),
        state_path=path,
        **more,
    )


@pytest.mark.parametrize("family", ["paligemma", "paligemma2"])
def test_what_is_learned_by_heart_is_read_back_by_the_engine(tiny, lessons, tmp_path, family) -> None:
    """Masks, newline, positions, pixels and weight names agree between training and serving: else a word would differ."""
    description = describe(tiny(family))
    vocabulary = Vocabulary.load(description)
    examples, views = lessons
    model = load(description)
    adapted = adapt(model, "full", 1, 0, "tiny")
    plan = _plan(vocabulary, examples, views, tmp_path / "state.pt", 160)
    progress = learn(JointCourse(model, description.final_softcap), plan, CPU, lambda _: None)
    assert progress.losses[-1] < 0.1
    out = tmp_path / "out"
    write_checkpoint(adapted.merged(tmp_path / "adapter"), description.folder, out, card="# card\n")
    assert answers(describe(out), examples, views, 64) == TEXTS


def test_a_killed_training_goes_on_as_if_nothing_had_happened(tiny, lessons, tmp_path) -> None:
    """Losses and weights of an interrupted and resumed training equal those of one that was not."""
    description = describe(tiny())
    vocabulary = Vocabulary.load(description)
    examples, views = lessons

    def trained(path, *stops):
        for stop in (*stops, None):
            model = load(description)
            adapt(model, "lora", 4, 7, "tiny")
            plan = _plan(vocabulary, examples, views, path, 8, decay=0.1)
            if stop is not None:  # the feed ends early, as a killed process would
                whole = plan.batches
                plan = replace(plan, batches=lambda step, whole=whole, stop=stop: _until(whole(step), stop - step))
                with pytest.raises((StopIteration, RuntimeError)):
                    learn(JointCourse(model), plan, CPU, lambda _: None, keep_every_s=0)
            else:
                progress = learn(JointCourse(model), plan, CPU, lambda _: None)
        return progress.losses, {name: weight for name, weight in model.named_parameters() if weight.requires_grad}

    losses, weights = trained(tmp_path / "whole.pt")
    again, other = trained(tmp_path / "broken.pt", 3, 6)
    assert again == losses
    assert len(losses) == 8
    assert all(torch.equal(weights[name], other[name]) for name in weights)


def _until(feed, count):
    for _ in range(count):
        yield next(feed)


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_teaches_only_what_it_says(tiny, lessons, tmp_path, mode) -> None:
    """After some steps exactly the weights that the mode names have changed, in the checkpoint that is written."""
    from safetensors.torch import load_file

    description = describe(tiny())
    examples, views = lessons
    model = load(description)
    adapted = adapt(model, mode, 2, 0, "tiny")
    plan = _plan(Vocabulary.load(description), examples, views, tmp_path / "state.pt", 3)
    learn(JointCourse(model), plan, CPU, lambda _: None)
    write_checkpoint(adapted.merged(tmp_path / "adapter"), description.folder, tmp_path / "out", card="")
    before, after = (load_file(folder / "model.safetensors") for folder in (description.folder, tmp_path / "out"))
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    linear = {name for name in before if name.endswith("proj.weight")}
    language = {name for name in linear if name.startswith("language_model")}
    tower = {
        name
        for name in before
        if name.startswith("vision_tower") and name.endswith(("proj.weight", "fc1.weight", "fc2.weight"))
    }
    projector = {name for name in before if name.startswith("multi_modal_projector")}
    expected = {
        "lora": language,
        "lora-all": language | tower | {"multi_modal_projector.linear.weight"},
        "projector": projector,
        "full": set(before) - {name for name in before if name.endswith("k_proj.bias")},  # softmax does not feel them
    }[mode]
    assert changed - {name for name in before if name.endswith("k_proj.bias")} == expected


def test_an_adapter_kept_apart_gives_the_same_checkpoint(tiny, lessons, tmp_path) -> None:
    """A job that names the adapter serves the weights that the written checkpoint has."""
    from safetensors.torch import load_file

    from pipeline.engines.adapter import merged

    description = describe(tiny())
    examples, views = lessons
    model = load(description)
    adapted = adapt(model, "lora-all", 2, 0, "tiny")
    learn(JointCourse(model), _plan(Vocabulary.load(description), examples, views, tmp_path / "s.pt", 3), CPU, lambda _: None)
    write_checkpoint(adapted.merged(tmp_path / "adapter"), description.folder, tmp_path / "out", card="")
    other = merged(description.folder, str(tmp_path / "adapter"), cache=tmp_path / "cache")
    ours, theirs = load_file(tmp_path / "out" / "model.safetensors"), load_file(other / "model.safetensors")
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-5, atol=1e-6)


def test_accumulating_and_checkpointing_change_no_number(tiny, lessons, tmp_path) -> None:
    """Two batches a step give the mean of their losses; computing activations twice gives the same ones."""
    description = describe(tiny())
    vocabulary = Vocabulary.load(description)
    examples, views = lessons
    found = []
    for checkpointing in (False, True):
        model = load(description)
        adapt(model, "lora", 2, 0, "tiny")
        if checkpointing:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        plan = _plan(vocabulary, examples, views, tmp_path / f"{checkpointing}.pt", 3, accumulate=2)
        plan = replace(plan, batches=lambda step: batches(vocabulary, examples, views, size=2, seed=0, start=2 * step))
        found.append(learn(JointCourse(model), plan, CPU, lambda _: None).losses)
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    assert len(found[0]) == 3


def test_half_precision_learns_about_the_same(tiny, lessons, tmp_path) -> None:
    """The way GPUs go, a forward pass in bfloat16, gives losses near those of float32."""
    description = describe(tiny())
    examples, views = lessons
    found = []
    for half in (False, True):
        model = load(description)
        adapt(model, "lora-all", 2, 0, "tiny")
        plan = _plan(Vocabulary.load(description), examples, views, tmp_path / f"{half}.pt", 3, half=half)
        found.append(learn(JointCourse(model), plan, CPU, lambda _: None).losses)
    assert found[0] == pytest.approx(found[1], rel=0.05)
    assert found[0] != found[1]


def test_a_loss_that_is_no_number_ends_the_training(tiny, lessons, tmp_path) -> None:
    """Steps after a loss of NaN would only overwrite the last good state."""
    description = describe(tiny())
    examples, views = lessons
    model = load(description)
    model.model.multi_modal_projector.linear.bias.data.fill_(math.nan)
    plan = _plan(Vocabulary.load(description), examples, views, tmp_path / "state.pt", 3)
    with pytest.raises(ArithmeticError, match="learning rate"):
        learn(JointCourse(model), plan, CPU, lambda _: None)
    assert not (tmp_path / "state.pt").exists()


def test_the_command_teaches_and_says_how_well(tiny, tmp_path) -> None:
    """From a label file to a checkpoint with its card, its curve and its scores; the same command again has nothing left to do."""
    from click.testing import CliRunner

    from jobs.cli import cli
    from jobs.synth import synth, truth_of

    documents = synth(tmp_path / "documents", count=3, seed=5, kinds=["receipt"], finishes=["pdf"])
    with (tmp_path / "labels.jsonl").open("w") as file:
        for path in documents:
            page = truth_of(path).pages[0]
            place = {"uri": f"documents/{path.name}", "page": 0}
            total = next(field for field in page.fields if field.name == "total")
            boxes = [box.model_dump() for box in page.boxes]
            for label in (
                {**place, "task": "answer", "prompt": f"answer en {total.question}", "target": total.value.value_text},
                {
                    **place,
                    "task": "detect",
                    "labels": ["logo", "total"],
                    "boxes": [b for b in boxes if b["label"] in ("logo", "total")],
                },
            ):
                file.write(json.dumps(label) + "\n")
    out = tmp_path / "out"
    arguments = ["train", str(tmp_path / "labels.jsonl"), "--out", str(out), "--checkpoint", str(tiny()), "--epochs", "2"]
    arguments += ["--batch", "2", "--hold-out", "0.3", "--max-tokens", "40", "--json"]
    first = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert first.exception is None, first.exception
    said = json.loads(first.stdout)
    assert said["progress"]["done"]
    assert said["learned_from"] == 4
    assert {after["task"] for _, after in said["scores"]} == {"answer", "detect"}
    assert "| licence |" in (out / "MODEL_CARD.md").read_text()
    assert (out / "training" / "loss.png").stat().st_size > 1000
    assert describe(out).resolution == 56
    second = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert json.loads(second.stdout)["progress"]["losses"] == said["progress"]["losses"]
    other = CliRunner().invoke(cli, [*arguments, "--seed", "1"], standalone_mode=False)
    assert "other arguments" in str(other.exception)


def test_labels_and_checkpoints_may_lie_in_a_bucket(tiny, s3_uri, tmp_path, monkeypatch) -> None:
    """Labels, pages and the checkpoint to begin with come from s3://, and what is taught goes there as a checkpoint that loads."""
    from click.testing import CliRunner

    from jobs.cli import cli
    from jobs.synth import generate
    from pipeline.engines.weights import resolve
    from pipeline.storage import open_store

    monkeypatch.setenv("PAGEMILL_CACHE", str(tmp_path / "cache"))
    store = open_store(s3_uri)
    for path in tiny().iterdir():
        store.upload(path, f"{s3_uri}/base/{path.name}")
    store.write(f"{s3_uri}/data/a b.pdf", generate("text", 1)[0])
    label = {"uri": "a b.pdf", "task": "ocr", "target": "one"}
    store.write(f"{s3_uri}/data/labels.jsonl", json.dumps(label).encode())
    arguments = ["train", f"{s3_uri}/data/labels.jsonl", "--checkpoint", f"{s3_uri}/base", "--out", f"{s3_uri}/out"]
    done = CliRunner().invoke(cli, [*arguments, "--epochs", "2", "--batch", "1"], standalone_mode=False)
    assert done.exception is None, done.exception
    assert "No page was held out" in done.stdout
    assert describe(resolve(f"{s3_uri}/out")).resolution == 56
    names = {found.uri.removeprefix(f"{s3_uri}/out/") for found in store.list(f"{s3_uri}/out")}
    assert names >= {"MODEL_CARD.md", "model.safetensors", "training/loss.png", "training/adapter/adapter_model.safetensors"}
    assert not any(name.endswith((".npy", "state.pt")) for name in names)
