"""Where a tower begins."""

import pytest
import torch
from transformers import SiglipVisionConfig, SiglipVisionModel

from jobs.train.begin import see_neighbours
from jobs.train.frame import FRAME_PX, SIDE

LEFT, RIGHT, UP, DOWN = -1, 1, -SIDE, SIDE


@pytest.fixture
def tower() -> SiglipVisionModel:
    torch.manual_seed(0)
    configuration = SiglipVisionConfig(
        hidden_size=160,
        intermediate_size=320,
        num_hidden_layers=3,
        num_attention_heads=5,
        image_size=FRAME_PX,
        patch_size=14,
        vision_use_head=False,
    )
    configuration._attn_implementation = "eager"
    return SiglipVisionModel(configuration)


def _views() -> torch.Tensor:
    """Return two views, grey throughout, with ink on white."""
    ink = torch.rand(2, 1, FRAME_PX, FRAME_PX, generator=torch.Generator().manual_seed(1)) * 2 - 1
    ink[:, :, : FRAME_PX // 2] = 1.0
    return ink.expand(-1, 3, -1, -1).contiguous()


@torch.no_grad()
def test_the_first_heads_look_at_their_neighbour(tower) -> None:
    """Most of what four heads of the first layer look at, in ink as on paper, is the patch to the left, right, above and below."""
    views = _views()
    see_neighbours(tower, views)
    hidden = tower.embeddings(views)
    looks = tower.encoder.layers[0].self_attn(tower.encoder.layers[0].layer_norm1(hidden))[1]
    inner = torch.tensor([row * SIDE + column for row in range(1, SIDE - 1) for column in range(1, SIDE - 1)])
    for head, step in enumerate((LEFT, RIGHT, UP, DOWN)):
        assert looks[:, head, inner, inner + step].min() > 0.5


@torch.no_grad()
def test_paper_is_nothing_and_every_place_is_its_own(tower) -> None:
    """A white patch has no features but its place, and no two places are alike."""
    see_neighbours(tower, _views())
    white = torch.ones(1, 3, FRAME_PX, FRAME_PX)
    assert tower.embeddings.patch_embedding(white).abs().max() < 1e-4
    places = tower.embeddings.position_embedding.weight
    likeness = places @ places.T
    assert (likeness.argmax(dim=1) == torch.arange(SIDE * SIDE)).all()


@torch.no_grad()
def test_a_narrow_tower_is_left_as_it_is() -> None:
    """Heads too narrow to carry a place are not touched."""
    narrow = SiglipVisionModel(
        SiglipVisionConfig(
            hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2, image_size=FRAME_PX, patch_size=14
        )
    )
    before = {name: weight.clone() for name, weight in narrow.state_dict().items()}
    see_neighbours(narrow, _views())
    assert all(torch.equal(before[name], weight) for name, weight in narrow.state_dict().items())
