"""The machine in one process (tests/pipeline/machine.py), for commands that need a sink with rows."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.documents.child import Child
from schemas.job import Limits


@pytest.fixture(scope="session")
def machine() -> ModuleType:
    """Return tests/pipeline/machine.py, loaded by its path, as tests are no package."""
    name = "pagemill_tests_machine"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "pipeline" / "machine.py")
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def children() -> Iterator[tuple[Child, Child]]:
    """Return two processes that read documents."""
    with Child(Limits()) as inspecting, Child(Limits()) as reading:
        yield inspecting, reading


@pytest.fixture
def mill(machine: ModuleType, tmp_path: Path, children: tuple[Child, Child]) -> object:
    """Return a Mill on an empty source."""
    return machine.Mill(tmp_path, children)
