"""Stores that fail, fill up or refuse under a run that is at work: the sink's, a node's own disk, and Ray's objects."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TENANT = Path(__file__).with_name("tenant.py")
MOST_S = 60.0
TRIES = 3  # to be there before the run is done
STORE_BYTES = 80_000_000  # Ray takes no less than 75 MiB

RATE = 0.05
REFUSALS = {"full": (507, "QuotaExceeded"), "read-only": (403, "AccessDenied")}
WORDS = {"full": ("full", "QuotaExceeded"), "read-only": ("read-only", "AccessDenied")}


@pytest.mark.parametrize("place", ["s3"], indirect=True)
def test_a_run_through_a_bad_network_has_the_same_values(place, proxy, nights, undisturbed, moments, seed):
    """5% of requests end in 500, 503, resets, stalls or half bodies: the run is complete, and its retries are counted and bounded."""
    for number in range(moments):
        night = place(solo=True)
        night.fill(nights.documents())
        proxy.disturb(rate=RATE, seed=f"{seed} {number}")
        try:
            summary = night.run()
            spoiled = proxy.spoiled + proxy.upstream_failures
        finally:
            proxy.disturb(rate=0.0, seed=0)
        assert 0 < summary.store_retries <= spoiled
        assert summary.left == 0
        undisturbed.assert_same(night)


@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_a_sink_that_takes_no_more_is_said_and_the_run_goes_on_later(fault, place, nights, undisturbed, request, seed):
    """Once a write is refused the run ends, says why, and loses nothing; with room or rights again, the same command does the rest."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    for _ in range(TRIES):
        night = place(solo=True)
        night.fill(nights.documents())
        on_s3 = night.sink_uri.startswith("s3:")
        sabotage = refusing(request.getfixturevalue("proxy"), fault) if on_s3 else sabotaged(Path(night.sink_uri), fault)
        (moment,) = undisturbed.moments(rng)
        with sabotage as begin:
            running = night.start()
            assert running.until_written(moment)
            begin()
            code, said, complained = running.end()
            done = night.committed()
        if code:
            break
        undisturbed.assert_same(night)  # it was done before
    assert code == 2, complained  # somebody must do something first
    assert any(word in said + complained for word in WORDS[fault]), complained
    assert "Traceback" not in complained
    summary = night.run()
    assert summary.pages_ok + summary.pages_blank == undisturbed.pages - len(done)
    undisturbed.assert_same(night)


@pytest.mark.parametrize("place", ["s3"], indirect=True)
def test_a_node_without_room_for_documents_gives_none_of_them_up(place, nights, undisturbed, tmp_path):
    """Documents that its disk has no room for are left, which is said, and none is rejected; with room, the same command reads them."""
    night, disk = place(solo=True), tmp_path / "disk"
    night.fill(nights.documents())
    disk.mkdir()
    night.environment = {**night.environment, "TMPDIR": str(disk)}
    with mounted(disk, "128k"):  # half of the documents
        code, said, complained = night.start().end()
        assert code in (2, 3), complained
        assert "is full" in said + complained  # the disk, or a disk of this machine: whoever met it first
        assert "Traceback" not in complained
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        assert night.run().pages_failed == 0
    undisturbed.assert_same(night)


@pytest.fixture
def small_ray(ray_nodes, tmp_path) -> Iterator[Any]:
    """Return a Ray with the smallest object store that it takes, which spills to a disk of four megabytes."""
    disk = tmp_path / "spilled"
    disk.mkdir()
    small = {"object_store_memory": STORE_BYTES, "object_spilling_directory": str(disk)}
    with mounted(disk, "4m"), ray_nodes.cluster(num_cpus=2, **small) as cluster:
        yield cluster


@pytest.mark.parametrize("place", ["files"], indirect=True)
def test_a_full_object_store_is_said_and_the_run_goes_on_later(place, small_ray, nights, undisturbed, moments, seed):
    """Somebody else's objects fill Ray's store and its disk, before the first run and at moments of others: what needs room says so."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    for number in range(moments):
        night = place(own_ray=True)
        night.ray = small_ray
        night.fill(nights.documents())
        running = night.start() if number else None
        if running:
            running.until_written(*undisturbed.moments(rng))
        with crowded(small_ray.address):
            code, _, complained = (running or night.start()).end()
            print(f"exit code {code} in a full object store")  # noqa: T201 (for who runs it with -s)
        assert code == 3 or (running and code == 0), complained  # what was begun may need no more of it
        assert "Traceback" not in complained
        if code == 3:
            assert "object store is full" in complained
            done = night.committed()
            summary = night.run()
            assert summary.pages_ok + summary.pages_blank == undisturbed.pages - len(done)
        undisturbed.assert_same(night)


@contextmanager
def crowded(address: str) -> Iterator[None]:
    """Let another program fill Ray's object store meanwhile."""
    command, environment = [sys.executable, str(TENANT)], {**os.environ, "RAY_ADDRESS": address}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tenant:
        assert any(line.startswith("FULL") for line in tenant.stdout)
        try:
            yield
        finally:
            tenant.communicate()  # which ends it; Ray says on its stdout what could not be spilled


@contextmanager
def refusing(proxy, fault: str) -> Iterator[Callable[[], None]]:
    """Yield a function from whose call on no object can be put."""

    def begin() -> None:
        proxy.refusal = REFUSALS[fault]

    try:
        yield begin
    finally:
        proxy.refusal = None


@contextmanager
def sabotaged(sink: Path, fault: str) -> Iterator[Callable[[], None]]:
    """Put a small disk of its own under a sink; yield a function that fills it, or makes it read-only."""
    sink.mkdir()
    ballast = sink / ".ballast"

    def begin() -> None:
        if fault == "read-only":
            _remounted_read_only(sink)
            return
        with ballast.open("wb", buffering=0) as file:
            _fill(file.fileno())

    with mounted(sink, "8m"):
        try:
            yield begin
        finally:
            if fault == "read-only":
                subprocess.run(["mount", "-o", "remount,rw", sink], check=True)
            ballast.unlink(missing_ok=True)
            kept = sink.with_name("kept")
            subprocess.run(["cp", "-a", sink, kept], check=True)
    sink.rmdir()
    kept.rename(sink)


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[None]:
    """Put a disk of its own under an empty folder."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _remounted_read_only(folder: Path) -> None:
    """Make a disk read-only, as soon as nobody is writing to a file on it."""
    until = time.monotonic() + MOST_S
    while subprocess.run(["mount", "-o", "remount,ro", folder], check=False, capture_output=True).returncode:
        assert time.monotonic() < until
        time.sleep(0.01)


def _fill(descriptor: int) -> None:
    try:
        while True:
            os.write(descriptor, bytes(4096))
    except OSError:
        return
