"""When Ray Data is waiting for what is gone, and when for what takes long."""

import os
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import cluster, standstill
from pipeline.cluster import Pool
from pipeline.errors import TaskForgotten
from pipeline.shards import Shards
from pipeline.standstill import LOOKS, Standstill, await_verdict
from schemas.job import Workers


class Execution:
    """An execution of a reader, a cutter and workers: how many tasks each is said to have, and how much has been taken from each."""

    def __init__(self, *active: int) -> None:
        self.taken = [1, 0, 0]
        self._topology = [self._operator(number, tasks) for number, tasks in enumerate(active)]

    def _operator(self, number: int, tasks: int) -> SimpleNamespace:
        taken = self.taken
        metrics = type("Metrics", (), {"num_outputs_taken": property(lambda _: taken[number])})()
        return SimpleNamespace(num_active_tasks=lambda: tasks, metrics=metrics)


@pytest.fixture
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standstill, "LOOK_S", 0.0)


@pytest.fixture
def _with_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standstill, "_has_room", lambda: True)


@pytest.mark.usefixtures("_often", "_with_room")
@pytest.mark.parametrize("active", [(1, 0, 0), (0, 1, 0), (2, 1, 0)])
def test_who_reads_and_cuts_without_an_end_while_workers_wait_is_gone(active: tuple[int, ...]) -> None:
    """Neither takes minutes; the first look only learns how things stand."""
    watch, execution = Standstill(), Execution(*active)
    for _ in range(LOOKS):
        watch.on_execution_step(execution)
    with pytest.raises(TaskForgotten):
        watch.on_execution_step(execution)


@pytest.mark.usefixtures("_often", "_with_room")
@pytest.mark.parametrize("active", [(0, 0, 3), (1, 0, 3), (0, 0, 0)])
def test_workers_may_take_as_long_as_they_like(active: tuple[int, ...]) -> None:
    """A block of pages takes an hour of a CPU, and who feeds is held back meanwhile."""
    watch, execution = Standstill(), Execution(*active)
    for _ in range(5 * LOOKS):
        watch.on_execution_step(execution)


@pytest.mark.usefixtures("_often")
def test_who_has_no_room_to_run_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster grows for as long as it takes."""
    monkeypatch.setattr(standstill, "_has_room", lambda: False)
    watch, execution = Standstill(), Execution(1, 0, 0)
    for _ in range(5 * LOOKS):
        watch.on_execution_step(execution)


@pytest.mark.usefixtures("_often", "_with_room")
def test_what_moves_is_no_standstill() -> None:
    """Each output taken from anyone begins the count anew."""
    watch, execution = Standstill(), Execution(1, 1, 0)
    for number in range(5 * LOOKS):
        execution.taken[number % 2] += number % (LOOKS - 1) == 0
        watch.on_execution_step(execution)


@pytest.mark.usefixtures("_with_room")
def test_it_looks_now_and_then() -> None:
    """Ray Data steps ten times a second, and ten steps are no minutes."""
    watch, execution = Standstill(), Execution(1, 0, 0)
    for _ in range(5 * LOOKS):
        watch.on_execution_step(execution)


def test_a_node_is_given_up_once_ray_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent anywhere before that; of an actor that died alone, no node is ever gone, and the wait has an end."""
    known, waited = iter([3, 3, 3, 2]), list[float]()
    monkeypatch.setattr(standstill, "_nodes", lambda: next(known))
    monkeypatch.setattr(standstill.time, "sleep", waited.append)
    await_verdict()
    assert (waited, list(known)) == ([1, 1], [])
    monkeypatch.setattr(standstill, "_nodes", lambda: 3)
    monkeypatch.setattr(standstill, "VERDICT_S", 0.1)
    await_verdict()


@pytest.mark.slow
@pytest.mark.usefixtures("ray_started")
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_a_reader_that_is_never_heard_of_ends_the_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its shard is a pipe into which nobody writes; the run is told, as of any loss of workers, and connects to Ray anew to try again."""

    class Reads:
        """A worker that says what it is sent."""

        def __call__(self, rows: pa.Table) -> pa.Table:
            return rows

    shard = tmp_path / "shard.parquet"
    os.mkfifo(shard)
    stream = cluster.stream(Shards((str(shard),), 1), Reads, (), rows_per_block=1, pool=Pool(actors=1))
    try:
        with monkeypatch.context() as often:
            often.setattr(standstill, "LOOK_S", 0.0)
            with pytest.raises(TaskForgotten):
                next(stream)
    finally:
        os.close(os.open(shard, os.O_RDWR | os.O_NONBLOCK))  # lets the reader go
    whole = tmp_path / "whole.parquet"
    pq.write_table(pa.table({"said": ["read"]}), whole)
    cluster.connect(Workers(cpus=2))
    assert list(cluster.stream(Shards((str(whole),), 1), Reads, (), rows_per_block=1, pool=Pool(actors=1))) == ["read"]
