"""Processes that learn together: each computes on its own part of the batches, and all take the same step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Part:
    """Which batches are a process's own: those that leave `index` when their number is divided by `of`."""

    index: int = 0
    of: int = 1


WHOLE = Part()


class Company(Protocol):
    """Who learns together."""

    @property
    def first(self) -> bool:
        """Say whether this process is the one that writes and speaks."""

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Put into each tensor its mean over all processes, which bring theirs in the same order."""

    def wait(self) -> None:
        """Wait until all have come this far."""


class Alone:
    """One process, which has nobody to wait for."""

    first = True

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Leave the tensors: they are their own mean."""

    def wait(self) -> None:
        """Go on: nobody else comes."""


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

    def wait(self) -> None:
        """Wait until the whole group has come this far."""
        dist.barrier()


ALONE = Alone()


def joined() -> tuple[Company, Part]:
    """Return the company of a process that `torchrun` has started, and its part; of any other, that it is alone with the whole."""
    if not dist.is_torchelastic_launched():
        return ALONE, WHOLE
    dist.init_process_group()
    return Group(), Part(dist.get_rank(), dist.get_world_size())
