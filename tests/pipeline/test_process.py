"""Telling a process that runs from one that is gone."""

import os
import signal
import subprocess
import sys

import pytest

from pipeline.process import children, end, machine, started, wait

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


def test_a_running_process_has_a_start() -> None:
    """One process has one start, and its child does not start earlier."""
    mine = started(os.getpid())
    assert mine is not None
    assert started(os.getpid()) == mine
    with subprocess.Popen(["sleep", "60"]) as child:
        theirs = started(child.pid)
        child.kill()
    assert theirs is not None
    assert theirs >= mine


def test_a_dead_process_has_none_even_before_it_is_reaped() -> None:
    """A killed process counts as gone as soon as it runs no more, though its parent has not asked for its status."""
    child = subprocess.Popen(["sleep", "60"])
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has died, and is still a zombie
    assert started(child.pid) is None
    child.wait()
    assert started(child.pid) is None


def test_odd_program_names_are_read_past() -> None:
    """A name with parentheses and spaces does not shift the fields."""
    rename = "import ctypes, sys; ctypes.CDLL(None).prctl(15, b') R 1 (x'); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", rename], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        mine = started(os.getpid())
        theirs = started(child.pid)
    assert mine is not None
    assert theirs is not None
    assert theirs >= mine


def test_all_processes_here_are_on_one_machine() -> None:
    """A child sees the same machine."""
    there = subprocess.run(
        [sys.executable, "-c", "from pipeline.process import machine; print(machine())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == machine()


def test_who_was_started_is_known_and_can_be_ended() -> None:
    """A child is listed from its start until it was waited for; ending one that is gone is no error."""
    before = children()
    child = subprocess.Popen(["sleep", "60"])
    assert children() - before == {child.pid}
    end(child.pid)
    wait(child.pid)
    assert child.poll() == -signal.SIGKILL
    assert child.pid not in children()
    end(child.pid)
    wait(child.pid)
