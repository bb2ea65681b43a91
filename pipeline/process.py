"""Processes, named so that any other on the same machine can tell whether they still run. Linux knows; elsewhere nothing is said."""

import os
import select
import signal
from contextlib import suppress
from pathlib import Path


def machine() -> str | None:
    """Return what is the same for all processes that see each other's pids, and for no others: this boot, and the container's pid namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def started(pid: int) -> int | None:
    """Return when a process of this machine started, in clock ticks since boot; None if there is none, or only its remains."""
    try:
        # the second field is the program's name in parentheses, and may itself hold parentheses and spaces
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    state, start = fields[0], fields[19]
    return None if state in {b"Z", b"X"} else int(start)


def children() -> set[int]:
    """Return the processes that this one has started, and that have not been waited for."""
    found = set[int]()
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # a thread that has ended meanwhile
            found.update(map(int, path.read_text(encoding="ascii").split()))
    return found


def end(pid: int) -> None:
    """Kill a process, unless it is gone already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wait(pid: int) -> None:
    """Return once a process is gone, or has died and was not waited for."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            select.select([descriptor], [], [])
        finally:
            os.close(descriptor)
