"""A run on its way, in processes of its own: waited for, watched, and struck."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from pagemill_faults_processes import command_line, family, runs  # this folder is no package: conftest.py has imported it

Victim = Literal["driver", "worker", "child", "raylet"]
TITLES = {"worker": "ray::Map", "child": "pipeline.documents.reader", "raylet": "/raylet/raylet"}
"""What stands in the command lines of the processes of a run; the driver is the one that was started.

Ray Data's actors are ray::MapWorker(…), whether they work or wait, and its tasks ray::MapBatches(…).
"""
LOOKS_S = 0.05  # between two looks at all processes of the machine, each of which takes it some milliseconds


@dataclass
class Running:
    """A run that was started. `written` counts what its sink has ever held, `raylets` are processes that are not its own and have its workers."""

    process: "subprocess.Popen[str]"
    written: Callable[[], int]
    raylets: Callable[[], list[int]]
    clear: Callable[[], None]
    patience_s: float

    def __post_init__(self) -> None:
        self._written_before = self.written()

    def pids(self, kind: Victim) -> list[int]:
        """Return the run's living processes of a kind."""
        if kind == "driver":
            return [self.process.pid] if self.process.poll() is None else []
        mine = {pid for root in (self.process.pid, *self.raylets()) for pid in family(root)}
        return sorted(pid for pid in mine if TITLES[kind] in command_line(pid) and runs(pid))

    def strike(self, kind: Victim, number: random.Random, signal_number: int = signal.SIGKILL) -> bool:
        """Send a signal to a process of that kind, as soon as there is one; return False if the run ended without."""
        if not self.until(lambda: bool(self.pids(kind)), LOOKS_S):
            return False
        with suppress(ProcessLookupError, IndexError):  # it has ended by itself meanwhile
            os.kill(number.choice(self.pids(kind)), signal_number)
            return True
        return self.strike(kind, number, signal_number)

    def count(self) -> int:
        """Return how many objects the run has written."""
        return self.written() - self._written_before

    def until_written(self, moment: int) -> bool:
        """Wait until the run has written so many objects; return False if it ended before."""
        return self.until(lambda: self.count() >= moment) or self.count() >= moment

    def until(self, reached: Callable[[], bool], every_s: float = 0.01) -> bool:
        """Wait for something, looking every so often; return False if the run ended before it."""
        until = time.monotonic() + self.patience_s
        while not reached():
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < until, f"nothing came of it:\n{self.stop()}"
            time.sleep(every_s)
        return True

    def end(self) -> tuple[int, str, str]:
        """Wait for the end, and return exit code, stdout and stderr."""
        try:
            said, complained = self.process.communicate(timeout=self.patience_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the run does not end:\n{self.stop()}") from None
        return self.process.returncode, said, complained

    def stop(self) -> str:
        """End whatever is left of the night, and return what the run said."""
        self.clear()
        return "\n".join(map(str, self.process.communicate()))
