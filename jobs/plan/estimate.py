"""From a sample to the whole, with how far that may be off: documents are resampled, and of a document that was not wholly seen its pages.

The same for the same seed. Where the sample is the whole, nothing is off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.plan import Estimate

RESAMPLES = 1000
_LOW, _HIGH = 2.5, 97.5
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Seen:
    """One document of the sample: `each` counts once a document, `pages` holds a row a page that was looked at, of `page_count`."""

    page_count: int
    pages: tuple[tuple[float, ...], ...]
    each: tuple[float, ...]


class Totals:
    """What a population's documents come to, column by column: those of `each`, then those of `pages`; and over all resamples."""

    def __init__(self, seen: Sequence[Seen], population: int, columns: int, seed: int) -> None:
        """Take the sample, drawn at random from `population` documents; a page has so many columns."""
        draw = np.random.default_rng(seed)
        n = len(seen)
        times = draw.multinomial(n, np.full(n, 1 / n), RESAMPLES) if n else np.zeros((RESAMPLES, 0))
        loose = (
            np.sqrt(1 - n / population) if population else 0.0
        )  # of a finite population, a sample leaves only the rest unknown
        pool = np.array([page for each in seen for page in each.pages]).reshape(-1, columns)
        values = [_document(each, pool, draw) for each in seen]
        width = max((len(value) for value, _ in values), default=0)
        self._value: Numbers = np.zeros(width)
        self._resampled: Numbers = np.zeros((RESAMPLES, width))
        for place, (value, noise) in enumerate(values):
            self._value += value * population / n
            self._resampled += ((1 + loose * (times[:, place] - 1))[:, None] * value + noise) * population / n

    def total(self, column: int) -> Estimate:
        """Return the total of a column."""
        return self.of(self._value[column], self._resampled[:, column]) if len(self._value) else _NOTHING

    def share(self, column: int, of: int) -> Estimate:
        """Return one column's share of another; of nothing it is 0."""
        if not len(self._value) or not self._value[of]:
            return _NOTHING
        below = np.where(self._resampled[:, of] > 0, self._resampled[:, of], np.inf)
        return self.of(self._value[column] / self._value[of], self._resampled[:, column] / below, most=1.0)

    def weighted(self, weights: Sequence[float], start: int) -> Estimate:
        """Return the weighted sum of the columns from `start` on."""
        if not len(self._value):
            return _NOTHING
        columns = slice(start, start + len(weights))
        return self.of(self._value[columns] @ np.array(weights), self._resampled[:, columns] @ np.array(weights))

    @staticmethod
    def of(value: float, resampled: Numbers, most: float = np.inf) -> Estimate:
        """Return a value with the middle 95% of its resamples."""
        low, high = np.percentile(resampled, [_LOW, _HIGH])
        inside = (min(most, max(0.0, float(each))) for each in (min(low, value), max(high, value)))
        return Estimate(value=float(value), low=next(inside), high=next(inside))


def _document(seen: Seen, pool: Numbers, draw: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Return a document's columns, and how they would differ with other pages of it, a row a resample.

    Pages that were not seen may be unlike all that were: in a resample one in k + 1 is a page of any document (the rule of succession).
    """
    each, columns = np.array(seen.each), pool.shape[1]
    if not seen.pages:
        return np.concatenate([each, np.zeros(columns)]), np.zeros((RESAMPLES, len(each) + columns))
    pages = np.array(seen.pages)
    k, mean = len(pages), pages.mean(axis=0)
    noise = np.zeros((RESAMPLES, columns))
    if k < seen.page_count:
        foreign = draw.binomial(k, 1 / (k + 1), RESAMPLES)
        total = _drawn(pages, k - foreign, draw) + _drawn(pool, foreign, draw)
        noise = seen.page_count * np.sqrt(1 - k / seen.page_count) * (total / k - mean)
    return np.concatenate([each, seen.page_count * mean]), np.concatenate([np.zeros((RESAMPLES, len(each))), noise], axis=1)


def _drawn(pages: Numbers, times: NDArray[np.int64], draw: np.random.Generator) -> Numbers:
    """Return sums of pages drawn so many times each."""
    return draw.multinomial(times, np.full(len(pages), 1 / len(pages))) @ pages


_NOTHING = Estimate(value=0.0, low=0.0, high=0.0)
