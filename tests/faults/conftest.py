"""Nights that are disturbed, and the undisturbed one that they are held against.

PAGEMILL_MOMENTS says at how many seeded moments each fault strikes (3 unless said otherwise; `make soak` says 20), PAGEMILL_SEED which.

Nights of which Ray's processes die share one, as its start takes most of the time of a small run, or have one of their own where it is killed
itself. The others have none: their workers are in the driver's process.
"""

import importlib.util
import os
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent
MOMENTS = int(os.environ.get("PAGEMILL_MOMENTS", "3"))
SEED = int(os.environ.get("PAGEMILL_SEED", "20261121"))
CPUS = 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.faults)
            # Ray warns of its own settings as it reads them, and leaves files open in the process that started it.
            for ignored in ("DeprecationWarning", "ResourceWarning", "pytest.PytestUnraisableExceptionWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{ignored}"))


@pytest.fixture(scope="session")
def nights() -> ModuleType:
    """Return night.py."""
    for name in ("processes", "running"):  # which it imports
        _module(name)
    return _module("night")


@pytest.fixture(scope="session")
def processes() -> ModuleType:
    """Return processes.py."""
    return _module("processes")


@pytest.fixture(scope="session")
def hostile() -> ModuleType:
    """Return hostile.py."""
    return _module("hostile")


@pytest.fixture(scope="session")
def moments() -> int:
    """Return at how many moments each fault strikes."""
    return MOMENTS


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> str:
    """Return a seed of this very test."""
    return f"{SEED} {request.node.name}"


@pytest.fixture(scope="session")
def proxy(s3_endpoint: str) -> Iterator[Any]:
    """Return the FaultyProxy before the S3 server through which every night goes; it spoils nothing until told to."""
    s3proxy = _module("s3proxy")
    with s3proxy.running(s3proxy.FaultyProxy(s3_endpoint, rate=0.0, seed=0)) as started:
        yield started


@pytest.fixture(scope="session")
def shared_ray(proxy: Any, ray_nodes: ModuleType) -> Iterator[Any]:
    """Return a Ray for all nights that leave it alive; its workers have the environment that it was started in."""
    with ray_nodes.cluster(environment={"AWS_ENDPOINT_URL": proxy.url}, num_cpus=CPUS) as cluster:
        yield cluster


@pytest.fixture(params=["files", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, nights: ModuleType) -> Iterator[Callable[..., Any]]:
    """Return a function that makes a Night on an empty place of its own, on files or on S3; what it leaves behind is ended."""
    made: list[Any] = []

    def make(name: str = "night", *, own_ray: bool = False, solo: bool = False, **settings: object) -> Any:
        number = len(made)
        folder = tmp_path / str(number)
        folder.mkdir()
        if request.param == "s3":
            proxy = request.getfixturevalue("proxy")
            where = f"{request.getfixturevalue('s3_uri')}/{number}"
            settings |= {"environment": {"AWS_ENDPOINT_URL": proxy.url}, "writes": lambda: int(proxy.writes)}
        else:
            where = str(folder)
            settings |= {"writes": nights.on_files(folder / "out")}
        ray = None if own_ray or solo else request.getfixturevalue("shared_ray")
        night = nights.Night(folder, where, name=name, solo=solo, ray=ray, **settings)
        made.append(night)
        return night

    yield make
    for night in made:
        night.clear()


def _unlike(row: dict[str, object], wanted: dict[str, object]) -> dict[str, tuple[object, object]]:
    """Return what a row has and what it should have, where they differ."""
    return {key: (row.get(key), wanted.get(key)) for key in {**row, **wanted} if row.get(key) != wanted.get(key)}


@dataclass(frozen=True)
class Undisturbed:
    """What a run that nothing happens to comes to."""

    summary: Any
    values: dict[str, list[dict[str, object]]]
    pages: int
    writes: int

    def moments(self, number: random.Random, count: int = 1) -> list[int]:
        """Return when to strike: after so many objects were written, early or late, and not so late that a run of other groups is over."""
        return sorted(number.sample(range(1, self.writes * 3 // 4), count))

    def assert_same(self, night: Any) -> None:
        """Assert that every page has one row, with the very values, that nothing lies about and nobody is left."""
        report = night.verify()
        assert report.is_exact, report.findings
        found = night.values()
        different = {
            dataset: [_unlike(row, other) for row, other in zip_longest(found[dataset], rows, fillvalue={}) if row != other][:2]
            for dataset, rows in self.values.items()
        }
        assert different == {dataset: [] for dataset in self.values}
        night.assert_clean()
        night.assert_gone()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, nights: ModuleType) -> Undisturbed:
    """Run the night of documents() once, on files, without any fault; and without Ray, which is to change no value either."""
    folder = tmp_path_factory.mktemp("undisturbed")
    writes = nights.on_files(folder / "out")
    night = nights.Night(folder, str(folder), writes=writes, solo=True)
    night.fill(nights.documents())
    running = night.start()
    running.until(lambda: writes() < 0)  # counts all the while
    code, said, complained = running.end()
    assert code == 0, complained
    report = night.verify()
    assert report.is_exact
    night.assert_gone()
    return Undisturbed(nights.RunSummary.model_validate_json(said), night.values(), report.pages, writes())


def _module(name: str) -> ModuleType:
    """Import a module of this folder by its path: tests are no package, so that none of them shadows what they test."""
    whole = f"pagemill_faults_{name}"
    if whole not in sys.modules:
        spec = importlib.util.spec_from_file_location(whole, HERE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[whole] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[whole]
