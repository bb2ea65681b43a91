"""Ray Data at a standstill: a task sent to a node that is gone may be tried again elsewhere, never be heard of, and be waited for without end.

How long nothing comes says nothing by itself: a block of pages may take an hour of a CPU, and a cluster as long to grow. But those who only read
rows and cut them into blocks are quick: where one of them is said to be at work, has room to run, yields nothing for minutes, and no worker
has anything to do, it is gone.
"""

import time
from typing import Any

from pipeline.errors import TaskForgotten

LOOK_S = 30.0
LOOKS = 10
ROOM_CPUS = 1.0
VERDICT_S = 30.0


class Standstill:
    """Watches one execution, and ends it with TaskForgotten where it stands still. Ray Data makes one for each, and calls it at every step."""

    def __init__(self) -> None:
        self._looked_s, self._quiet = time.monotonic(), 0
        self._seen: tuple[int, ...] = ()

    def before_execution_starts(self, executor: object) -> None:
        """Nothing to do then."""

    def on_execution_step(self, executor: Any) -> None:  # noqa: ANN401 (Ray's types say nothing)
        """Look around twice a minute. Raises TaskForgotten once nothing has moved for ten looks although it could."""
        if time.monotonic() - self._looked_s < LOOK_S:
            return
        self._looked_s = time.monotonic()
        *feeders, workers = executor._topology  # noqa: SLF001 (Ray's own callbacks look there too)
        seen = tuple(each.metrics.num_outputs_taken for each in (*feeders, workers))
        fed = any(each.num_active_tasks() for each in feeders) and not workers.num_active_tasks()
        self._quiet = self._quiet + 1 if fed and seen == self._seen and _has_room() else 0
        self._seen = seen
        if self._quiet >= LOOKS:
            raise TaskForgotten("Ray forgot a task that was to read what comes next")

    def after_execution_succeeds(self, executor: object) -> None:
        """Nothing to do then."""

    def after_execution_fails(self, executor: object, error: Exception) -> None:
        """Nothing to do then."""


def await_verdict() -> None:
    """Wait until Ray knows that a node is gone, half a minute at most: what is sent there before is what it may forget."""
    nodes, until = _nodes(), time.monotonic() + VERDICT_S
    while _nodes() == nodes and time.monotonic() < until:
        time.sleep(1)


def _nodes() -> int:
    import ray

    return sum(bool(each["Alive"]) for each in ray.nodes())  # type: ignore[no-untyped-call]


def _has_room() -> bool:
    import ray

    return float(ray.available_resources().get("CPU", 0)) >= ROOM_CPUS  # type: ignore[no-untyped-call]
