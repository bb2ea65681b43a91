"""Runs that are told to end, runs of a job that is at work already, and a page of which the engine dies every time."""

import hashlib
import os
import random
import signal
import subprocess
import time

import pytest

GRACE_S = 30.0  # what a spot instance gives
HELD = 4  # objects that a run has written once the job's claim is its own
KILLED_EACH = 3  # of so many that are told to end, one is killed before it has


def test_a_spot_instance_that_is_taken_away_loses_nothing(place, nights, processes, undisturbed, moments, seed):
    """After SIGTERM at any moment the run ends by itself, and what it has committed is not read again; nor where it is killed meanwhile.

    It takes less than the 30 s of a spot instance, by the clock of its process, which stands still while others have the machine.
    """
    rng, struck, night = random.Random(seed), 0, None  # noqa: S311 (no secret)
    while struck < moments:
        if night is None:
            night = place()
            night.fill(nights.documents())
        others_s, running = processes.seconds_of_ended(), night.start()
        (moment,) = undisturbed.moments(rng)
        told = running.until_written(moment) and running.strike("driver", rng, signal.SIGTERM)
        before_s = processes.seconds_of(running.process.pid)
        is_killed = (
            told and struck % KILLED_EACH == KILLED_EACH - 1 and running.until_written(running.count() + rng.randrange(9))
        )
        if is_killed:
            running.process.kill()
        code, said, complained = running.end()
        took_s = processes.seconds_of_ended() - others_s - before_s
        print(f"after SIGTERM: {took_s:.1f} s of the driver, exit code {code}")  # noqa: T201 (for who runs it with -s)
        assert "Traceback" not in complained, complained
        if code == -signal.SIGTERM and said:  # all was done and said, and Ray was being ended
            code = 0
        expected = 3 if "ending: what is done is kept" in complained else 0
        assert code == expected or (is_killed and code == -signal.SIGKILL), complained
        assert not told or took_s < GRACE_S
        struck += told
        if code == 0:
            undisturbed.assert_same(night)
            night = None
    if night is not None:
        done = night.committed()
        summary = night.run()
        assert summary.pages_ok + summary.pages_blank == undisturbed.pages - len(done)
        undisturbed.assert_same(night)


@pytest.mark.parametrize("place", ["files"], indirect=True)
def test_of_two_runs_of_one_job_the_second_is_refused(place, nights, undisturbed):
    """While one is at work, another ends at once with exit code 3, says who has it, and touches nothing."""
    night = place(solo=True)
    night.fill(nights.documents())
    running = night.start()
    assert running.until_written(HELD)
    second = night.start()
    while second.process.poll() is None:  # the first is held back, to be at work still however long the second takes to start
        for signal_number, for_s in ((signal.SIGSTOP, 2.0), (signal.SIGCONT, 0.1)):
            running.process.send_signal(signal_number)
            time.sleep(for_s)
    code, _, complained = second.end()
    assert code == 3
    assert "is at work here: process" in complained
    code, _, complained = running.end()
    assert code == 0, complained
    undisturbed.assert_same(night)


@pytest.mark.parametrize("place", ["files"], indirect=True)
def test_a_page_that_kills_the_engine_is_found_and_rejected_and_read_once_it_no_longer_does(place, nights):
    """Of a document of five pages, one takes its engine's whole process down: the four others have rows, and `rerun` reads it later."""
    documents = {"deadly.pdf": nights.pdf(*(f"page {number}" for number in range(5))), "fine.pdf": nights.pdf("fine")}
    deadly = f"{hashlib.sha256(documents['deadly.pdf']).hexdigest()}/3"
    night = place(settings={"kills_on": [deadly]})
    night.fill(documents)
    summary = night.run()
    assert (summary.pages_ok, summary.pages_failed, summary.left) == (5, 1, 0)
    (failed,) = [row for row in night.values()["pages"] if row["status"] == "failed"]
    assert (failed["source_uri"], failed["page_index"]) == ("/in/deadly.pdf", 3)
    assert [failure["code"] for failure in failed["failures"]] == ["worker_died"]
    assert night.verify().is_exact
    assert night.run().pages_selected == 0  # a reject is done

    night.answer_with({})
    code, said, complained = night.start(command=("rerun", "--where", "status = 'failed'")).end()
    assert code == 0, complained
    again = nights.RunSummary.model_validate_json(said)
    assert (again.pages_ok, again.pages_failed) == (1, 0)
    assert {row["status"] for row in night.values()["pages"]} == {"ok"}
    assert night.verify().is_exact
    night.assert_gone()


@pytest.mark.parametrize("place", ["files"], indirect=True)
def test_a_page_that_takes_everything_down_is_rejected_by_a_later_run(place, nights):
    """Where the driver dies with the worker, each time, the page is found by halves all the same: deaths are counted across runs."""
    data = nights.pdf("page 0", "page 1")
    night = place(solo=True, settings={"kills_on": [f"{hashlib.sha256(data).hexdigest()}/1"]})
    night.fill({"deadly.pdf": data})
    codes = [night.start().end()[0] for _ in range(5)]
    assert codes == [-signal.SIGKILL] * 4 + [0]  # the unit once, the page three times
    rows = {row["page_index"]: row for row in night.values()["pages"]}
    assert {index: row["status"] for index, row in rows.items()} == {0: "ok", 1: "failed"}
    assert [failure["code"] for failure in rows[1]["failures"]] == ["worker_died"]
    assert night.verify().is_exact
    night.assert_gone()


def test_what_is_left_behind_is_seen(nights):
    """The harness itself can tell: whatever was started with a mark is found, with what it started, until it has ended."""
    command = ["/bin/sh", "-c", "env -i sleep 600 & wait"]
    shell = subprocess.Popen(command, env={nights.MARK: "a-mark"}, start_new_session=True)
    until = time.monotonic() + nights.PATIENCE_S
    while len(nights.marked(["a-mark"])) < 2:
        assert time.monotonic() < until
    assert nights.marked(["another"]) == []
    os.killpg(shell.pid, signal.SIGKILL)
    shell.wait()
    while nights.marked(["a-mark"]):
        assert time.monotonic() < until
