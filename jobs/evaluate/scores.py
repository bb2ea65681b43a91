"""From judged answers to scores: over all, and by each trait that answers differ in."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np

from jobs.evaluate.bootstrap import Times, interval
from jobs.evaluate.boxes import mean_average_precision
from jobs.evaluate.judge import Case
from jobs.evaluate.report import By, Metric, Score

ALL = "all"


def scores(cases: Sequence[Case], *, resamples: int, seed: int) -> tuple[Score, ...]:
    """Return every metric of every task, over all and by each trait. The same cases and seed give the same scores."""
    found = []
    for task in sorted({case.task for case in cases}):
        ours = [case for case in cases if case.task == task]
        for by, group, members in _groups(ours):
            found += list(_of_group(task, by, group, members, resamples, seed))
    return tuple(found)


def _groups(cases: Sequence[Case]) -> Iterator[tuple[By, str, list[Case]]]:
    yield "all", ALL, list(cases)
    names = list(dict.fromkeys(name for case in cases for name, _ in case.traits))
    for name in names:
        members: dict[str, list[Case]] = defaultdict(list)
        for case in cases:
            for trait, value in case.traits:
                if trait == name:
                    members[value].append(case)
        for value in sorted(members):
            yield cast("By", name), value, members[value]


def _of_group(task: str, by: By, group: str, cases: list[Case], resamples: int, seed: int) -> Iterator[Score]:
    if any(case.found is not None for case in cases):
        yield from _score(task, by, group, "map50", cases, resamples, seed)
    for metric in dict.fromkeys(name for case in cases for name, _ in case.shares):
        yield from _score(task, by, group, cast("Metric", metric), cases, resamples, seed)


def _score(task: str, by: By, group: str, metric: Metric, cases: list[Case], resamples: int, seed: int) -> Iterator[Score]:
    measure = _Precision(cases) if metric == "map50" else _Ratio(cases, metric)
    value = measure(np.ones(len(cases), np.int64))
    if math.isnan(value):  # nothing of it is in truth, so there is nothing to be right about
        return
    documents = [case.document for case in cases]
    low, high = interval(documents, resamples, seed, measure)
    yield Score(
        task=task,
        by=by,
        group=group,
        metric=metric,
        value=value,
        low=value if math.isnan(low) else low,
        high=value if math.isnan(high) else high,
        answers=len(cases),
        documents=len(set(documents)),
        missing=sum(case.state == "missing" for case in cases),
        rejected=sum(case.state == "rejected" for case in cases),
    )


class _Ratio:
    """A sum of parts over a sum of wholes; of nothing but blank pages, every character said is one error too many."""

    def __init__(self, cases: Sequence[Case], metric: str) -> None:
        shares = [dict(case.shares)[metric] for case in cases]
        self._parts = np.array([part for part, _ in shares])
        self._wholes = np.array([whole for _, whole in shares])
        self._errors = metric in ("cer", "wer")

    def __call__(self, times: Times) -> float:
        whole = float(times @ self._wholes)
        if not whole and not self._errors:
            return math.nan
        return float(times @ self._parts) / max(whole, 1.0)


class _Precision:
    """Mean average precision of pages."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._pages = [case.found or () for case in cases]

    def __call__(self, times: Times) -> float:
        return mean_average_precision(self._pages, times)
