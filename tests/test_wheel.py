"""The wheel as it is installed elsewhere: what is in it, who owns its names, and that it works outside the checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOP_LEVEL = {"jobs", "pipeline", "schemas"}

pytestmark = pytest.mark.wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    # By way of the source distribution: a wheel built in place would take what older builds have left behind.
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)], check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Return the bin folder of a fresh environment with the wheel in it; the libraries are this environment's, to be quick."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)], check=True)
    return folder / "bin"


def test_the_wheel_holds_the_three_packages_and_their_data(wheel):
    """Code, example jobs and the embedded checkpoint are in the wheel, tests are not, and its contents pass check-wheel-contents."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == TOP_LEVEL
    for path in [*ROOT.glob("jobs/examples/*.yaml"), *ROOT.glob("pipeline/checkpoints/embedded/*")]:
        if path.name != ".gitignore":
            assert str(path.relative_to(ROOT)) in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    subprocess.run([Path(sys.executable).with_name("check-wheel-contents"), str(wheel)], check=True, cwd=ROOT)


def test_each_top_level_name_has_one_owner(installed, tmp_path):
    """No other distribution in the environment brings a package that is called jobs, pipeline or schemas."""
    code = "import importlib.metadata as m, json; print(json.dumps({k: sorted(set(v)) for k, v in m.packages_distributions().items()}))"
    owners = json.loads(_output([installed / "python", "-c", code], tmp_path))
    assert {name: owners[name] for name in TOP_LEVEL} == {name: ["pagemill"] for name in TOP_LEVEL}


def test_the_command_works_outside_the_checkout(installed, tmp_path):
    """`pagemill validate` runs from the installed wheel, not from the checkout."""
    (tmp_path / "job.yaml").write_text("name: j\nsource: {uri: in}\nsink: {uri: out}\n")
    assert "ok: j reads in" in _output([installed / "pagemill", "validate", "job.yaml"], tmp_path)
    place = _output([installed / "python", "-c", "import jobs.cli; print(jobs.cli.__file__)"], tmp_path)
    assert Path(place.strip()).is_relative_to(installed.parent)


def _output(command: list[str | Path], cwd: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd, env=environment).stdout
