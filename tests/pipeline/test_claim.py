"""That only one process at a time holds a claim, whatever becomes of the others; over local files and over S3."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipeline.claim import claim
from pipeline.errors import JobLocked, StorageError
from pipeline.storage import Store, StoredObject, join, open_store

PATIENCE_S = 240.0

HOLD = """
import sys, time
from pipeline.claim import claim
from pipeline.storage import open_store
folder, beat_s, dead_after_s, hide = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
if hide == "elsewhere":  # as if on another machine, where no pid can be asked for
    import pipeline.claim
    pipeline.claim.machine = lambda: "another machine"
with claim(open_store(folder), folder, "the other run", beat_s=beat_s, dead_after_s=dead_after_s):
    print("held", flush=True)
    sys.stdin.read()
"""

# adds one to a number that is read and written without any other protection, `rounds` times
COUNT = """
import sys, time
from pathlib import Path
from pipeline.claim import claim
from pipeline.storage import open_store
folder, number, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
for _ in range(rounds):
    with claim(open_store(folder), folder, "counter", wait=True):
        seen = int(number.read_text())
        time.sleep(0.01)
        number.write_text(str(seen + 1))
"""


@pytest.fixture(params=["local", "s3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return join(str(tmp_path) if request.param == "local" else request.getfixturevalue("s3_uri"), "claims/job")


@pytest.fixture
def store(folder: str) -> Store:
    return open_store(folder)


Holder = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def holder(folder: str) -> Iterator[Holder]:
    """Start a process that holds the claim until its input ends."""
    with ExitStack() as stack:

        def start(beat_s: float = 15, dead_after_s: float = 90, where: str = "here") -> subprocess.Popen[str]:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", HOLD, folder, str(beat_s), str(dead_after_s), where],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            return process

        yield start


def test_a_claim_is_withdrawn_at_its_end(store: Store, folder: str) -> None:
    """After the block, by success or error, the claim is free and nothing of it is left."""
    with claim(store, folder, "first") as held:
        held.check()
        assert len(list(store.list(folder))) == 2
    with pytest.raises(ZeroDivisionError), claim(store, folder, "second"):
        raise ZeroDivisionError
    with claim(store, folder, "third"):
        pass
    assert list(store.list(folder)) == []


def test_a_second_run_is_refused_and_told_whose_it_is(store: Store, folder: str, holder: Holder) -> None:
    """While another process holds the claim, JobLocked names its run, pid and host; once it has ended, the claim is free."""
    other = holder()
    with pytest.raises(JobLocked, match=rf"the other run.*{other.pid} on {os.uname().nodename}"), claim(store, folder, "mine"):
        pass
    other.communicate()
    with claim(store, folder, "mine"):
        pass


def test_claims_of_other_folders_are_free(store: Store, folder: str, holder: Holder) -> None:
    """A claim is about its own folder alone, even where the other's name begins with it."""
    holder()
    with claim(store, f"{folder}2", "mine"):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
@pytest.mark.parametrize("between", [False, True], ids=["holding", "between sign and claim"])
def test_a_killed_run_can_be_started_again_at_once(store: Store, folder: str, holder: Holder, between: bool) -> None:
    """On the same machine, SIGKILL frees the claim without a wait, though its last sign of life is fresh; its remains are removed."""
    other = holder()
    other.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    if between:  # the sign is put before the claim, and removed after it
        store.delete([item.uri for item in store.list(folder) if item.uri.endswith(".claim.json")])
    with claim(store, folder, "mine"):
        assert len(list(store.list(folder))) == 2
    assert list(store.list(folder)) == []


def test_a_run_killed_elsewhere_is_dead_after_a_while(store: Store, folder: str, holder: Holder) -> None:
    """Of another machine's process nothing is known but its last sign of life: it holds until that is too old, and not longer."""
    other = holder(where="elsewhere")
    other.kill()
    other.wait()
    with pytest.raises(JobLocked, match="the other run"), claim(store, folder, "mine"):
        pass
    with claim(store, folder, "mine", wait=True, dead_after_s=3):
        assert len(list(store.list(folder))) == 2


