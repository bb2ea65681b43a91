"""What earlier runs of a job tell of the next: how much climbed each rung, and how long answers were. Only runs that asked the same count.

Reruns do not: pages that were chosen are not like the others.
"""

from dataclasses import dataclass

from pipeline.runs import Runs
from schemas.job import Job
from schemas.unit import Tally

CLIMBING = 0.1
"""The share of tasks that is taken to climb a rung where no run tells."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What runs asked, summed; `runs` of them. Without any, all is 0."""

    runs: int
    tally: Tally

    def climbed(self, rung: int) -> float | None:
        """Return the requests of a rung for each request of the first, where that is known."""
        rungs = self._asking()
        return rungs[rung] / rungs[0] if rung < len(rungs) and rungs[0] else None if not self.tally.requests else 0.0

    def verified(self) -> float | None:
        """Return how many places were read again for each request of the first rung, where that is known."""
        rungs = self._asking()
        return self.tally.verified / rungs[0] if rungs and rungs[0] else None

    def tokens(self) -> float | None:
        """Return the tokens of an answer on average, where that is known."""
        return self.tally.tokens / self.tally.requests if self.tally.requests else None

    def _asking(self) -> tuple[int, ...]:
        """Return the requests of each rung but for those that read places again, which are all of the last."""
        rungs = self.tally.rungs
        return (*rungs[:-1], rungs[-1] - self.tally.verified) if rungs else ()


def earlier(runs: Runs, job: Job) -> Earlier:
    """Return what the job's runs of this sink asked, as far as they asked what it asks now."""
    same = {each.run_id for each in runs.begun() if _asks(each.job) == _asks(job)}
    tallies = [each.tally for each in runs.ended() if each.run_id in same and each.kind == "run" and each.tally.requests]
    return Earlier(len(tallies), sum(tallies, Tally()))


def _asks(job: Job) -> tuple[object, ...]:
    model = job.model
    return job.name, job.render, job.tasks, model.checkpoint, model.revision, model.adapter, model.engine
