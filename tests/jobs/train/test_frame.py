"""Views laid into the frame of what is served, and pieces of writing that were never drawn."""

import numpy as np
import pytest
import torch

from jobs.synth.document import stream
from jobs.train.embedded import blank_checkpoint, fresh_model
from jobs.train.frame import FRAME_PX, SIDE, features, places
from jobs.train.glyphs import BLANK, SLOTS, class_of
from jobs.train.pieces import piece
from jobs.train.recipe import Recipe
from jobs.train.suffix import packed
from pipeline.checkpoints.architecture import TINY
from pipeline.engines.description import describe
from pipeline.engines.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def blank(tmp_path_factory):
    return blank_checkpoint(Recipe(TINY, ()), FRAME_PX, tmp_path_factory.mktemp("blank"))


def test_places_are_the_frame_s_patches() -> None:
    """A view covers a square of patches whose first is at its corner; a view of the frame's size covers all in their order."""
    (where,) = places(torch.tensor([[3, 5]]), 28)
    assert where.tolist() == [3 * SIDE + 5, 3 * SIDE + 6, 4 * SIDE + 5, 4 * SIDE + 6]
    assert torch.equal(places(torch.tensor([[0, 0]]), FRAME_PX)[0], torch.arange(SIDE * SIDE))


def test_a_whole_view_is_what_is_served(blank) -> None:
    """The features of a view that fills the frame are the tower's own, and its rows are those of a whole image."""
    model = fresh_model(blank, 0).eval()
    pixels = torch.randn(1, 3, FRAME_PX, FRAME_PX, generator=torch.Generator().manual_seed(0))
    where = places(torch.zeros(1, 2, dtype=torch.long), FRAME_PX)
    with torch.no_grad():
        tower = model.model.vision_tower
        torch.testing.assert_close(features(tower, pixels, where), tower(pixels).last_hidden_state)
    vocabulary = Vocabulary.load(describe(blank))
    framed, whole = packed(vocabulary, [("ocr", "ab")], shown=[where[0].numpy()]), packed(vocabulary, [("ocr", "ab")])
    assert torch.equal(framed.ids, whole.ids)
    assert torch.equal(framed.positions, whole.positions)
    assert torch.equal(whole.positions[0], torch.arange(whole.ids.shape[1]) + 1)


def test_a_part_keeps_its_positions(blank) -> None:
    """Patches that are shown have the positions of the whole image, and the text follows where it always does."""
    vocabulary = Vocabulary.load(describe(blank))
    rows = packed(vocabulary, [("ocr", "a"), ("ocr", "abcd")], shown=[np.array([0, 40]), np.array([7])])
    assert rows.positions[0, :3].tolist() == [1, 41, SIDE * SIDE + 1]
    assert rows.positions[1, :3].tolist() == [8, SIDE * SIDE + 1, SIDE * SIDE + 2]
    assert (rows.ids[0] == vocabulary.description.image_id).sum() == 2


@pytest.mark.parametrize("seed", range(6))
def test_a_piece_s_glyphs_are_its_text_s(seed) -> None:
    """Read row by row, the glyphs of a piece are its text's in order, but for some that hide behind another; most patches are inked."""
    made = piece(stream("test", seed), 4, 30, 0.5)
    wanted = [class_of(character) for character in made.text if not character.isspace()]
    found = [each for each in made.grid.reshape(-1).tolist() if each != BLANK]
    following = iter(wanted)
    assert all(each in following for each in found)
    assert 0.8 * len(wanted) <= len(found) <= len(wanted)
    assert made.grid.shape == (len(made.where), SLOTS)
    assert (np.diff(made.where) > 0).all()
    assert len(made.where) < SIDE * SIDE / 4
