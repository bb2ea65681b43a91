"""Two cores for two sides: vLLM's processes get one, everything else the other, as an engine in production computes on a device of its own."""

from __future__ import annotations

import os
from pathlib import Path

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
            self._put(os.getpid(), self.rest)

    def _put(self, pid: int, core: int) -> None:
        """Put a process and all below it on a core; from vLLM's own downwards that is the engine's."""
        try:
            title = Path(f"/proc/{pid}/cmdline").read_bytes()
            tasks = [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
        except OSError:
            return
        core = self.engine if b"VLLM::" in title else core
        for task in tasks:
            try:
                if os.sched_getaffinity(task) != {core}:
                    os.sched_setaffinity(task, {core})
                below = Path(f"/proc/{pid}/task/{task}/children").read_text().split()
            except OSError:  # it has ended meanwhile
                continue
            for child in below:
                self._put(int(child), core)
