"""Processes that learn together: each computes on its own part of the batches, and all take the same step."""

from collections.abc import Sequence
from typing import Protocol

import torch.distributed as dist
from torch import Tensor


class Company(Protocol):
    """Who learns together."""

    @property
    def first(self) -> bool:
        """Say whether this process is the one that writes and speaks."""

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Put into each tensor its mean over all processes, which bring theirs in the same order."""


class Alone:
    """One process, which has nobody to wait for."""

    first = True

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Leave the tensors: they are their own mean."""


class Group:
    """The processes of torch's process group, which has to stand."""

    @property
    def first(self) -> bool:
        return dist.get_rank() == 0

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Put into each tensor its mean over the group."""
        count = dist.get_world_size()
        waiting = [dist.all_reduce(tensor, async_op=True) for tensor in tensors]
        for tensor, done in zip(tensors, waiting, strict=True):
            done.wait()
            tensor.div_(count)


ALONE = Alone()
