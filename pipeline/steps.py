"""The steps of a run, over the ledger and the store that they share. In which order they go is the flow's business."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

import pyarrow as pa

from pipeline import cluster
from pipeline.budget import Budget
from pipeline.claim import Held
from pipeline.commit import Commits
from pipeline.conclude import UNJUDGED, rules_of
from pipeline.confidence import fingerprint, of_job
from pipeline.correction import Corrector
from pipeline.errors import WorkersLost
from pipeline.format import settle_format
from pipeline.inspection import Findings, Inspector, forget
from pipeline.interruption import kept, named, outlasted
from pipeline.ladder import stages, waiting
from pipeline.ledger import Ledger
from pipeline.listing import Manifest, in_shard, list_source, write_manifest
from pipeline.passes import MOST_LOSSES, Passes
from pipeline.passwords import passwords
from pipeline.places import Places
from pipeline.progress import Progress
from pipeline.publish import publish, sweep
from pipeline.questions import questions
from pipeline.redecode import Redecoder
from pipeline.register import incomplete
from pipeline.runs import Earlier, Runs
from pipeline.seal import Seal
from pipeline.selection import (
    NOTHING,
    Selected,
    gone,
    is_done,
    load_manifest,
    load_unreadable,
    select,
    select_climbing,
    select_kept,
    select_pages,
    select_unjudged,
    to_inspect,
    units,
    whole_documents,
)
from pipeline.shards import write_shards
from pipeline.storage import Store
from pipeline.tasks.kinds import misfits
from pipeline.where import pages_where
from pipeline.whole import parts
from pipeline.worker import Worker, climber
from schemas.arrow import from_table
from schemas.job import Job
from schemas.run import RunKind, RunOptions, RunRecord, RunSummary
from schemas.unit import Reject, Unit

OBJECTS_PER_BLOCK = 16


@dataclass(slots=True)
class Steps:
    """One run on its way: its steps, and what it has to say at the end."""

    job: Job
    options: RunOptions
    progress: Progress
    run_id: str
    store: Store
    places: Places
    ledger: Ledger
    held: Held
    kind: RunKind = "run"
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    objects_listed: int = 0
    documents_retried: int = 0
    where: str | None = None
    manifest: Manifest | None = None
    objects_deleted: int = 0
    selected: Selected = NOTHING
    _todo: Selected = field(default=NOTHING, init=False)
    was_interrupted: bool = False
    earlier: Earlier = field(default_factory=Earlier)
    runs: Runs = field(init=False)
    _select: Callable[[], Selected] = field(init=False)
    findings: Findings = field(init=False)
    commits: Commits = field(init=False)
    budget: Budget = field(init=False)
    sealed: Seal = field(init=False)

    def begin(self) -> None:
        """Refuse what cannot be done before anything starts, and leave a record of the run."""
        questions(self.job)
        self.budget = Budget(self.job.stop)
        settle_format(self.store, self.places, self.job.sink)
        self.runs = Runs(self.store, self.places)
        self.sealed = Seal(self.store, self.places, self.job, backfill=self.options.backfill)
        self.findings = Findings(self.ledger, self.progress)
        self.commits = Commits(self.ledger, self.job, self.progress, self.held.check)
        record = RunRecord(
            run_id=self.run_id,
            job=self.job,
            options=self.options,
            started_at=self.started_at,
            pagemill_version=version("pagemill"),
            confidence_model=fingerprint(of_job(self.job)),
            kind=self.kind,
        )
        self.runs.begin(record)
        self.earlier = self.runs.earlier(self.job, self.run_id)
        for warning in misfits(self.job):
            self.progress.note(warning)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let Ctrl-C and the job's own limits end the steps inside, and go on with what is done."""
        try:
            with kept(), self.budget.deadline(), named():
                yield
        except KeyboardInterrupt:
            self.was_interrupted = True

    def list_objects(self) -> None:
        """List the source into manifest shards."""
        self.progress.phase("list")
        objects = list_source(
            self.job.source,
            shard=self.job.workers.shard_of,
            limit=self.options.limit,
            sample=self.options.sample,
            seed=self.options.seed,
            sink_uri=self.job.sink.uri,
        )
        self.manifest = write_manifest(objects, self.store, self.places.runs(self.run_id, "manifest"))
        self.objects_listed = self.manifest.objects
        self.progress.listed(self.objects_listed)

    def is_finished(self) -> bool:
        """Return whether it is certain at a glance that nothing is left to do."""
        return not self.earlier.killed and self.manifest is not None and self.sealed.holds(self.manifest.digest, self.ledger)

    def compare(self) -> None:
        """Load the ledger and what is listed beside it, and note what is no longer there."""
        self.ledger.reload()
        if self.manifest is None:
            return
        load_manifest(self.ledger, self.store, self.manifest.shards)
        if not self._is_pilot():
            missed = (known for known in gone(self.ledger, self.job.name) if in_shard(known.uri, self.job.workers.shard_of))
            self.objects_deleted = forget(self.ledger, missed, self.run_id)

    def list_unreadable(self) -> None:
        """Take the job's documents that could not be opened as what is listed: a limit or a password may be another now."""
        self.ledger.reload()
        self.objects_listed = self.documents_retried = load_unreadable(self.ledger, self.job.name)

    def inspect(self, *, again: bool = False) -> None:
        """Read every listed object that the ledger does not know in this version, or, with `again`, that could not be opened.

        Where a node is lost, what it had in hand is looked at again: what kills its reader kills no worker, so nobody is suspected.
        """
        for loss in range(1, MOST_LOSSES + 1):
            try:
                self._inspect(again=again)
            except WorkersLost as error:
                if loss == MOST_LOSSES:
                    raise
                self.progress.note(f"{error}; what was not looked at yet is looked at again")
                self.findings.left.clear()  # that too
                self.ledger.fold()
            else:
                return

    def _inspect(self, *, again: bool) -> None:
        shards = write_shards(self.store, self.places.runs(self.run_id, "new"), to_inspect(self.ledger, again=again))
        if not shards.rows:
            return
        self.progress.phase("inspect")
        cluster.connect(self.job.workers)
        found = cluster.stream(
            shards,
            Inspector,
            (self.job, self.run_id, passwords(self.job.source)),
            rows_per_block=OBJECTS_PER_BLOCK,
            pool=cluster.Pool(actors=cluster.cores(self.job.workers)),
        )
        with closing(found), self.findings:
            for inspection in found:
                self.findings.add(inspection)

    def select(self) -> None:
        """Work out the units whose rows the ledger lacks."""
        tasks, backfill = self._fingerprints(), self.options.backfill
        self._choose(partial(select, self.ledger, tasks=tasks, job_name=self.job.name, backfill=backfill))

    def select_where(self, where: str) -> None:
        """Choose this job's pages of which an expression over their rows holds; they are asked everything anew."""
        self.where = where
        self.ledger.reload()
        pages = pages_where(self.job.sink.uri, where)
        self._choose(
            partial(select_pages, self.ledger, pages, run_id=self.run_id, job_name=self.job.name, tasks=self._fingerprints())
        )

    def select_kept(self) -> None:
        """Choose all pages that this job has read, to be decoded again."""
        self.ledger.reload()
        self._choose(partial(select_kept, self.ledger, job_name=self.job.name, run_id=self.run_id))

    def select_corrected(self, corrector: Corrector) -> None:
        """Choose the pages that a person corrected."""
        self.ledger.reload()
        pages = whole_documents(self.ledger, corrector.pages()) if corrector.is_of_documents else corrector.pages()
        self._choose(partial(select_pages, self.ledger, pages, run_id=self.run_id, job_name=self.job.name, tasks=()))

    def correct(self, corrector: Corrector) -> None:
        """Put a person's words into the chosen pages' rows, here and now: that is less work than starting workers."""
        with self.commits:
            for part in corrector.parts(self._chosen(), self.store, self.places, self.run_id):
                self.commits.add(part)
        if corrector.missed:
            message = (
                f"{corrector.missed} corrected pages are not there: their objects have changed, or this job has not read them"
            )
            self.progress.note(message)
        for said in corrector.stale:
            self.progress.note(f"not corrected: {said}")

    def conclude(self) -> None:
        """Hold the pages of documents against one another that were read in parts, once all are there; here and now, as it is little work."""
        rules = rules_of(self.job.tasks, of_job(self.job))
        if not rules.are_of_documents:
            return
        self.ledger.fold()
        found = select_unjudged(self.ledger, mark=UNJUDGED, job_name=self.job.name)
        if not found.units:
            return
        self.selected = self.selected if self.selected.units else found
        with self.commits:
            for part in parts(self._chosen(), rules, self.store, self.places, self.run_id):
                self.commits.add(part)

    def read(self) -> None:
        """Send the units through the workers, and commit what they stage; then what is left to climb, a checkpoint at a time."""
        if self._todo.units:
            self._passes(Worker).run(self.earlier.killed)
        for stage in stages(self.job)[1:]:
            self._climb(stage.number)

    def decode_again(self) -> None:
        """Make the units' rows anew from the completions that they keep."""
        if self._todo.units:
            self._passes(Redecoder).run(self.earlier.killed)

    def _chosen(self) -> list[Unit]:
        """Return the selected units: whole, as every commit changes the ledger under the query."""
        return [unit for batch in units(self.ledger) for unit in from_table(pa.Table.from_batches([batch]), Unit)]

    def _climb(self, stage: int) -> None:
        """Send what waits for a stage of the ladder to the checkpoint that answers there."""
        marks = [waiting(fingerprint, stage) for fingerprint in self._fingerprints()]
        self._select = partial(select_climbing, self.ledger, marks=marks, job_name=self.job.name)
        self.ledger.fold()
        found = self._select()
        if found.units:
            self.selected = self.selected if self.selected.units else found
            self._passes(climber(stage)).run()

    def _choose(self, choose: Callable[[], Selected]) -> None:
        self._select = choose
        self.ledger.fold()
        self._todo = choose()
        self.selected += self._todo
        self.progress.selected(self._todo.pages)

    def _passes(self, worker: Callable[..., object]) -> Passes:
        return Passes(
            self.job,
            self.run_id,
            self.store,
            self.places,
            self.ledger,
            self.commits,
            self.budget,
            self.progress,
            self._select,
            self._publish,
            worker,
        )

    def _publish(self) -> None:
        publish(self.ledger, self.store, self.places, self.run_id)

    def _fingerprints(self) -> list[str]:
        return [question.fingerprint for question in questions(self.job)]

    def publish(self) -> None:
        """Make the datasets say what is committed. It is short, and who presses Ctrl-C meanwhile is told that what is done is published."""
        was_told = self.was_interrupted and self.budget.spent is None  # that once more ends it at once
        with outlasted(0 if was_told else 1) as came:
            self.progress.phase("publish")
            self._publish()
            ended, killed = {self.run_id, *self.earlier.ended}, self.earlier.killed
            sweep(self.ledger, self.store, self.places, ended, killed)
            if not self.was_interrupted:
                for run_id in killed:
                    self.runs.bury(run_id)
        self.was_interrupted |= bool(came)

    def seal(self) -> None:
        """Let the next run see at a glance that nothing is left, where that is so."""
        if self.manifest is None or self._is_pilot() or self.was_interrupted or self.findings.left or self.commits.left:
            return
        tasks = self._fingerprints()
        marks = [UNJUDGED, *(waiting(task, stage.number) for stage in stages(self.job)[1:] for task in tasks)]
        if is_done(self.ledger, tasks=tasks, marks=marks, job_name=self.job.name, backfill=self.options.backfill):
            self.sealed.press(self.manifest.digest, self.ledger)

    def end(self) -> RunSummary:
        """Sum the run up, and leave the summary beside its record."""
        pages, left = self.commits.pages, [*self.findings.left, *(left.failure for left in self.commits.left)]
        summary = RunSummary(
            run_id=self.run_id,
            job_name=self.job.name,
            kind=self.kind,
            where=self.where,
            shard=self.job.workers.shard,
            sink_uri=self.job.sink.uri,
            sink_format=self.job.sink.format,
            started_at=self.started_at,
            ended_at=datetime.now(UTC),
            objects_listed=self.objects_listed,
            objects_known=self.objects_listed - self.findings.inspected - len(self.findings.left),
            objects_inspected=self.findings.inspected,
            documents_unreadable=self.findings.unreadable,
            documents_retried=self.documents_retried,
            objects_deleted=self.objects_deleted,
            units_selected=self.selected.units,
            pages_selected=self.selected.pages,
            pages_ok=pages["o"],
            pages_blank=pages["b"],
            pages_partial=pages["p"],
            pages_failed=pages["f"],
            fields=self.commits.fields,
            left=len(left),
            left_reasons=tuple(sorted({f"{failure.code}: {failure.message}" for failure in left})[:10]),
            interrupted=self.was_interrupted,
            stopped=self.budget.spent,
            engine=self.commits.engine,
            tally=self.commits.tally,
            witnessed=self.commits.witnessed,
            store_retries=self.store.retries + self.findings.store_retries + self.commits.tally.store_retries,
            rejects=(*self.findings.rejects, *self.commits.rejects, *self._incomplete()),
            max_reject_rate=self.job.accept.max_reject_rate,
        )
        self.runs.end(summary)
        return summary

    def _incomplete(self) -> tuple[Reject, ...]:
        """Return what was left out of documents; of a job that is found finished at a glance, nothing, as no ledger is loaded."""
        return incomplete(self.ledger, self.started_at) if self.ledger.loaded else ()

    def _is_pilot(self) -> bool:
        return self.options.limit is not None or self.options.sample is not None
