"""Small checkpoints and views for engines to answer."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.checkpoints.architecture import Family
from pipeline.checkpoints.build import build
from schemas.view import Affine, Region, View

Checkpoints = Callable[[Family, int], Path]


@pytest.fixture(scope="session", autouse=True)
def _one_thread_is_enough_for_tiny_models() -> None:
    """Threads that wait for one another by spinning cost more than they bring where other tests run beside."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Checkpoints:
    """Return a maker of tiny checkpoints that answer at length, each built once."""
    made: dict[tuple[Family, int], Path] = {}

    def make(family: Family, resolution: int) -> Path:
        if (family, resolution) not in made:
            folder = tmp_path_factory.mktemp("checkpoints") / f"{family}-{resolution}"
            made[family, resolution] = build(folder, family=family, resolution=resolution)
        return made[family, resolution]

    return make


@pytest.fixture(scope="session")
def view() -> Callable[[int, int], View]:
    """Return a maker of views: noise of a seed, the same every time."""

    def make(resolution: int, seed: int) -> View:
        image = np.random.default_rng(seed).integers(0, 256, (resolution, resolution, 3), dtype=np.uint8)
        return View(document_id=f"{seed:064x}", page_index=0, region=Region("page", Affine(595, 0, 0, 842, 0, 0)), image=image)

    return make
