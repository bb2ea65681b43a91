"""A run that is interrupted, as a person or a scheduler does it, ends cleanly and goes on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DOCUMENTS = Path(__file__).parents[2] / "jobs" / "examples" / "documents"
PAGEMILL = Path(sys.executable).with_name("pagemill")
PATIENCE_S = 240


@pytest.fixture
def job(tmp_path) -> Path:
    """Write a job whose engine takes a second for each of fifty documents, so that a slow machine meets it at work."""
    source, truth = tmp_path / "in", tmp_path / "truth"
    source.mkdir()
    truth.mkdir()
    (truth / "scripted.json").write_text('{"seconds_per_request": 1.0}')
    for number in range(50):
        copy = source / f"{number}.png"
        shutil.copy(DOCUMENTS / "receipt.png", copy)
        with copy.open("ab") as file:
            file.write(str(number).encode())  # other bytes: another document
    path = tmp_path / "job.yaml"
    path.write_text(
        f"name: slow\nsource: {{uri: {source}}}\nmodel: {{engine: scripted, checkpoint: {truth}}}\nworkers: {{cpus: 2}}\n"
        f"accept: {{max_reject_rate: 1.0}}\nsink: {{uri: {tmp_path / 'out'}}}\n"
    )
    return path


@pytest.mark.slow
@pytest.mark.ray
def test_an_interrupted_run_keeps_what_is_done_and_goes_on(job):
    """Ctrl-C and SIGTERM end a run with exit code 3 and published rows; the same command reads only the rest, whichever it was."""
    for number in (signal.SIGINT, signal.SIGTERM):
        before = _committed(job)
        process = subprocess.Popen([PAGEMILL, "run", str(job)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            _wait_for_rows(job, process, beyond=before)
            os.kill(process.pid, number)
            said, complained = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
        assert process.returncode == 3, complained
        assert "ending: what is done is kept and published" in complained
        assert "exit code 3: not complete: it was interrupted" in said
        assert _verify(job).returncode == 3  # pages are still to be read, and nothing else is wrong

    rest = subprocess.run(
        [PAGEMILL, "run", str(job), "--quiet"], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert "50 known from earlier runs" in rest.stdout
    assert " 50 pages read" not in rest.stdout
    assert _verify(job).returncode == 0


def _committed(job: Path) -> int:
    return len([*job.parent.glob("out/_pagemill/ledger/units/*.parquet")])


def _wait_for_rows(job: Path, process: subprocess.Popen[str], beyond: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while _committed(job) <= beyond:
        assert process.poll() is None, "the run ended before it could be interrupted"
        assert time.monotonic() < until, "nothing was committed"
        time.sleep(0.2)


def _verify(job: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PAGEMILL, "verify", str(job.parent / "out")], capture_output=True, text=True, check=False)
