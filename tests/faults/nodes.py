"""Ray nodes on this machine, started anew where one took longer than the 30 s that Ray gives it, as happens on a busy machine."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from pipeline.process import children, end

TRIES = 4
PRIORITY = {"RAY_worker_niceness": "0"}  # Ray's own 15 leaves workers next to nothing of a machine that has much else to do
T = TypeVar("T")


@contextmanager
def cluster(*, environment: Mapping[str, str] | None = None, **head: object) -> Iterator[Any]:
    """Give a cluster of one node, with everything that Ray leaves in a folder that goes with it; its workers have `environment` too."""
    from ray.cluster_utils import Cluster

    folder = tempfile.mkdtemp(prefix="pm-", dir="/tmp")  # sockets' names may be a hundred characters long, no more
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**(environment or {}), **PRIORITY, "RAY_TMPDIR": folder}.items():
            patch.setenv(name, value)
        started = started_at_last(lambda: Cluster(initialize_head=True, head_node_args={"include_dashboard": False, **head}))
    try:
        yield started
    finally:
        started.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def add_node(to: Any, *, cpus: int) -> None:
    """Add a node with so many CPUs, by name."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in PRIORITY.items():
            patch.setenv(name, value)
        started_at_last(lambda: to.add_node(num_cpus=cpus, object_store_memory=100_000_000))


def started_at_last(start: Callable[[], T]) -> T:
    """Return what starts; processes of a start that failed are ended."""
    for _ in range(TRIES - 1):
        before = children()
        try:
            return start()
        except Exception:  # noqa: BLE001 (Ray raises just that)
            for pid in children() - before:
                end(pid)
            time.sleep(5)
    return start()
