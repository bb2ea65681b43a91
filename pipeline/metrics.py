"""What workers tell Prometheus, through Ray's exporter; the one module besides cluster.py that knows Ray.

Names and labels are part of what operators build on: deploy/monitoring/grafana.json reads them, with Ray's prefix `ray_` before each.
Ray adds which node and which worker said it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from schemas.unit import StagedPart

_STATUSES = {"o": "ok", "b": "blank", "p": "partial", "f": "failed"}


class Metrics:
    """One worker's counters."""

    def __init__(self, job_name: str) -> None:
        """Declare them. Prometheus sees each with its first count only: a rate misses the first group of a worker."""
        from ray.util.metrics import Counter, Gauge

        job = {"job_name": job_name}
        self._lock, self._groups, self._busy_s = Lock(), 0, 0.0
        self._pages = Counter("pagemill_pages_total", "Pages of source objects whose rows were staged.", ("job_name", "status"))
        self._rejects = Counter("pagemill_rejects_total", "Failures noted in rows.", ("job_name", "stage", "code"))
        self._requests = Counter("pagemill_requests_total", "Requests that the engine answered, by rung.", ("job_name", "rung"))
        self._tokens = Counter("pagemill_tokens_total", "Tokens that the engine wrote.", ("job_name",))
        self._busy = Counter(
            "pagemill_engine_busy_seconds_total", "Seconds in which the engine had anything to do.", ("job_name",)
        )
        self._seconds = Counter("pagemill_group_seconds_total", "Seconds that groups of units took in all.", ("job_name",))
        self._retries = Counter("pagemill_engine_restarts_total", "Engines started again because one had died.", ("job_name",))
        self._store_retries = Counter(
            "pagemill_store_retries_total", "Requests to the store that failed in passing and were made again.", ("job_name",)
        )
        self._left = Counter("pagemill_units_left_total", "Units given up until the next run.", ("job_name", "code"))
        self._in_hand = Gauge(
            "pagemill_groups_in_hand", "Groups of units that a worker has taken up and not yet staged.", ("job_name",)
        )
        for metric in (self._pages, self._rejects, self._requests, self._tokens, self._busy, self._seconds, self._retries):
            metric.set_default_tags(job)
        self._store_retries.set_default_tags(job)
        self._left.set_default_tags(job)
        self._in_hand.set_default_tags(job)
        self._in_hand.set(0)

    @contextmanager
    def in_hand(self) -> Iterator[None]:
        """Count a group as taken up; calls come from several threads."""
        self._add(1)
        try:
            yield
        finally:
            self._add(-1)

    def staged(self, part: StagedPart, busy_s: float) -> None:
        """Count what a group came to; the engine has been busy for `busy_s` since it was first asked."""
        statuses = "".join(outcome.statuses for outcome in part.outcomes)
        for letter, status in _STATUSES.items():
            _inc(self._pages, statuses.count(letter), status=status)
        for reject in part.rejects:
            _inc(self._rejects, reject.count, stage=reject.stage, code=reject.code)
        for left in part.left:
            _inc(self._left, 1, code=left.failure.code)
        for rung, requests in enumerate(part.tally.rungs):
            _inc(self._requests, requests, rung=str(rung))
        _inc(self._tokens, part.tally.tokens)
        with self._lock:
            _inc(self._busy, busy_s - self._busy_s)
            self._busy_s = busy_s
        _inc(self._seconds, part.tally.seconds)
        _inc(self._retries, part.tally.retries)
        _inc(self._store_retries, part.tally.store_retries)

    def _add(self, groups: int) -> None:
        with self._lock:
            self._groups += groups
            self._in_hand.set(self._groups)


def _inc(counter: object, by: float, **tags: str) -> None:
    if by > 0:  # Ray refuses zero
        counter.inc(by, tags=tags)  # type: ignore[attr-defined]
