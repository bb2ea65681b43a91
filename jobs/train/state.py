"""Where a training stands, on disk: weights, optimizer, step and the losses so far. Written whole or not at all, read without unpickling code."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipeline.errors import CheckpointError


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What is needed to go on as if nothing had happened; `seconds` is the time spent so far, `losses` holds one a step."""

    step: int
    seconds: float
    weights: dict[str, Tensor]
    optimizer: dict[str, object]
    losses: list[float]


def write_state(path: Path, state: State) -> None:
    """Put the state at `path` in place of the last one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with scratch.open("wb") as file:
            torch.save({name: getattr(state, name) for name in State.__slots__}, file)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def read_state(path: Path, device: torch.device) -> State | None:
    """Return the state at `path`, or None where there is none. Raises CheckpointError for a file that is no state."""
    if not path.exists():
        return None
    try:
        return State(**torch.load(path, map_location=device, weights_only=True))
    except (RuntimeError, TypeError, EOFError, ValueError) as exc:
        raise CheckpointError(f"{path} is no training state ({exc}): remove it to begin this stage again") from exc
