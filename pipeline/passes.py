"""The passes over what is selected: all of it in groups, then what was in flight when a worker died alone, then that by halves.

A pass is one Ray Data job. Nearly every run needs only the first.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pyarrow as pa

from pipeline import cluster
from pipeline.budget import Budget
from pipeline.commit import Commits
from pipeline.errors import PagemillError, RowsMoved, WorkersLost
from pipeline.ledger import Ledger
from pipeline.overlay import combine, readdressed
from pipeline.passwords import passwords
from pipeline.places import Places
from pipeline.prior import prior_rows
from pipeline.progress import Progress
from pipeline.questions import questions
from pipeline.selection import is_selected, units
from pipeline.settle import Answered, Circumstances, PageFacts, rows
from pipeline.shards import write_shards
from pipeline.staging import Part
from pipeline.storage import Store
from pipeline.suspects import Suspects
from schemas.arrow import to_table
from schemas.job import Job
from schemas.page import Failure
from schemas.unit import StagedPart, Tally, Unit

UNITS_PER_BLOCK, UNITS_PER_GPU_BLOCK = 8, 16
MOST_LOSSES = 10  # a run whose workers die of everything is ended, and says so
MOST_MOVES = 3  # whoever shares the sink may publish once more meanwhile, but hardly each time
DEATHS_TO_REJECT = 3
SECONDS_PER_PUBLICATION = 1800.0


class Passes:
    """The passes of one run."""

    def __init__(
        self,
        job: Job,
        run_id: str,
        store: Store,
        places: Places,
        ledger: Ledger,
        commits: Commits,
        budget: Budget,
        progress: Progress,
        select: Callable[[], object],
        publish: Callable[[], None],
        worker: Callable[..., object],
    ) -> None:
        """Take what a run works with; `select` works the table `todo` out anew, and `worker` is what units are sent to."""
        self._publish, self._published_s = publish, time.monotonic()
        self._worker = worker
        self._job, self._run_id, self._store, self._places = job, run_id, store, places
        self._ledger, self._commits, self._budget = ledger, commits, budget
        self._progress, self._select = progress, select
        self._questions = questions(job)
        self._suspects = Suspects(store, places)
        self._numbers = count()
        self._deaths_at_nothing = 0

    def run(self, dead: Iterable[str] = ()) -> None:
        """Read all that is selected. Raises WorkersLost where workers die of more than can be found out one by one.

        `dead` names earlier runs of this job that were killed: what they had in flight is suspected.
        """
        self._suspects.remember(dead)
        try:
            self._read_all()
            for _ in range(MOST_MOVES):
                if not (moved := self._commits.forgive(RowsMoved.__name__)):
                    break
                self._progress.note(f"the rows of {moved} units of pages were moved by a publication: they are selected anew")
                self._ledger.reload()
                self._select()
                self._read_all()
        except (KeyboardInterrupt, PagemillError):  # a checkpoint that is refused, a store out of reach
            self._suspects.acquit(self._run_id)  # what was in flight did nothing wrong
            raise

    def _read_all(self) -> None:
        self._read_together()
        self._read_alone()
        self._read_by_halves()

    def _read_together(self) -> None:
        block = UNITS_PER_GPU_BLOCK if self._job.workers.gpus else UNITS_PER_BLOCK
        for _ in range(MOST_LOSSES):
            if self._survives(units(self._ledger, but=[*self._suspects, *self._commits.given_up]), block):
                return
            self._look_again()
        raise WorkersLost(f"workers died {MOST_LOSSES} times over; their logs say why, and the next run goes on from here")

    def _read_alone(self) -> None:
        """Try each suspect in a group of its own; those that were in flight at a death once more are left to the halving."""
        self._look_again()
        untried = [unit for unit in self._suspects if not self._suspects.deaths(unit)]
        while untried and not self._survives(_batches(untried), 1, calls=1):
            self._look_again()
            untried = [unit for unit in self._suspects if not self._suspects.deaths(unit)]
        self._look_again()

    def _read_by_halves(self) -> None:
        """Try what is left with one worker, one at a time: whatever is in flight at a death has caused it, in this run or in one before."""
        while len(self._suspects):
            self._suspects.halve_guilty()
            self._look_again()  # an earlier run may have read one of the halves
            for unit in self._suspects:
                if self._suspects.is_guilty(unit) and self._suspects.deaths(unit) >= DEATHS_TO_REJECT:
                    self._reject(unit)
            self._survives(_batches(self._suspects), 1, actors=1, calls=1, restarts=0)
            self._look_again()

    def _survives(self, batches: Iterable[pa.RecordBatch], units_per_block: int, **changes: int) -> bool:
        """Send units through the workers, commit what they stage, and return whether the workers lived through it.

        `changes` are to the job's pool, which is asked for only when there is work: an unchanged source needs no Ray.
        """
        shards = write_shards(self._store, self._places.runs(self._run_id, "units", str(next(self._numbers))), batches)
        if not shards.rows:
            return True
        self._progress.phase("read")
        cluster.connect(self._job.workers)
        pool = replace(cluster.pool_for(self._job), **changes)
        arguments = (self._job, self._run_id, passwords(self._job.source))
        staged = cluster.stream(shards, self._worker, arguments, rows_per_block=units_per_block, pool=pool)
        try:
            with closing(staged), self._commits:
                for text in staged:
                    spent = self._commits.tally  # before this part: a budget that just sufficed ends nothing
                    self._commits.add(StagedPart.model_validate_json(text))
                    self._budget.check(spent)
                    self._publish_now_and_then()
        except WorkersLost as error:
            self._progress.note(f"{error}; what was in flight is tried again apart from the rest")
            self._deaths_at_nothing = 0 if self._suspects.note(self._run_id) else self._deaths_at_nothing + 1
            if self._deaths_at_nothing == MOST_LOSSES:
                raise WorkersLost(
                    f"{error}, {MOST_LOSSES} times before any had begun with a page; their logs say why"
                ) from error
            return False
        return True

    def _publish_now_and_then(self) -> None:
        """Let readers of a long run see what is done, and keep the records that a resume must read few."""
        if time.monotonic() - self._published_s > SECONDS_PER_PUBLICATION:
            self._commits.flush()
            self._publish()
            self._published_s = time.monotonic()

    def _look_again(self) -> None:
        """Select anew, and strike off the suspects that are done."""
        self._ledger.fold()
        self._select()
        for unit in self._suspects:
            if not is_selected(self._ledger, unit) or self._commits.has_left(unit):
                self._suspects.clear(unit)

    def _reject(self, unit: Unit) -> None:
        """Write the row of a page that kills its worker every time."""
        message = (
            f"the worker died of this page {DEATHS_TO_REJECT} times, working on nothing else; `pagemill rerun` tries it again"
        )
        note = Failure(stage="infer", code="worker_died", message=message)
        now = datetime.now(UTC)
        facts, given = PageFacts(unit.first_page, is_lost=True, notes=(note,)), Circumstances(self._job.name, self._run_id, now)
        answers = [Answered(question.ask, question.fingerprint, ()) for question in self._questions]
        part = Part(self._store, self._places, self._run_id, [unit])
        prior = prior_rows(self._store, self._places, unit).get(unit.first_page)
        tasks = {*(unit.prior.tasks if unit.prior else ()), *(question.fingerprint for question in self._questions)}
        jobs = {*(unit.prior.jobs if unit.prior else ()), self._job.name}
        for origin in unit.origins:
            made = rows(facts, answers, origin, unit.document_id, given, seconds=0.0)
            if prior is not None:
                made = combine(
                    readdressed(prior, origin, given), made, frozenset(question.ask.key for question in self._questions)
                )
            part.add(unit, origin, made, tasks=sorted(tasks), jobs=sorted(jobs))
        with self._commits:
            self._commits.add(part.stage(Tally(), None, now))
        self._suspects.clear(unit)


def _batches(chosen: Iterable[Unit]) -> list[pa.RecordBatch]:
    return list(to_table(list(chosen), Unit).to_batches())
