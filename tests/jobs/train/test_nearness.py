"""Where the tokens of places begin, and what missing one costs."""

import torch
from torch import nn

from jobs.train.nearness import PLACES, begin_near_alike, missed

FIRST = 10


def test_near_places_begin_alike_and_no_two_the_same() -> None:
    """Each place is likest to itself, then to those beside it, and the less the further off; other rows stay."""
    embedding = nn.Embedding(FIRST + PLACES + 5, 160)
    before = embedding.weight.detach().clone()
    begin_near_alike(embedding, FIRST, seed=3)
    rows = embedding.weight[FIRST : FIRST + PLACES].detach()
    likeness = nn.functional.normalize(rows) @ nn.functional.normalize(rows).T
    assert torch.equal(likeness.argmax(dim=1), torch.arange(PLACES))
    for place in (0, 300, PLACES - 1):
        step = -1 if place > PLACES // 2 else 1
        alike = likeness[place, [place + step * off for off in (0, 8, 32, 128)]]
        assert (alike.diff() < 0).all()
        assert alike[1] > 0.8
        assert alike[3] < 0.2
    for others in (slice(0, FIRST), slice(FIRST + PLACES, None)):
        assert torch.equal(embedding.weight[others], before[others])


def test_a_narrow_model_begins_with_noise() -> None:
    """What cannot hold the waves is left as it is."""
    embedding = nn.Embedding(PLACES, 64)
    before = embedding.weight.detach().clone()
    begin_near_alike(embedding, 0, seed=3)
    assert torch.equal(embedding.weight, before)


def test_a_near_miss_of_a_place_costs_less_than_a_far_one() -> None:
    """The place itself costs least, the next ones more, any other the same; one that is no place is all or nothing."""
    sure = torch.eye(FIRST + PLACES + 5) * 20
    place = torch.full((5,), FIRST + 300)
    costs = missed(sure[FIRST + 300 + torch.tensor([0, 3, 8, 100, 400])], place, FIRST)
    assert (costs[:3].diff() > 0).all()
    assert costs[3] > costs[2]
    torch.testing.assert_close(costs[3], costs[4])
    words = torch.tensor([2, FIRST - 1, FIRST + PLACES])
    torch.testing.assert_close(
        missed(sure[[2, 4, 5]], words, FIRST), nn.functional.cross_entropy(sure[[2, 4, 5]], words, reduction="none")
    )
