"""The machine in one process, for the tests of its spine."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pipeline import cluster
from pipeline.documents.child import Child
from schemas.job import Limits, Workers


def _machine() -> ModuleType:
    """Load machine.py by its path: tests are no package, so that none of them shadows what they test."""
    name = "pagemill_tests_machine"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("machine.py"))
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def machine() -> ModuleType:
    """Return tests/pipeline/machine.py."""
    return _machine()


@pytest.fixture(scope="module")
def ray_started(s3_endpoint: str) -> Iterator[None]:  # noqa: ARG001 (workers find the server by the environment that Ray starts in)
    """Start Ray here with two CPUs, for the tests of one file."""
    import ray

    ray.shutdown()
    cluster.connect(Workers(cpus=2))
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def children() -> Iterator[tuple[Child, Child]]:
    """Return two processes that read documents, one for inspectors and one for desks, so that not every test starts its own."""
    with Child(Limits()) as inspecting, Child(Limits()) as reading:
        yield inspecting, reading


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `formats` over plain Parquet and, slow as each publication of tables is, over Iceberg."""
    if metafunc.definition.get_closest_marker("formats") and "sink_format" in metafunc.fixturenames:
        formats = ["parquet", pytest.param("iceberg", marks=pytest.mark.slow)]
        metafunc.parametrize("sink_format", formats, scope="session")


@pytest.fixture(scope="session")
def sink_format() -> str:
    """Return the format of the sinks of this test."""
    return "parquet"


@pytest.fixture
def mill(machine: ModuleType, tmp_path: Path, children: tuple[Child, Child], sink_format: str) -> object:
    """Return a Mill on an empty source."""
    return machine.Mill(tmp_path, children, sink_format=sink_format)


@pytest.fixture
def mills(machine: ModuleType, tmp_path: Path, children: tuple[Child, Child], sink_format: str) -> Callable[[str], object]:
    """Return a function that makes a Mill in a folder of its own."""

    def make(name: str) -> object:
        folder = tmp_path / name
        folder.mkdir()
        return machine.Mill(folder, children, sink_format=sink_format)

    return make


@pytest.fixture
def book(machine: ModuleType, tmp_path: Path, sink_format: str) -> object:
    """Return a sink whose documents are made up."""
    return machine.Book(str(tmp_path / "out"), format=sink_format)
