"""From a sample to the whole, with how far that may be off: documents are resampled, and of a document that was not wholly seen its pages.

The same for the same seed. Where the sample is the whole, nothing is off. Documents are few and a few of them are very long, where
plain percentiles promise too much: a total's resamples are studentized (bootstrap-t; Efron and Tibshirani 1993, chapter 12).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.plan import Estimate

RESAMPLES = 1000
_LOW, _HIGH = 2.5, 97.5
_LEAST_SPREAD = 0.2  # a resample without any of the long documents seems certain; measured in tests/bench/LOG.md
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
        self._times = draw.multinomial(n, np.full(n, 1 / n), RESAMPLES) if n else np.zeros((RESAMPLES, 0))
        # of a finite population, a sample leaves only the rest unknown
        self._loose = np.sqrt(1 - n / population) if population else 0.0
        self._grows = population / n if n else 0.0
        pool = np.array([page for each in seen for page in each.pages]).reshape(-1, columns)
        values = [_document(each, pool, draw) for each in seen]
        width = max((len(value) for value, _ in values), default=0)
        self._foreign_pages = _foreign(seen, population, draw)
        self._dearer = np.concatenate([np.zeros(width - columns), np.ptp(pool, axis=0)]) if len(pool) else np.zeros(width)
        self._values: Numbers = np.array([value for value, _ in values]).reshape(n, width)
        self._noise: Numbers = sum((noise for _, noise in values), np.zeros((RESAMPLES, width)))

    def total(self, column: int) -> Estimate:
        """Return the total of a column."""
        return self.weighted([1.0], column)

    def share(self, column: int, of: int) -> Estimate:
        """Return one column's share of another; of nothing it is 0."""
        total = self._values.sum(axis=0)
        if not len(self._values) or not total[of]:
            return _NOTHING
        resampled = ((1 + self._loose * (self._times - 1)) @ self._values + self._noise) * self._grows
        part, whole = resampled[:, column], np.maximum(resampled[:, of], 1e-9)
        foreign = self._foreign_pages
        return _estimate(total[column] / total[of], part / (whole + foreign), (part + foreign) / (whole + foreign), most=1.0)

    def weighted(self, weights: Sequence[float], start: int) -> Estimate:
        """Return the weighted sum of the columns from `start` on."""
        if not len(self._values):
            return _NOTHING
        columns = slice(start, start + len(weights))
        values, noise = self._values[:, columns] @ np.array(weights), self._noise[:, columns] @ np.array(weights)
        resampled = (values.sum() - self._loose * self._studentized(values) + noise) * self._grows
        dearer = self._dearer[columns] @ np.array(weights)
        return _estimate(values.sum() * self._grows, resampled, resampled + self._foreign_pages * dearer)

    def _studentized(self, values: Numbers) -> Numbers:
        """Return how far off the sum may be, a resample each: as many of its own deviations as the resample is of its."""
        n, spread = len(values), values.std()
        mean = self._times @ values / n
        spreads = np.sqrt(np.maximum(self._times @ values**2 / n - mean**2, 0.0))
        return (
            n * (mean - values.mean()) * spread / np.maximum(spreads, _LEAST_SPREAD * spread) if spread else np.zeros(RESAMPLES)
        )


def _estimate(value: float, lower: Numbers, upper: Numbers, most: float = np.inf) -> Estimate:
    """Return a value with 95% of what its resamples say, each end by its own."""
    ends = (min(float(np.percentile(lower, _LOW)), value), max(float(np.percentile(upper, _HIGH)), value))
    low, high = (min(most, max(0.0, end)) for end in ends)
    return Estimate(value=float(value), low=low, high=high)


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


def _foreign(seen: Sequence[Seen], population: int, draw: np.random.Generator) -> Numbers:
    """Return how many pages documents unlike all that were seen may have, a number a resample; they are as long as those that were.

    One of n + 1 of those not seen is taken to be so (the rule of succession again): a few scans among many drawn pages make all the work.
    """
    if not seen:
        return np.zeros(RESAMPLES)
    lengths = np.array([document.page_count for document in seen], float)
    how_many = draw.binomial(population - len(seen), 1 / (len(seen) + 1), RESAMPLES)
    return _drawn(lengths, how_many, draw)


def _drawn(pages: Numbers, times: NDArray[np.int64], draw: np.random.Generator) -> Numbers:
    """Return sums of pages drawn so many times each."""
    return draw.multinomial(times, np.full(len(pages), 1 / len(pages))) @ pages


_NOTHING = Estimate(value=0.0, low=0.0, high=0.0)
