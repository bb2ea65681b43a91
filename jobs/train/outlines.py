"""The boxes of lines and things, told at every patch that lies in one: how a tower is taught where what it sees begins and ends.

Written answers name a box once, in four tokens, and teach a tower next to nothing; told patch by patch, a view has hundreds of them. The tops
and bottoms of lines were told to within six pixels after 350 steps of 8 views. A patch tells the box of the line that is read after its own
too: who has come to a line's end looks there. The heads are thrown away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from jobs.train.asked import LABELS
from jobs.train.frame import SIDE
from jobs.train.views import Seen
from pipeline.engines.glimpse import shows
from schemas.box import Box

NOTHING = 0
_STEPS = 65
"""A place along a side is told as a share of two neighbours among so many: 64 steps of seven pixels, and what lies between."""
_NOTHING_WEIGHT = 0.3
_EDGES = 4
_NO_EDGES = -1

Edges = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """By patch of n views: `lines`, the box of its line, `nexts`, that of the line read after it, and `things`, that of its thing,
    (n, patches, 4), as top, left, bottom and right in fractions of the view; `kinds`, (n, patches), counts LABELS from 1. Where there is none,
    the kind is NOTHING and a line's edges are -1.
    """

    lines: Tensor
    nexts: Tensor
    kinds: Tensor
    things: Tensor

    def to(self, device: torch.device) -> "Outlines":
        """Return them on a device."""
        return Outlines(*(each.to(device, non_blocking=True) for each in (self.lines, self.nexts, self.kinds, self.things)))


def outlines(views: Sequence[Seen]) -> Outlines:
    """Return what each patch of whole views lies in: of lines that share a patch the nearer one, of things the smaller one."""
    lines, nexts = zip(*(_lines(seen) for seen in views), strict=True)
    kinds, things = zip(*(_things(seen) for seen in views), strict=True)
    return Outlines(*(torch.from_numpy(np.stack(each)) for each in (lines, nexts, kinds, things)))


def _lines(seen: Seen) -> tuple[Edges, Edges]:
    lines, nexts = (np.full((SIDE, SIDE, _EDGES), _NO_EDGES, dtype=np.float32) for _ in range(2))
    nearest = np.full((SIDE, SIDE), np.inf)
    middles = (np.arange(SIDE) + 0.5) / SIDE
    boxes = seen.line_boxes()
    for box, after in zip_longest(boxes, boxes[1:]):
        part = _patches(box)
        away = np.broadcast_to(np.abs(middles - (box.y0 + box.y1) / 2)[:, None], (SIDE, SIDE))[part]
        nearer = away < nearest[part]
        nearest[part][nearer] = away[nearer]
        lines[part][nearer] = _edges(box)
        nexts[part][nearer] = _NO_EDGES if after is None else _edges(after)
    return lines.reshape(-1, _EDGES), nexts.reshape(-1, _EDGES)


def _things(seen: Seen) -> tuple[NDArray[np.int64], Edges]:
    kinds = np.full((SIDE, SIDE), NOTHING, dtype=np.int64)
    found = np.zeros((SIDE, SIDE, _EDGES), dtype=np.float32)
    back = seen.affine.back()
    shown = [item for item in seen.page.boxes if item.label in LABELS and shows(seen.region.affine, item.box)]
    for item in sorted(shown, key=lambda item: -item.box.area):
        box = back.box(item.box.x0, item.box.y0, item.box.x1, item.box.y1)
        part = _patches(box)
        kinds[part] = 1 + LABELS.index(item.label)
        found[part] = _edges(box)
    return kinds.reshape(-1), found.reshape(-1, _EDGES)


def _patches(box: Box) -> tuple[slice, slice]:
    """Return the rows and columns of the patches that a box, in fractions of the view, has a part of."""
    (top, left, bottom, right) = (float(each) * SIDE for each in _edges(box))
    return slice(int(top), int(np.ceil(bottom))), slice(int(left), int(np.ceil(right)))


def _edges(box: Box) -> Edges:
    return np.clip(np.array([box.y0, box.x0, box.y1, box.x1], dtype=np.float32), 0, 1)


class OutlineHeads(nn.Module):
    """What tells from a patch's features the box of its line and of the next, which thing it is a part of, and that one's box."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lines, self.nexts, self.things = (nn.Linear(width, _EDGES * _STEPS) for _ in range(3))
        self.kinds = nn.Linear(width, 1 + len(LABELS))
        self.register_buffer("weights", torch.ones(1 + len(LABELS)), persistent=False)
        self.get_buffer("weights")[NOTHING] = _NOTHING_WEIGHT

    def forward(self, seen: Tensor, true: Outlines) -> Tensor:
        """Return the loss of what is told of (n, patches, width) features: of edges only where there is a line, or a thing."""
        on_line, has_next, in_thing = true.lines[..., 0] >= 0, true.nexts[..., 0] >= 0, true.kinds != NOTHING
        kinds = self.kinds(seen).float().flatten(0, 1)
        loss: Tensor = nn.functional.cross_entropy(kinds, true.kinds.flatten(), weight=self.get_buffer("weights"))
        for head, where, edges in (
            (self.lines, on_line, true.lines),
            (self.nexts, has_next, true.nexts),
            (self.things, in_thing, true.things),
        ):
            loss = loss + _edge_loss(head(seen[where]), edges[where])
        return loss


def _edge_loss(logits: Tensor, edges: Tensor) -> Tensor:
    """Return the mean cross-entropy of (n, 4 * _STEPS) logits for (n, 4) edges, each a share of the two steps that it lies between; n may be 0."""
    at = edges * (_STEPS - 1)
    low = at.floor().clamp(0, _STEPS - 2)
    told = torch.log_softmax(logits.float().reshape(-1, _EDGES, _STEPS), dim=-1)
    first, second = (told.gather(2, (low.long() + step)[..., None])[..., 0] for step in (0, 1))
    share = at - low
    # No edge at all costs nothing, and leaves no weight without a gradient: processes that learn together bring the same ones.
    return -((1 - share) * first + share * second).sum() / max(1, edges.numel())
