"""Processes of this machine: who descends from whom, who was started with a mark, who still runs. Nothing here knows what they do."""

import os
import resource
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.process import started

MARK = "PAGEMILL_TESTS_NIGHT"


def family(pid: int) -> set[int]:
    """Return a process and all that descend from it."""
    below: dict[int, list[int]] = {}
    for each in _pids():
        below.setdefault(_parent(each), []).append(each)
    found, waiting = set[int](), [pid]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting.extend(below.get(each, ()))
    return found


def marked(marks: Iterable[str]) -> list[int]:
    """Return the live processes with one of these marks in their environment, and what descends from them: some have none at all."""
    whose = {f"{MARK}={mark}".encode() for mark in marks}
    roots = [pid for pid in _pids() if not whose.isdisjoint(_environment(pid).split(b"\0"))]
    return sorted(pid for pid in {each for root in roots for each in family(root)} if runs(pid))


def runs(pid: int) -> bool:
    """Return whether a process runs; one that has died and was not waited for does not."""
    return started(pid) is not None


def seconds_of(pid: int) -> float:
    """Return how long a process, and those of its children that it has waited for, had a core so far; 0.0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def seconds_of_ended() -> float:
    """Return the same of all children of this process that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def command_line(pid: int) -> str:
    """Return the words that it was started with, or "" where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208 (a name is all that is needed)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
