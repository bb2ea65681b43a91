"""How far a score would move with other documents: percentile intervals from resampled documents, the same for the same seed.

Documents are drawn, not pages: pages of one document are read alike, and would make an interval look too narrow.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
LOW, HIGH = 2.5, 97.5


def draws(documents: int, resamples: int, seed: int) -> Times:
    """Return how often each document counts in each resample, of shape (resamples, documents)."""
    if not documents:
        return np.zeros((resamples, 0), np.int64)
    return np.random.default_rng(seed).multinomial(documents, np.full(documents, 1 / documents), resamples)


def interval(documents: Sequence[str], resamples: int, seed: int, score: Callable[[Times], float]) -> tuple[float, float]:
    """Return the middle 95% of a score over resamples.

    `documents` names each case's document; `score` takes how often each case counts. Resamples on which a score has no meaning (NaN)
    are left out.
    """
    names, place = np.unique(np.array(documents, dtype=str), return_inverse=True)
    values = np.array([score(times[place]) for times in draws(len(names), resamples, seed)])
    known = values[~np.isnan(values)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.percentile(known, [LOW, HIGH])
    return float(low), float(high)
