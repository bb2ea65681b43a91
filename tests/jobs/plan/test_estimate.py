"""Estimates: exact where all was seen, and honest about how far they may be off where it was not."""

import numpy as np
import pytest

from jobs.plan.estimate import Seen, Totals
from schemas.plan import Estimate


def _document(pages: int, rate: float, draw: np.random.Generator, looked_at: int) -> tuple[Seen, np.ndarray]:
    """Return a document whose pages have a column of ones and one of requests, as it was seen and as it is."""
    whole = np.column_stack([np.ones(pages), draw.poisson(rate, pages)])
    some = draw.choice(pages, min(looked_at, pages), replace=False)
    return Seen(pages, tuple(tuple(row) for row in whole[some]), (0.0,)), whole.sum(axis=0)


def test_what_was_seen_wholly_is_known():
    """With every page of every document seen, a total is what it is, and so are both ends of its interval."""
    draw = np.random.default_rng(0)
    documents = [_document(3, 5.0, draw, 3) for _ in range(7)]
    totals = Totals([seen for seen, _ in documents], 7, 2, seed=1)
    truth = sum(whole for _, whole in documents)
    assert totals.total(1) == Estimate(value=21, low=21, high=21)
    assert totals.total(2) == Estimate(value=truth[1], low=truth[1], high=truth[1])


@pytest.mark.parametrize(("sample", "looked_at"), [(60, 50), (60, 4)])
def test_the_truth_lies_in_the_interval_nearly_always(sample, looked_at):
    """Of many populations of 300 documents, some long, the truth lies within the interval of 95%: 35 of 40 times at the least."""
    held = 0
    for seed in range(40):
        draw = np.random.default_rng(seed)
        population = [_document(1 + int(draw.geometric(0.2)), draw.gamma(3), draw, looked_at) for _ in range(300)]
        chosen = [population[place][0] for place in draw.choice(300, sample, replace=False)]
        estimate = Totals(chosen, 300, 2, seed).total(2)
        truth = sum(whole[1] for _, whole in population)
        held += estimate.low <= truth <= estimate.high
    assert held >= 35


def test_of_nothing_all_is_nothing():
    """Where nothing is left to do, every estimate is 0."""
    nothing = Estimate(value=0, low=0, high=0)
    totals = Totals([], 0, 2, seed=0)
    assert (totals.total(1), totals.share(1, 2), totals.weighted([1.0], 1)) == (nothing,) * 3


def test_a_document_that_cannot_be_opened_has_no_pages():
    """It counts where documents count, and brings the mean of pages down."""
    totals = Totals([Seen(0, (), (1.0,)), Seen(2, ((1.0, 4.0), (1.0, 6.0)), (0.0,))], 2, 2, seed=0)
    assert [totals.total(column).value for column in range(3)] == [1, 2, 10]
