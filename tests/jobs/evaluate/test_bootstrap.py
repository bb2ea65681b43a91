"""Intervals: the same for a seed, around the score, and of documents rather than pages."""

import math

import numpy as np

from jobs.evaluate.bootstrap import draws, interval


def _mean_of(values):
    held = np.array(values, dtype=float)
    return lambda times: float(times @ held) / float(times.sum())


def test_the_same_seed_gives_the_same_interval():
    """Intervals are reproduced by their seed, and differ by it."""
    documents, score = [str(n) for n in range(20)], _mean_of(range(20))
    assert interval(documents, 200, 7, score) == interval(documents, 200, 7, score)
    assert interval(documents, 200, 7, score) != interval(documents, 200, 8, score)


def test_an_interval_is_as_wide_as_chance():
    """Of 100 documents half right, 95% of resamples lie within about ±0.1 of one half."""
    values = [n % 2 for n in range(100)]
    low, high = interval([str(n) for n in range(100)], 2000, 0, _mean_of(values))
    assert 0.38 <= low <= 0.42
    assert 0.58 <= high <= 0.62


def test_pages_of_one_document_are_drawn_together():
    """A hundred pages of one document tell as little as the document: its score never moves."""
    values = [n % 2 for n in range(100)]
    assert interval(["one"] * 100, 100, 0, _mean_of(values)) == (0.5, 0.5)


def test_resamples_without_meaning_are_left_out():
    """A score that is not defined on some resamples has the interval of the others; of none, none."""
    low, high = interval(["a", "b"], 50, 0, lambda times: 1.0 if times[0] else math.nan)
    assert (low, high) == (1.0, 1.0)
    assert all(math.isnan(end) for end in interval(["a"], 5, 0, lambda _: math.nan))


def test_every_resample_has_as_many_documents():
    """A resample draws as many documents as there are."""
    assert draws(7, 30, 0).sum(axis=1).tolist() == [7] * 30
