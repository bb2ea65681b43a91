"""Two cores for two sides: vLLM's processes get one, everything else the other, as an engine in production computes on a device of its own."""

from __future__ import annotations

import os
from contextlib import suppress

from processes import family, threads
from watching import Watching

PERIOD_S = 0.2


class Apart(Watching):
    """Keeps this process and all below it off the engine's core, and vLLM's own processes on it, new ones within a fifth of a second."""

    def __init__(self) -> None:
        there = sorted(os.sched_getaffinity(0))
        if len(there) < 2:
            raise SystemExit("two cores are needed to measure this: one for the engine, one for all else")
        self.rest, self.engine = there[0], there[-1]
        os.environ["VLLM_CPU_OMP_THREADS_BIND"] = str(self.engine)

    def _watch(self) -> None:
        while not self._over.wait(PERIOD_S):
            for pid, is_engine in family(os.getpid()):
                _put(pid, self.engine if is_engine else self.rest)


def _put(pid: int, core: int) -> None:
    """Put all threads of a process on a core."""
    for thread in threads(pid):
        with suppress(OSError):  # it has ended meanwhile
            if os.sched_getaffinity(thread) != {core}:
                os.sched_setaffinity(thread, {core})
