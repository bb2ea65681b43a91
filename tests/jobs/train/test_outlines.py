"""What each patch of a view is said to lie in, and how a tower is asked for it."""

from itertools import pairwise

import pytest
import torch

from jobs.train.asked import LABELS
from jobs.train.frame import SIDE
from jobs.train.outlines import NOTHING, OutlineHeads, Outlines, outlines
from jobs.train.views import views


@pytest.fixture(scope="module")
def seen():
    return [each for seed in range(40) for each in views("tiles", seed, 448, count=1, drawn=False, tilings=("grid",))]


def test_a_patch_on_a_line_has_that_lines_box(seen) -> None:
    """The patch in a line's middle says its box, but where a nearer line lies over it; paper has none."""
    told = outlines(seen)
    assert told.lines.shape == (len(seen), SIDE * SIDE, 4)
    right = asked = 0
    for index, each in enumerate(seen):
        for box in each.line_boxes():
            row, column = int((box.y0 + box.y1) / 2 * SIDE), int((box.x0 + box.x1) / 2 * SIDE)
            found = told.lines[index, min(row, SIDE - 1) * SIDE + min(column, SIDE - 1)]
            right += bool(torch.allclose(found, torch.tensor([box.y0, box.x0, box.y1, box.x1]).clamp(0, 1), atol=1e-6))
            asked += 1
    assert asked > 100
    assert right > 0.95 * asked
    assert ((told.lines >= 0).all(-1) | (told.lines == -1).all(-1)).all()
    assert (told.lines[..., 0] < 0).float().mean() > 0.3


def test_a_patch_on_a_line_has_the_next_lines_box(seen) -> None:
    """Patches of a line say where the one that is read after it lies; those of the last line say none."""
    told = outlines(seen)
    for index, each in enumerate(seen):
        edges = [torch.tensor([box.y0, box.x0, box.y1, box.x1]).clamp(0, 1) for box in each.line_boxes()]
        following = dict(pairwise(tuple(each.tolist()) for each in edges))
        for line, after in zip(told.lines[index].tolist(), told.nexts[index].tolist(), strict=True):
            assert tuple(after) == following.get(tuple(line), (-1.0,) * 4)
    assert 0.5 < (told.nexts[..., 0] >= 0).sum() / (told.lines[..., 0] >= 0).sum() < 1


def test_a_patch_in_a_thing_has_the_smallest_ones_label_and_box(seen) -> None:
    """Each thing's patches lie in its box, and a total amid its table is a total."""
    told = outlines(seen)
    found = {LABELS[int(kind) - 1] for kind in told.kinds.unique() if kind != NOTHING}
    assert {"title", "table", "total"} <= found
    inside = told.kinds != NOTHING
    rows, columns = (torch.arange(SIDE * SIDE) // SIDE / SIDE, torch.arange(SIDE * SIDE) % SIDE / SIDE)
    for view, patch in inside.nonzero().tolist():
        top, left, bottom, right = told.things[view, patch].tolist()
        assert top - 1 / SIDE < rows[patch] < bottom
        assert left - 1 / SIDE < columns[patch] < right


def test_who_tells_the_edges_pays_little() -> None:
    """Right edges cost less than wrong ones; a view without any costs none, and still gives every weight a gradient."""
    heads = OutlineHeads(4 * 65)
    torch.nn.init.eye_(heads.lines.weight)
    for name, each in heads.named_parameters():
        if name != "lines.weight":
            torch.nn.init.zeros_(each)
    edges = torch.tensor([0.25, 0.5, 0.75, 1.0])
    told = torch.zeros(4, 65)
    told[torch.arange(4), (edges * 64).long()] = 20.0
    seen_features = told.reshape(1, 1, -1)
    nothing = torch.zeros(1, 1, dtype=torch.long)
    last = torch.full((1, 1, 4), -1.0)
    none = Outlines(last, last, nothing, torch.zeros(1, 1, 4))
    right, wrong = (Outlines(each.reshape(1, 1, 4), last, nothing, torch.zeros(1, 1, 4)) for each in (edges, 1 - edges))
    free = heads(seen_features, none)
    torch.testing.assert_close(heads(seen_features, right), free, rtol=0, atol=1e-3)
    assert heads(seen_features, wrong) > free + 5
    assert heads(seen_features, Outlines(last, right.lines, nothing, right.things)) > free + 1
    free.backward()
    assert all(each.grad is not None for each in heads.parameters())
