"""The decoder asked for places: of a tower that is held, on patches that have ink."""

import pytest
import torch

from jobs.train.embedded import blank_checkpoint, fresh_model
from jobs.train.feed import Batch, as_pixels
from jobs.train.frame import features, places
from jobs.train.places import PlacesCourse, inked, thinned
from jobs.train.recipe import Recipe
from jobs.train.suffix import packed, suffix_loss
from pipeline.checkpoints.architecture import PATCH_PX, TINY
from pipeline.engines.description import describe
from pipeline.engines.vocabulary import Vocabulary
from pipeline.tasks.tokens import loc

PAIRS = [("ocr", "one two"), ("detect line", f"{loc(1) * 4} line"), ("ocr", ""), ("ocr", "3")]
PAPER = 240


@pytest.fixture
def model_and_vocabulary(tmp_path):
    folder = blank_checkpoint(Recipe(TINY, ()), 448, tmp_path)
    return fresh_model(folder, 0), Vocabulary.load(describe(folder))


def _batch(vocabulary: Vocabulary, pixels: torch.Tensor) -> Batch:
    where = places(torch.tensor([[3, 5], [0, 16]]), pixels.shape[1])
    shown = [each for each in where.numpy() for _ in range(2)]
    return Batch(pixels, None, packed(vocabulary, PAIRS, shown=shown), where)


def test_paper_without_ink_is_left_out() -> None:
    """Each view shows as many patches as the one with the most ink: its own inked ones, and they come in their order."""
    pixels = torch.full((2, 56, 56, 3), PAPER, dtype=torch.uint8)
    for patch in (13, 2, 7):
        row, column = divmod(patch, 4)
        pixels[0, row * PATCH_PX + 3, column * PATCH_PX + 5] = 0
    pixels[1, 10, 10] = 0
    kept = inked(pixels)
    assert kept[0].tolist() == [2, 7, 13]
    assert kept.shape == (2, 3)
    assert 0 in kept[1].tolist()
    assert inked(torch.full((1, 56, 56, 3), PAPER, dtype=torch.uint8)).shape == (1, 1)


def test_rows_of_some_patches_are_rows_of_those(model_and_vocabulary) -> None:
    """What is kept is what rows packed with those patches alone would have been: the same tokens at the same positions."""
    _, vocabulary = model_and_vocabulary
    every, some = torch.arange(40, 60), torch.tensor([41, 47, 59])
    whole = packed(vocabulary, PAIRS, shown=[every.numpy()] * len(PAIRS))
    found = thinned(whole, (some - 40).expand(len(PAIRS), -1), len(every))
    wanted = packed(vocabulary, PAIRS, shown=[some.numpy()] * len(PAIRS))
    for name in ("ids", "token_types", "real", "labels"):
        assert torch.equal(getattr(found, name), getattr(wanted, name))
    assert torch.equal(found.positions[found.real.bool()], wanted.positions[wanted.real.bool()])


def test_with_ink_everywhere_the_loss_is_that_of_the_whole_view(model_and_vocabulary) -> None:
    """Nothing but what has no ink is missing."""
    model, vocabulary = model_and_vocabulary
    noise = torch.randint(0, 256, (2, 224, 224, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    batch = _batch(vocabulary, noise)
    course = PlacesCourse(model, vocabulary.tokenizer.token_to_id(loc(0)))
    with torch.no_grad():
        seen = features(model.model.vision_tower, as_pixels(batch), batch.where)
        told = model.model.multi_modal_projector(seen).repeat_interleave(2, 0)
        whole = suffix_loss(model, told, batch.rows, first_place=vocabulary.tokenizer.token_to_id(loc(0)))
        torch.testing.assert_close(course(batch).loss, whole.loss, rtol=1e-5, atol=1e-5)


def test_the_tower_is_held(model_and_vocabulary) -> None:
    """Projector and decoder learn, the tower does not."""
    model, vocabulary = model_and_vocabulary
    noise = torch.randint(0, 256, (2, 224, 224, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    course = PlacesCourse(model, vocabulary.tokenizer.token_to_id(loc(0)))
    course(_batch(vocabulary, noise)).loss.backward()
    assert all(each.grad is None for each in model.model.vision_tower.parameters())
    assert model.model.multi_modal_projector.linear.weight.grad.abs().sum() > 0
    assert all(each.grad is not None for each in model.model.language_model.layers.parameters())
