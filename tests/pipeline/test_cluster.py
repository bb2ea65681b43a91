"""Errors of workers reach the driver as what they are."""

import signal
import subprocess
import sys
import tempfile

import pyarrow as pa
import pytest
from ray.exceptions import ObjectStoreFullError, OutOfDiskError, RayActorError, RayTaskError

from pipeline.cluster import STARTS, _begin, _folders, _given_up, _Guarded, _raised, pool_for
from pipeline.errors import (
    CheckpointError,
    EngineDied,
    PagemillError,
    RunError,
    StorageError,
    StorageUnavailable,
    WorkersLost,
)
from pipeline.sockets import SHORT
from schemas.job import Job, Model, OcrTask, Sink, Source, Workers

ROWS = pa.table({"unit": [1, 2]})


class Fine:
    """A worker that says one thing."""

    def __init__(self, said: str) -> None:
        self._said = said

    def __call__(self, rows: pa.Table) -> pa.Table:
        return pa.table({"staged": [f"{self._said} {len(rows)}"]})


class Refuses(Fine):
    """A worker that cannot do the job."""

    def __call__(self, rows: pa.Table) -> pa.Table:
        raise CheckpointError(f"{self._said}: no such resolution for {len(rows)} rows")


class NeverStarts(Fine):
    """A worker that cannot even start."""

    def __init__(self, said: str) -> None:
        raise StorageUnavailable(said)


class Broken(Fine):
    """A worker with a fault."""

    def __call__(self, rows: pa.Table) -> pa.Table:
        raise ZeroDivisionError(len(rows))


def test_what_a_worker_says_comes_through() -> None:
    """A result has no error beside it."""
    assert _Guarded(Fine, ("read",))(ROWS).to_pylist() == [{"error": "", "said": "read 2"}]


@pytest.mark.parametrize(
    ("worker", "error", "said"),
    [(Refuses, CheckpointError, "x: no such resolution for 2 rows"), (NeverStarts, StorageUnavailable, "x")],
)
def test_an_error_of_ours_arrives_as_it_was_raised(worker: type[Fine], error: type[PagemillError], said: str) -> None:
    """Its class decides the exit code and its words tell the cure, so neither may be lost on the way; no page is blamed for it."""
    (row,) = _Guarded(worker, ("x",))(ROWS).to_pylist()
    arrived = _raised(row["error"], row["said"])
    assert type(arrived) is error
    assert str(arrived) == said


def test_an_error_of_another_version_is_still_an_error() -> None:
    """A class that this driver does not know stops the run all the same."""
    assert type(_raised("NoSuchError", "words")) is RunError
    assert type(_raised("EngineDied", "words")) is EngineDied


def test_a_fault_is_no_error_of_ours() -> None:
    """It goes up to Ray, as a worker's death does: the unit that brings it out is then found by itself."""
    with pytest.raises(ZeroDivisionError):
        _Guarded(Broken, ("x",))(ROWS)


class SlowStart:
    """Ray's start on a machine that is slow so many times, as far as the driver can see it: processes, and a bare exception."""

    def __init__(self, slow: int) -> None:
        self.slow = slow
        self.nodes: list[subprocess.Popen[bytes]] = []

    def __call__(self) -> None:
        self.nodes.append(subprocess.Popen(["sleep", "600"]))
        if len(self.nodes) <= self.slow:
            raise Exception("The current node timed out during startup.")  # noqa: TRY002 (as Ray does)


def test_a_node_that_was_slow_to_start_is_started_anew() -> None:
    """Ray gives it 30 s; what the slow one left is ended, and the one that came up lives."""
    start = SlowStart(slow=STARTS - 1)
    _begin(start, STARTS)
    *slow, node = start.nodes
    assert [each.wait() for each in slow] == [-signal.SIGKILL] * (STARTS - 1)
    assert node.poll() is None
    node.kill()
    node.wait()


def test_a_node_that_never_starts_is_told() -> None:
    """After so many tries the run ends, and says what to do."""
    start = SlowStart(slow=STARTS)
    with pytest.raises(RunError, match=r"Ray did not start: The current node timed out during startup\. Run it again"):
        _begin(start, STARTS)
    assert len(start.nodes) == STARTS
    assert [each.wait() for each in start.nodes[:-1]] == [-signal.SIGKILL] * (STARTS - 1)
    start.nodes[-1].kill()
    start.nodes[-1].wait()


def test_a_folder_that_ray_may_not_use_is_named() -> None:
    """Trying again would not help, so that it is not tried again, and it is said by what another folder is named."""
    tries = []

    def begin() -> None:
        tries.append(1)
        raise PermissionError(13, "Permission denied", "/root/ray")

    with pytest.raises(StorageError, match=r"Ray did not start: /root/ray: Permission denied; RAY_TMPDIR names"):
        _begin(begin, STARTS)
    assert len(tries) == 1


def test_ray_has_its_sockets_where_names_are_short(monkeypatch, tmp_path) -> None:
    """They go where temporary files go, unless that has a long name; what memory has no room for still goes there then."""
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", "/scratch/job.123456")
    assert _folders() == {}
    long = tmp_path / "with as long a name as schedulers give"
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    monkeypatch.setattr(tempfile, "tempdir", None)  # it remembers what TMPDIR was
    assert _folders() == {"_temp_dir": f"{SHORT}/ray", "object_spilling_directory": str(long)}
    monkeypatch.setenv("RAY_TMPDIR", "/r")
    assert _folders() == {}


@pytest.mark.parametrize(("is_needed", "code"), [(True, 3), (False, 0)])
def test_a_run_whose_node_is_killed_is_not_complete(is_needed: bool, code: int) -> None:
    """The process ends with exit code 3 and says so, before Ray ends it with 1; a node that is no longer needed may go."""
    script = (
        "import subprocess, sys; from pipeline.cluster import _end_without\n"
        "node = subprocess.Popen(['sleep', '600']); node.kill()\n"
        f"_end_without(node.pid, lambda: {is_needed})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert ("Ray's node on this machine is gone" in done.stderr) is is_needed


def test_a_full_object_store_is_no_worker_s_death() -> None:
    """No unit is suspected for it, and it is said where room must be made, whether Ray says so itself or as a task's cause."""
    full = OutOfDiskError("Local disk is full")
    for error in (full, ObjectStoreFullError("full"), RayTaskError("read", "a traceback", full)):
        given_up = _given_up(error)
        assert type(given_up) is RunError
        assert "object store is full" in str(given_up)
    assert type(_given_up(RayActorError())) is WorkersLost


@pytest.mark.parametrize(
    ("gpus", "of_each", "actors"), [(4, 1, 4), (1, 0.5, 2), (1, 0.1, 10), (3, 2, 1), (0.5, 0.5, 1), (2.5, 1, 2)]
)
def test_workers_share_gpus_as_the_job_says(gpus: float, of_each: float, actors: int) -> None:
    """As many as the GPUs have room for, in whole GPUs or in parts of them."""
    job = Job(
        name="j", source=Source(uri="in"), tasks=(OcrTask(type="ocr"),), sink=Sink(uri="out"), model=Model(engine="vllm"),
        workers=Workers(gpus=gpus, gpus_per_worker=of_each),
    )  # fmt: skip
    assert pool_for(job).actors == actors
    assert pool_for(job).gpus == of_each
