"""SIGKILL of any process of a run, at seeded moments, on files and on S3: the rerun ends where an undisturbed run does, and nobody stays behind."""

import random

import pytest

MOST_AT_ONCE = 6  # strikes at one run
OBJECTS_BETWEEN = 4  # a group's and one more: who strikes whatever comes up at once is told from a fault of the page by nobody


@pytest.mark.parametrize("victim", ["driver", "raylet"])
def test_a_run_that_is_killed_is_completed_by_the_next(victim, place, nights, undisturbed, moments, seed):
    """Whatever ends the whole run: what it has committed is never read again, and all else is read, once."""
    rng, struck, night = random.Random(seed), 0, None  # noqa: S311 (no secret)
    while struck < moments:
        if night is None:
            night = place(own_ray=victim == "raylet")
            night.fill(nights.documents())
        before = night.committed()
        running = night.start()
        (moment,) = undisturbed.moments(rng)
        was_there = running.until_written(moment) and running.strike(victim, rng)
        code, _, complained = running.end()
        struck += was_there
        if code == 0:  # it had less left to do than that, or needed nobody any more
            undisturbed.assert_same(night)
            night = None
            continue
        assert was_there, complained
        if victim == "raylet":  # 1 is Ray's own, where it is the first to see it
            assert code in (1, 3), complained
        assert before <= night.committed()
    if night is not None:
        done = night.committed()
        summary = night.run()
        assert summary.pages_ok + summary.pages_blank == undisturbed.pages - len(done)
        undisturbed.assert_same(night)


def test_a_run_outlives_its_workers(place, nights, undisturbed, moments, seed):
    """Actors, their tasks and the processes that open documents die, and the run goes on, or says that it must be run again."""
    rng, victims = random.Random(seed), ["worker", "child"] * moments  # noqa: S311 (no secret)
    while victims:
        night = place()
        night.fill(nights.documents())
        running, earliest = night.start(), 0
        for moment in undisturbed.moments(rng, min(MOST_AT_ONCE, len(victims))):
            if running.until_written(max(moment, earliest)) and running.strike(victims[-1], rng):
                victims.pop()
                earliest = running.count() + OBJECTS_BETWEEN
        code, said, complained = running.end()
        assert code in (0, 3), complained
        if code == 0:
            summary = nights.RunSummary.model_validate_json(said)
            assert summary.tally.requests == undisturbed.summary.tally.requests
        else:
            night.run()
        undisturbed.assert_same(night)
