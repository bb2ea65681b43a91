"""Deadline and budget: a run ends itself as if somebody had pressed Ctrl-C, says why, and the next one goes on."""

import signal
import threading
import time
from pathlib import Path

import pytest

from pipeline import cluster
from pipeline.budget import Budget
from pipeline.flow import run
from pipeline.verify import verify
from schemas.job import Budget as Spending
from schemas.job import Job, Model, Render, Sink, Source, Stop, Workers
from schemas.unit import Tally

PATIENCE_S = 60


def test_a_deadline_interrupts_whatever_waits():
    """A wait that no work ends is interrupted, the reason is kept, and Ctrl-C is as it was."""
    before = signal.getsignal(signal.SIGALRM)
    budget = Budget(Stop(deadline=0.05))
    with pytest.raises(KeyboardInterrupt), budget.deadline():
        threading.Event().wait(PATIENCE_S)
    assert budget.spent == "its deadline has passed, 0 s after it began (`stop.deadline`)"
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_deadline_that_has_passed_interrupts_at_once():
    """Steps that begin after the deadline, as publishing's neighbours do, are not worked at."""
    budget = Budget(Stop(deadline=0.001))
    time.sleep(0.01)
    with pytest.raises(KeyboardInterrupt), budget.deadline():
        threading.Event().wait(PATIENCE_S)


def test_a_deadline_that_is_kept_leaves_nothing_behind():
    """Work that ends in time is not interrupted, then or later."""
    budget = Budget(Stop(deadline=PATIENCE_S))
    with budget.deadline():
        budget.check(Tally(requests=10**9, tokens=10**9))
    assert budget.spent is None
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_outside_the_main_thread_the_deadline_is_found_between_parts():
    """A library's caller may run a job in any thread: no signal is touched there."""
    found: list[str | None] = []

    def work() -> None:
        budget = Budget(Stop(deadline=0.001))
        try:
            with budget.deadline():
                time.sleep(0.01)
                budget.check(Tally())
        except KeyboardInterrupt:
            found.append(budget.spent)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == ["its deadline has passed, 0 s after it began (`stop.deadline`)"]


@pytest.mark.parametrize(
    ("limits", "tally", "said"),
    [
        (Spending(requests=10), Tally(requests=10), "its budget of 10 requests is spent (`stop.budget`)"),
        (Spending(tokens=2000), Tally(tokens=2001), "its budget of 2,000 tokens is spent (`stop.budget`)"),
        (Spending(requests=10, tokens=10), Tally(requests=9, tokens=9), None),
        (Spending(), Tally(requests=10**9), None),
    ],
)
def test_a_budget_ends_a_run_when_it_is_spent(limits, tally, said):
    """Requests and tokens each have their limit; without one there is none."""
    budget = Budget(Stop(budget=limits))
    try:
        budget.check(tally)
    except KeyboardInterrupt:
        assert budget.spent == said
    else:
        assert said is None


# Ray warns of its own settings as it reads them, and leaves files open in the process that started it.
@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_run_ends_at_its_budget_and_at_its_deadline_and_the_next_goes_on(tmp_path, machine, monkeypatch):
    """A spent budget and a passed deadline end with exit code 3, published rows and the reason; a run without them reads the rest."""
    monkeypatch.setattr("pipeline.commit.PARTS_PER_COMMIT", 1)
    source = tmp_path / "in"
    source.mkdir()
    for number in range(40):
        (source / f"{number:02}.pdf").write_bytes(machine.pdf(f"document {number}"))
    job = Job(
        name="limited",
        source=Source(uri=str(source)),
        model=_slow(tmp_path / "slow", 0.1),
        render=Render(text_layer="ignore"),
        workers=Workers(cpus=2),
        sink=Sink(uri=str(tmp_path / "out")),
    )
    cluster.connect(job.workers)
    first = run(job.model_copy(update={"stop": Stop(budget=Spending(requests=8))}))
    assert (first.exit_code, first.interrupted) == (3, True)
    assert first.stopped == "its budget of 8 requests is spent (`stop.budget`)"
    assert 8 <= first.tally.requests == first.pages_ok < 40
    assert [finding.code for finding in verify(job.sink.uri).findings] == ["pages_unread"]

    second = run(job.model_copy(update={"stop": Stop(deadline=0.3)}))
    assert (second.exit_code, second.stopped) == (3, "its deadline has passed, 0 s after it began (`stop.deadline`)")

    third = run(job)
    assert (third.exit_code, third.stopped) == (0, None)
    assert third.pages_ok == 40 - first.pages_ok - second.pages_ok
    assert verify(job.sink.uri).is_exact


def _slow(folder: Path, seconds: float) -> Model:
    folder.mkdir()
    (folder / "scripted.json").write_text(f'{{"seconds_per_request": {seconds}}}')
    return Model(engine="scripted", checkpoint=str(folder))