def test_signs_of_life_keep_a_claim(store: Store, folder: str, holder: Holder) -> None:
    """A process that gives signs of life holds its claim for longer than `dead_after_s`."""
    holder(beat_s=0.3, dead_after_s=8, where="elsewhere")
    until = time.monotonic() + 9.5
    while time.monotonic() < until:
        with pytest.raises(JobLocked), claim(store, folder, "mine", dead_after_s=8):
            pass
        time.sleep(0.5)


def test_a_paused_run_loses_its_claim_and_learns_of_it(store: Store, folder: str) -> None:
    """Where no sign of life got through for too long, `check` raises, because another may hold the claim by then."""
    with claim(store, folder, "mine", beat_s=60, dead_after_s=1) as held:
        time.sleep(1.5)
        with pytest.raises(JobLocked, match="lost"):
            held.check()


def test_a_claim_that_was_removed_is_not_put_back(store: Store, folder: str) -> None:
    """Who was taken for dead notices at the next sign of life, and leaves the claim to the other."""
    with claim(store, folder, "mine", beat_s=0.05) as held:
        store.delete(item.uri for item in list(store.list(folder)) if "claim" in item.uri.rpartition("/")[2])
        while held._is_lost is False:
            time.sleep(0.02)
        with pytest.raises(JobLocked):
            held.check()
        assert not any("claim" in item.uri.rpartition("/")[2] for item in store.list(folder))


def test_waiting_ends_with_the_others_claim(store: Store, folder: str, holder: Holder) -> None:
    """With `wait`, a claim that is taken is had as soon as the other ends."""
    other = holder()
    threading.Timer(0.5, other.communicate).start()
    with claim(store, folder, "mine", wait=True):
        assert other.wait(timeout=PATIENCE_S) == 0


def test_many_at_once_never_overlap(store: Store, folder: str, tmp_path: Path) -> None:
    """Processes that all want the claim at once, each several times, take turns: no increment of an unprotected number is lost."""
    number, processes, rounds = tmp_path / "number", 4, 2
    number.write_text("0")
    running = [subprocess.Popen([sys.executable, "-c", COUNT, folder, str(number), str(rounds)]) for _ in range(processes)]
    assert [process.wait(timeout=PATIENCE_S) for process in running] == [0] * processes
    assert int(number.read_text()) == processes * rounds
    assert list(store.list(folder)) == []


def test_of_many_at_once_one_gets_it(store: Store, folder: str) -> None:
    """Of runs that start at the same moment exactly one goes on and all others are refused: never two, and never none."""
    done, had, refused = threading.Event(), [], []

    def attempt(number: int) -> None:
        try:
            with claim(store, folder, f"run {number}"):
                had.append(number)
                done.wait(PATIENCE_S)
        except JobLocked:
            refused.append(number)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + PATIENCE_S
    while len(had) + len(refused) < 5 and time.monotonic() < until:
        time.sleep(0.02)
    done.set()
    for thread in threads:
        thread.join()
    assert (len(had), len(refused)) == (1, 4)


def test_claims_of_a_later_version_are_respected(store: Store, folder: str) -> None:
    """A claim that says more than is known here still holds; one that cannot be read at all is never taken for dead."""
    known = {"owner": "tomorrow's", "host": "h", "pid": 1, "since": "2026-01-01T00:00:00Z", "state": "holding"}
    for content, said in ((json.dumps({**known, "colour": "blue"}), "tomorrow's is at work"), ("{}", "cannot read it")):
        store.write(join(folder, "00.sign"), content.encode())
        store.write(join(folder, "00.claim.json"), content.encode())
        with pytest.raises(JobLocked, match=said), claim(store, folder, "mine"):
            pass


def test_a_store_that_does_not_list_what_was_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one's own claim never shows up in a listing, runs cannot be kept apart, and that is said instead of hoped for."""

    class Forgetful:
        """Lists nothing, ever."""

        def __init__(self) -> None:
            self._store = open_store(str(tmp_path))

        def list(self, _: str) -> Iterator[StoredObject]:
            return iter(())

        def __getattr__(self, name: str) -> object:
            return getattr(self._store, name)

    monkeypatch.setattr("pipeline.claim._LONGEST_PAUSE_S", 0.05)
    with pytest.raises(StorageError, match="does not list"), claim(Forgetful(), str(tmp_path / "c"), "mine"):  # type: ignore[arg-type]
        pass
    assert list((tmp_path / "c").iterdir()) == []
