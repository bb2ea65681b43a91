"""Small checkpoints and lessons for trainers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.checkpoints.architecture import Family
from pipeline.checkpoints.build import build


@pytest.fixture(scope="session", autouse=True)
def _one_thread_is_enough_for_tiny_models() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a maker of tiny float32 checkpoints of 56 px (16 image tokens), each built once."""
    made: dict[tuple[Family, int], Path] = {}

    def make(family: Family = "paligemma", resolution: int = 56) -> Path:
        if (family, resolution) not in made:
            folder = tmp_path_factory.mktemp("checkpoints") / f"{family}-{resolution}"
            made[family, resolution] = build(folder, family=family, resolution=resolution)
        return made[family, resolution]

    return make


@pytest.fixture(scope="session")
def pictures() -> Callable[[int, int], list[NDArray[np.uint8]]]:
    """Return a maker of so many different pictures of a side."""

    def make(count: int, side: int) -> list[NDArray[np.uint8]]:
        rng = np.random.default_rng(0)
        return [rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for _ in range(count)]

    return make
