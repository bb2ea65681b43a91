"""When a run ends itself: its deadline, and what it may spend. It knows neither the work nor how it is brought to an end."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from schemas.job import Stop
from schemas.unit import Tally


class Budget:
    """The limits of one run; `spent` says which of them ended it, once one has."""

    def __init__(self, stop: Stop) -> None:
        """Start the clock of the deadline."""
        self._stop = stop
        self._until = None if stop.deadline is None else time.monotonic() + stop.deadline
        self.spent: str | None = None

    @contextmanager
    def deadline(self) -> Iterator[None]:
        """Raise KeyboardInterrupt in what happens inside once the deadline passes, as if somebody had pressed Ctrl-C then.

        A run may be waiting for GPUs that never come, so a clock interrupts it wherever it is. Only the main thread can be
        interrupted so; elsewhere `check` finds the deadline when it is next called.
        """
        if self._until is None or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGALRM, self._ring)
        try:
            signal.setitimer(signal.ITIMER_REAL, max(self._until - time.monotonic(), 0.001))
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def check(self, tally: Tally) -> None:
        """Raise KeyboardInterrupt where what was spent, or the time, is more than the run may have."""
        limits = self._stop.budget
        if limits.requests is not None and tally.requests >= limits.requests:
            self._end(f"its budget of {limits.requests:,} requests is spent (`stop.budget`)")
        if limits.tokens is not None and tally.tokens >= limits.tokens:
            self._end(f"its budget of {limits.tokens:,} tokens is spent (`stop.budget`)")
        if self._until is not None and time.monotonic() >= self._until:
            self._end(self._late())

    def _ring(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._end(self._late())

    def _end(self, why: str) -> None:
        self.spent = why
        raise KeyboardInterrupt(why)

    def _late(self) -> str:
        return f"its deadline has passed, {self._stop.deadline:,.0f} s after it began (`stop.deadline`)"
