"""What the fuzz tests share: the mutator, and lines at the end of the report that say how much was tried."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

TOLD = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TOLD] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(TOLD, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def mutate() -> ModuleType:
    """Return mutate.py, which is loaded by its path: tests are no package. `told` is where tests leave what they tried."""
    spec = importlib.util.spec_from_file_location("mutate", Path(__file__).with_name("mutate.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.told = TOLD  # type: ignore[attr-defined]
    return module
