"""What an interrupt does while the datasets are being brought up to date: the word that is given is kept."""

import io
import signal

import pytest

from jobs.interrupt import interruptible
from pipeline.flow import run
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
