"""Stores that fail, fill up or refuse under a run that is at work."""

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

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
            spoiled = proxy.spoiled
        finally:
            proxy.disturb(rate=0.0, seed=0)
        assert 0 < summary.store_retries <= spoiled
        assert summary.left == 0
        undisturbed.assert_same(night)


@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_a_sink_that_takes_no_more_is_said_and_the_run_goes_on_later(fault, place, nights, undisturbed, request, seed):
    """Once a write is refused the run ends, says why, and loses nothing; with room or rights again, the same command does the rest."""
    night = place(solo=True)
    night.fill(nights.documents())
    on_s3 = night.sink_uri.startswith("s3:")
    sabotage = refusing(request.getfixturevalue("proxy"), fault) if on_s3 else sabotaged(Path(night.sink_uri), fault)
    (moment,) = undisturbed.moments(random.Random(seed))  # noqa: S311 (no secret)
    with sabotage as begin:
        running = night.start()
        assert running.until_written(moment)
        begin()
        code, said, complained = running.end()
        assert code == 2, complained  # somebody must do something first
        assert any(word in said + complained for word in WORDS[fault]), complained
        assert "Traceback" not in complained
        done = night.committed()
    summary = night.run()
    assert summary.pages_ok + summary.pages_blank == undisturbed.pages - len(done)
    undisturbed.assert_same(night)


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
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", sink], check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    ballast = sink / ".ballast"

    def begin() -> None:
        if fault == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", sink], check=True)
            return
        with ballast.open("wb", buffering=0) as file:
            _fill(file.fileno())

    try:
        yield begin
    finally:
        if fault == "read-only":
            subprocess.run(["mount", "-o", "remount,rw", sink], check=True)
        ballast.unlink(missing_ok=True)
        kept = sink.with_name("kept")
        subprocess.run(["cp", "-a", sink, kept], check=True)
        subprocess.run(["umount", "--lazy", sink], check=True)
        sink.rmdir()
        kept.rename(sink)


def _fill(descriptor: int) -> None:
    try:
        while True:
            os.write(descriptor, bytes(4096))
    except OSError:
        return
