"""A run by the scripted engine over made-up documents, in this process, and ways to plant errors in it."""

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from jobs.synth.folder import synth
from pipeline.documents.child import Child
from schemas.job import AnswerField, AnswerTask, DetectTask, Job, Limits, Model, OcrTask, Render, TableTask

FIELDS = (
    AnswerField(name="number", question="what is the invoice number?"),
    AnswerField(name="date", question="what is the date?", type="date", locale="en_US"),
    AnswerField(name="total", question="what is the total?", type="string"),
)
TASKS = (
    OcrTask(type="ocr", max_tokens=4096),
    AnswerTask(type="answer", fields=FIELDS),
    DetectTask(type="detect", labels=("title", "table", "total", "signature", "logo", "stamp")),
    TableTask(type="table"),
)


def _machine() -> ModuleType:
    """Load the machine of the pipeline's tests by its path: tests are no package."""
    name = "pagemill_tests_machine"
    if name not in sys.modules:
        path = Path(__file__).parents[2] / "pipeline" / "machine.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@dataclass
class Bench:
    """Documents with their truth, and runs over them by an engine that answers from a truth of our choosing."""

    folder: Path
    documents: list[Path]
    mill: object

    @property
    def source(self) -> str:
        return str(self.mill.source)

    @property
    def sink(self) -> str:
        return self.mill.sink_uri

    def job(self, checkpoint: Path, **changes: object) -> Job:
        model = Model(engine="scripted", checkpoint=str(checkpoint))
        render = Render(text_layer="ignore")
        return self.mill.job(*TASKS, **{"model": model, "render": render, **changes})


@pytest.fixture(scope="session")
def child() -> Iterator[tuple[Child, Child]]:
    with Child(Limits()) as one, Child(Limits()) as other:
        yield one, other


@pytest.fixture(scope="session")
def machine_of_tests() -> ModuleType:
    """Return the machine of the pipeline's tests."""
    return _machine()


@pytest.fixture
def bench(tmp_path: Path, child: tuple[Child, Child]) -> Bench:
    """Return a source of four documents of two kinds and two finishes, with their truth beside them."""
    return _bench(tmp_path, child)


@pytest.fixture(scope="session")
def true_run(tmp_path_factory: pytest.TempPathFactory, child: tuple[Child, Child]) -> Bench:
    """Return the same after a run that was told the truth; one for all tests, which must not touch source or sink."""
    bench = _bench(tmp_path_factory.mktemp("true"), child)
    bench.mill.run(bench.job(Path(bench.source)))
    return bench


def _bench(folder: Path, child: tuple[Child, Child]) -> Bench:
    mill = _machine().Mill(folder, child)
    documents = synth(Path(mill.source), count=4, seed=50, kinds=("invoice", "receipt"), finishes=("pdf", "png"))
    return Bench(folder, documents, mill)
