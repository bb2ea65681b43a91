"""What an interrupt does while the datasets are being brought up to date: the word that is given is kept. What is inspected when workers are lost."""

import io
import signal
from contextlib import ExitStack

import pyarrow.parquet as pq
import pytest

from jobs.interrupt import interruptible
from pipeline import cluster
from pipeline.errors import WorkersLost
from pipeline.flow import run
from pipeline.passes import MOST_LOSSES
from pipeline.progress import Silent


class Pressing(Silent):
    """Presses Ctrl-C so many times as the publication begins."""

    def __init__(self, times: int) -> None:
        self._times = times

    def phase(self, name: str) -> None:
        for _ in range(self._times if name == "publish" else 0):
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def to_publish(mill, machine):
    """Return a mill with something to publish, and nothing to read: a document that is gone."""
    mill.put("a.pdf", machine.pdf("one"))
    mill.put("b.pdf", machine.pdf("two"))
    mill.run(mill.job())
    (mill.source / "a.pdf").unlink()
    return mill


def _states(mill, machine) -> list[str]:
    """Return what the published files say of the documents."""
    return sorted(row["status"] for row in machine.glob(mill.sink_uri, "documents"))


def test_who_interrupts_a_publication_has_it_all_the_same(to_publish, machine):
    """It is short, and whoever presses Ctrl-C is told that what is done is published; the exit code is that of any interrupt."""
    said = io.StringIO()
    with interruptible(said):
        summary = run(to_publish.job(), progress=Pressing(1))
    assert "what is done is kept and published" in said.getvalue()
    assert (summary.interrupted, summary.exit_code) == (True, 3)
    assert _states(to_publish, machine) == ["deleted", "ok"]
    assert to_publish.verify().is_exact
    assert run(to_publish.job()).exit_code == 0


def test_a_second_interrupt_ends_a_publication(to_publish, machine):
    """As it was said: once more ends at once. The next run publishes."""
    with interruptible(io.StringIO()), pytest.raises(KeyboardInterrupt):
        run(to_publish.job(), progress=Pressing(2))
    assert _states(to_publish, machine) == ["ok", "ok"]
    assert run(to_publish.job()).exit_code == 0
    assert _states(to_publish, machine) == ["deleted", "ok"]


@pytest.fixture
def losses(monkeypatch):
    """Return a list of errors with which the workers, who are in this process, are lost after one row each."""
    coming = []

    def stream(shards, worker, arguments, *, rows_per_block, pool):
        del rows_per_block, pool
        with ExitStack() as ending:
            working = worker(*arguments)
            ending.callback(getattr(working, "close", int))
            for uri in shards.uris:
                rows = pq.read_table(uri)
                for index in range(rows.num_rows):
                    yield from working(rows.slice(index, 1)).column(0).to_pylist()
                    if coming:
                        raise coming.pop()

    monkeypatch.setattr(cluster, "connect", lambda _workers: None)
    monkeypatch.setattr(cluster, "cores", lambda _workers: 1)
    monkeypatch.setattr(cluster, "stream", stream)
    return coming


def test_workers_that_are_lost_while_they_inspect_are_no_end(mill, machine, losses):
    """What was looked at is known, the rest is looked at again, once, and everything is read."""
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        mill.put(name, machine.pdf(f"page of {name}"))
    losses += [WorkersLost("a node is gone")] * 2
    summary = run(mill.job())
    assert (summary.objects_inspected, summary.tally.requests, summary.exit_code) == (3, 3, 0)
    assert mill.verify().is_exact


def test_workers_that_are_lost_without_end_are_told(mill, machine, losses):
    """A cluster that loses each of them is no place to work in."""
    for number in range(MOST_LOSSES + 1):
        mill.put(f"{number}.pdf", machine.pdf(f"page {number}"))
    losses += [WorkersLost("a node is gone")] * MOST_LOSSES
    with pytest.raises(WorkersLost, match="a node is gone"):
        run(mill.job())
