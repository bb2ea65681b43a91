"""Bounds as people write them."""

import pytest

from jobs.evaluate.accept import bound
from jobs.evaluate.report import Report, Score
from pipeline.errors import JobError


def _report(**values: float) -> Report:
    scores = tuple(
        Score(
            task=name.split("__")[0],
            by="all",
            group="all",
            metric=name.split("__")[1],
            value=value,
            low=value,
            high=value,
            answers=1,
            documents=1,
            missing=0,
            rejected=0,
        )
        for name, value in values.items()
    )
    return Report(
        sink_uri="s", labels_uri="l", form="truth", resamples=1, seed=0, pages=1, documents=1, left_out=(), scores=scores
    )


def test_bounds_hold_of_every_task_that_has_the_metric():
    """A metric without a task must hold for all tasks that have it; with one, for that one."""
    report = _report(text__cer=0.03, fields__exact=0.9, raw__exact=0.5)
    assert bound("cer<=0.03").holds(report)
    assert bound("cer <= 3%").holds(report)
    assert not bound("cer<0.03").holds(report)
    assert bound("fields.exact>=0.9").holds(report)
    assert not bound("exact>=0.9").holds(report)


def test_what_was_not_measured_is_not_accepted():
    """A bound on a metric that the report does not have is broken."""
    assert not bound("teds>=0.1").holds(_report(text__cer=0.0))


@pytest.mark.parametrize("text", ["cer", "cer=0.1", "cere<=0.1", "cer>=0.1", "exact<=0.5", "cer<=x"])
def test_bounds_that_mean_nothing_are_refused(text):
    """No such metric, no such form, or a bound that a better score would break: each is an error."""
    with pytest.raises(JobError, match="--accept"):
        bound(text)
