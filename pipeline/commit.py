"""Commit: the driver records staged parts, a few at a time, as they come. With the record their rows count, and are never made again."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from pipeline.ladder import is_final
from pipeline.ledger import Ledger
from pipeline.progress import Progress
from schemas.job import Job
from schemas.unit import Left, Reject, StagedPart, Tally, Unit
from schemas.witness import Witnessed

PARTS_PER_COMMIT = 64
SECONDS_PER_COMMIT = 5.0


class Commits:
    """What a run has committed so far, in numbers, and the parts that wait for the next record.

    As a context manager it records the rest at the end, whatever ended it.
    """

    def __init__(self, ledger: Ledger, job: Job, progress: Progress, check: Callable[[], None]) -> None:
        """Take what raises once the job's claim is lost: another run of it may then have seen to the same pages."""
        self._ledger, self._job, self._progress, self._check = ledger, job, progress, check
        self._waiting: list[StagedPart] = []
        self._last = time.monotonic()
        self._rejects: dict[tuple[str, str], Reject] = {}
        self.pages = dict.fromkeys("obpf", 0)
        self.fields = 0
        self.left: list[Left] = []
        self.tally = Tally()
        self.witnessed = Witnessed()
        self.engine: str | None = None

    @property
    def rejects(self) -> tuple[Reject, ...]:
        """Return each kind of failure so far, commonest first."""
        return tuple(sorted(self._rejects.values(), key=lambda reject: (-reject.count, reject.stage, reject.code)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.flush()

    def add(self, part: StagedPart) -> None:
        """Take a staged part, and write a record when enough wait or the last one is long ago."""
        self._waiting.append(part)
        if len(self._waiting) >= PARTS_PER_COMMIT or time.monotonic() - self._last > SECONDS_PER_COMMIT:
            self.flush()

    @property
    def given_up(self) -> list[Unit]:
        """Return the units that are left for the next run."""
        return [left.unit for left in self.left]

    def has_left(self, unit: Unit) -> bool:
        """Return whether a unit was given up for this run."""
        return unit in self.given_up

    def forgive(self, code: str) -> int:
        """Take back that units were left for this reason, and return how many: they are tried once more."""
        kept = [left for left in self.left if left.failure.code != code]
        forgiven, self.left = len(self.left) - len(kept), kept
        return forgiven

    def flush(self) -> None:
        """Write a record of whatever waits."""
        self._check()
        parts = tuple(self._waiting)
        self._ledger.commit(parts, job_name=self._job.name, at=datetime.now(UTC))
        self._waiting.clear()  # not before: what an interrupt kept from being recorded is recorded at the end; twice counts once
        self._last = time.monotonic()
        for part in parts:
            self._count(part)

    def _count(self, part: StagedPart) -> None:
        final = [outcome for outcome in part.outcomes if is_final(outcome.tasks)]  # others are counted once they have climbed
        statuses = "".join(outcome.statuses for outcome in final)
        for status in self.pages:
            self.pages[status] += statuses.count(status)
        self.fields += part.n_fields
        self.left.extend(part.left)
        self.tally += part.tally
        self.witnessed += part.witnessed
        self.engine = part.engine or self.engine
        for reject in part.rejects:
            key = (reject.stage, reject.code)
            count = reject.count + (self._rejects[key].count if key in self._rejects else 0)
            self._rejects[key] = self._rejects.get(key, reject).model_copy(update={"count": count})
        ended = sum(1 for outcome in final if outcome.first_page == 0)
        self._progress.committed(len(statuses), statuses.count("p") + statuses.count("f"), ended)
