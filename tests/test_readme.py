"""The README does what it says: every snippet runs, every command exists, and the map of the code is the code's."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from jobs.cli import COMMANDS
from jobs.jobfile import load

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)
# What a snippet needs that this machine need not have; such lines are taken apart instead of run.
NOT_HERE = ("make ", "ray ")
pytestmark = pytest.mark.ray  # the commands that read documents


def _lines(language: str) -> list[str]:
    return [line for kind, block in BLOCKS if kind == language for line in block.splitlines() if line]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Return a folder like a reader's: some documents, and the README's job file."""
    folder = tmp_path_factory.mktemp("readme")
    documents = folder / "my-documents"
    documents.mkdir()
    for path in sorted((ROOT / "jobs" / "examples" / "documents").glob("*.pdf"))[:3]:
        shutil.copy(path, documents)
    shutil.copytree(ROOT / "jobs" / "examples", folder / "jobs" / "examples", ignore=shutil.ignore_patterns("documents"))
    (job,) = [block for kind, block in BLOCKS if kind == "yaml"]
    (folder / "invoices.yaml").write_text(job)
    return folder


@pytest.fixture(scope="module")
def done(place) -> dict[str, subprocess.CompletedProcess[str]]:
    """Run the README's commands in their order, each as a shell would, and return what each said."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    commands = [line for line in _lines("bash") if not line.startswith((*NOT_HERE, ". .venv"))]
    environment = {**os.environ, "PATH": path}
    return {
        line: subprocess.run(["bash", "-c", line], cwd=place, env=environment, capture_output=True, text=True, check=False)
        for line in commands
    }


@pytest.mark.slow
def test_every_command_runs(done):
    """In the order of the README, each command ends as it should: complete, or complete with more rejects than were accepted."""
    assert len(done) > 5
    for command, process in done.items():
        assert process.returncode in ((0, 1) if "pagemill run" in command else (0,)), (
            f"{command}\n{process.stdout}\n{process.stderr}"
        )
    assert done["pagemill validate invoices.yaml"].stdout.startswith("invoices.yaml: ok")
    assert "exact: every page" in done["pagemill verify invoices"].stdout


@pytest.mark.slow
@pytest.mark.usefixtures("done")
def test_every_query_runs(place, monkeypatch):
    """Each query of the README, on what its commands wrote, is answered; pages and their text are there."""
    monkeypatch.chdir(place)
    queries = [query for kind, block in BLOCKS if kind == "sql" for query in block.split(";") if query.strip()]
    answers = [duckdb.sql(query).fetchall() for query in queries]
    assert len(answers) == 3
    assert any(text for *_, text in answers[0])


@pytest.mark.slow
@pytest.mark.usefixtures("done")
def test_every_snippet_of_python_runs(place):
    """The README's Python, in a fresh interpreter beside the results, prints pages, and nothing besides."""
    for code in (block for kind, block in BLOCKS if kind == "python"):
        shown = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=True)
        assert "'text': '" in shown.stdout
        assert shown.stderr == ""


def test_what_cannot_run_here_is_at_least_right():
    """Targets of make exist, and commands that are submitted to a cluster name commands and job files that exist."""
    for line in _lines("bash"):
        words = shlex.split(line)
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        if words[0] == "ray":
            submitted = words[words.index("--") + 1 :]
            assert submitted[:1] == ["pagemill"]
            assert submitted[1] in COMMANDS
            load(ROOT / words[words.index("--working-dir") + 1] / submitted[2])
    assert all(
        re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        for target in re.findall(r"`make (\w[\w-]*)`", TEXT)
    )


def test_links_lead_somewhere():
    """Each relative link names a file or folder of the repository."""
    links = [target for target in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in target]
    assert links
    assert all((ROOT / link).exists() for link in links)


def test_the_map_is_the_code():
    """The map names exactly the files that exist, each with the first sentence of its docstring; if not: python tests/readme_map.py."""
    spec = importlib.util.spec_from_file_location("readme_map", ROOT / "tests" / "readme_map.py")
    readme_map = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(readme_map)
    assert readme_map.written() == readme_map.map_of(ROOT)


def test_the_order_is_the_readers():
    """What it is, two commands, one's own documents, the results, a cluster, licences, the map."""
    headings = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    assert headings == [
        "Two commands",
        "Your own documents",
        "Querying the result",
        "A GPU cluster",
        "Licences",
        "A map of the code",
    ]
    assert TEXT.startswith("# Pagemill\n\nPagemill digitizes")
