"""CPU seconds of this process and all below it, by what they are: good on a machine whose clock says more of its other users."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from pathlib import Path

from processes import command, family
from watching import Watching

PERIOD_S = 0.5


class CpuTime(Watching):
    """Notes, twice a second, the CPU seconds of this process and all below it but vLLM's own; it counts those that have ended, too.

    Kinds are "driver" (this process), "reader" (the child that opens documents), "worker" (Ray's processes that run our code) and "ray".
    """

    def __init__(self) -> None:
        self._noted: list[tuple[float, defaultdict[str, float]]] = []

    def between(self, start: float, end: float) -> dict[str, float]:
        """Return the CPU seconds of each kind between the notes nearest to two moments of the monotonic clock."""
        before, after = self._at(start), self._at(end)
        return {kind: after[kind] - before[kind] for kind in after}

    def _at(self, moment: float) -> defaultdict[str, float]:
        return min(self._noted, key=lambda note: abs(note[0] - moment))[1]

    def _watch(self) -> None:
        most: dict[tuple[int, str], float] = {}
        over = False
        while not over:
            for pid in below(os.getpid()):
                known = (pid, _kind(pid))
                most[known] = max(most.get(known, 0.0), cpu_s(pid) - sum(most[each] for each in most if _renamed(each, known)))
            totals: defaultdict[str, float] = defaultdict(float)
            for (_, kind), seconds in most.items():
                totals[kind] += seconds
            self._noted.append((time.monotonic(), totals))
            over = self._over.wait(PERIOD_S)


def below(pid: int) -> list[int]:
    """Return a process and its descendants, without vLLM's engine and what is below that."""
    return [each for each, is_engine in family(pid) if not is_engine]


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has taken, its threads' too."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _renamed(one: tuple[int, str], other: tuple[int, str]) -> bool:
    """Say whether both are one process under two kinds: Ray's take their title once they have started."""
    return one[0] == other[0] and one[1] != other[1]


def _kind(pid: int) -> str:
    if pid == os.getpid():
        return "driver"
    title = command(pid)
    if b"documents.reader" in title:
        return "reader"
    return "worker" if title.startswith(b"ray::") else "ray"
