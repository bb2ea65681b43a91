"""The one step of a pass: fetch, render, infer, decode, settle and stage, for a group of units.

Rows go to a staged part of their own; only a short report of it travels back. What cannot be had at all now (the store out of
reach) is reported as left, without a row, so that it is never taken for done.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import groupby, islice
from queue import Empty, LifoQueue

import pyarrow as pa

from pipeline.ascent import Ascent, Asked, by_view, first_prompts
from pipeline.cache import DocumentCache
from pipeline.columns import has_invalid_cells
from pipeline.conclude import Finished, rules_of, together
from pipeline.confidence import of_job
from pipeline.desk import Desk
from pipeline.documents.child import Turn
from pipeline.engines.start import start
from pipeline.errors import DocumentError, StorageError
from pipeline.ladder import stages, waiting
from pipeline.metrics import Metrics
from pipeline.places import Places
from pipeline.prior import prior_rows
from pipeline.questions import Question, mask_decoder, questions, still_answered
from pipeline.readings import in_need, read, record
from pipeline.serving import Meter, Serving
from pipeline.settle import TEXT_LAYER_KEYS, Circumstances, PageFacts, Rows, facts_of
from pipeline.staging import Part
from pipeline.storage import open_store
from pipeline.storage.retries import NewRetries
from pipeline.tasks.base import Ask
from pipeline.unsettled import Beside, Least, why_unsettled
from pipeline.verification import verifier
from schemas.arrow import from_table
from schemas.job import Job, Rung
from schemas.page import Failure
from schemas.unit import StagedPart, Tally, Unit
from schemas.view import Request

TURNS: tuple[Turn, ...] = (180, 90, 270)
"""Scans that lie on their side are nearly always told by their picture; those on their head are missed now and then."""
PAGES_AT_ONCE = 16  # pages whose views wait for the engine together: at 896 pixels 38 MB


class Worker:
    """The worker of a pass, which climbs one stage of the ladder; calls may come from several threads, and share one engine."""

    def __init__(self, job: Job, run_id: str, passwords: Sequence[str], serving: Serving | None = None, stage: int = 0) -> None:
        self._job, self._run_id, self._passwords = job, run_id, tuple(passwords)
        self._stage, self._is_last = stages(job)[stage], stage == len(stages(job)) - 1
        self._places, self._sink = Places(job.sink.uri), open_store(job.sink.uri)
        source = open_store(job.source.uri)
        self._cache, self._retries = DocumentCache(source), NewRetries(source, self._sink)
        self._questions = questions(job, mask_decoder(job))
        self._confidence = of_job(job)
        self._least = Least(job.confidence.settle, job.confidence.settle_text)
        self._rules = rules_of(job.tasks, self._confidence)
        longest = max(question.ask.max_tokens for question in self._questions)
        begin = partial(start, max_tokens=longest, gpu_share=min(1.0, job.workers.gpus_per_worker))
        self._serving = serving or Serving(self._stage.model, self._stage.resolution, begin)
        self._desks: LifoQueue[Desk] = LifoQueue()
        self._metrics = Metrics(job.name)

    def __call__(self, units: pa.Table) -> pa.Table:
        """Work on a block of units (columns of schemas.unit.Unit) and return one StagedPart as JSON."""
        desk = self._desk()
        try:
            with self._metrics.in_hand():
                staged = self.work(from_table(units, Unit), desk)
        finally:
            self._desks.put(desk)
        self._metrics.staged(staged, self._serving.busy_s)
        return pa.table({"staged": [staged.model_dump_json()]})

    def work(self, units: Sequence[Unit], desk: Desk) -> StagedPart:
        """Read the units' pages, stage their rows, and return the report of it."""
        started, processed_at, meter = time.monotonic(), datetime.now(UTC), Meter()
        part = Part(self._sink, self._places, self._run_id, units)
        pages, finished = self._pages(units, desk, part), list[Finished]()
        while chunk := list(islice(pages, PAGES_AT_ONCE)):
            self._be_ready(chunk, part)
            began = time.monotonic()
            for index, rung in self._stage.rungs:
                self._ask(chunk, index, rung, desk, meter, part)
            if self._is_last:
                self._turn(chunk, desk, meter, part)
            self._verify(chunk, processed_at, desk, meter)
            finished += self._finished(chunk, processed_at, (time.monotonic() - began) / len(chunk))
        for page in together(finished, self._rules):
            part.add(page.unit, page.origin, page.rows, tasks=page.tasks, jobs=page.jobs)
        tally = Tally(
            requests=meter.requests,
            rungs=tuple(meter.rungs),
            verified=meter.verified,
            tokens=meter.tokens,
            engine_seconds=meter.seconds,
            seconds=time.monotonic() - started,
            retries=meter.restarts,
            store_retries=self._retries.take(),
        )
        engine = self._serving.engine
        return part.stage(tally, engine.name if engine else None, processed_at)

    def close(self) -> None:
        """End the engine and the processes that read documents."""
        self._serving.close()
        while not self._desks.empty():
            self._desks.get().close()

    def _desk(self) -> Desk:
        try:
            return self._desks.get_nowait()
        except Empty:
            return Desk(self._job, self._cache, self._passwords)

    def _pages(self, units: Iterable[Unit], desk: Desk, part: Part) -> Iterator[Ascent]:
        for unit in units:
            try:
                yield from self._pages_of(unit, desk)
            except StorageError as error:
                part.leave(unit, Failure(stage="fetch", code=type(error).__name__, message=str(error)))

    def _pages_of(self, unit: Unit, desk: Desk) -> Iterator[Ascent]:
        """Turn the unit's pages over, each with the first rung's views while its document lies open."""
        known = prior_rows(self._sink, self._places, unit)
        asked = self._asked(unit)
        for page_index in range(unit.first_page, unit.first_page + unit.n_pages):
            prior = known.get(page_index)
            facts = self._known_facts(prior, asked) or desk.look(unit, page_index)
            page = Ascent(unit, facts, asked, prior)
            if prior and self._stage.number:
                self._take_up(page, prior)
            self._show(page, self._stage.rungs[0][1], desk)
            yield page

    def _be_ready(self, pages: Sequence[Ascent], part: Part) -> None:
        """Start the engine before anything is asked of it; what kills a worker meanwhile, the weights for one, is no page."""
        if not self._serving.is_up and any(page.views and self._unsettled(page) for page in pages):
            with part.set_down():
                self._serving.start()

    def _asked(self, unit: Unit) -> tuple[Question, ...]:
        """Return what a unit's rows lack, or, on a later stage, what waits for it."""
        done = frozenset(unit.prior.tasks) if unit.prior else frozenset()
        if self._stage.number:
            return tuple(each for each in self._questions if waiting(each.fingerprint, self._stage.number) in done)
        return tuple(question for question in self._questions if question.fingerprint not in done)

    def _take_up(self, page: Ascent, prior: Rows) -> None:
        """Go on from what the stages below said."""
        for question in page.asked:
            said = [
                item for item in prior.page.completions if item.task == question.ask.key and item.prompt in question.ask.prompts
            ]
            page.records[question.ask.key] = said
            page.spent += len(said)

    def _known_facts(self, prior: Rows | None, asked: Sequence[Question]) -> PageFacts | None:
        """Return what the page's rows say of it, unless the page must be opened again to answer: it was lost, or its text is asked anew."""
        if prior is not None and self._stage.number:
            return facts_of(prior.page)
        if prior is None or (asked and prior.page.width_pt is None):
            return None
        return None if any(question.ask.key in TEXT_LAYER_KEYS for question in asked) else facts_of(prior.page)

    def _show(self, page: Ascent, rung: Rung, desk: Desk, turn_deg: Turn = 0) -> None:
        """Render what the rung shows of a page that is not settled: the parts that need it, or the whole page, turned if so asked."""
        page.views = []
        unsettled = self._unsettled(page)
        if not unsettled and not turn_deg:
            return
        known = {} if turn_deg else page.records
        page.needs = {
            each.ask.key: in_need(each.ask, said, self._least.text) if (said := known.get(each.ask.key)) else None
            for each in unsettled
        }
        parts, unopened = page.parts(), desk.lay(page.unit)
        try:
            if not unopened:
                asks = [each.ask for each in (page.wanting() if turn_deg else unsettled)]
                page.views = desk.views(page.unit.document_id, page.facts, rung, asks, parts=parts, turn_deg=turn_deg)
        except DocumentError as error:
            unopened = error.failure()
        if unopened and not page.records:
            page.facts = page.facts.lost(unopened)

    def _show_again(self, page: Ascent, rung: Rung, desk: Desk, part: Part, turn_deg: Turn = 0) -> None:
        """Render what a later rung shows; a unit whose document can no longer be had is left, and none of its pages is asked any more."""
        page.views = []
        if part.has_left(page.unit):
            return
        try:
            self._show(page, rung, desk, turn_deg)
        except StorageError as error:
            part.leave(page.unit, Failure(stage="fetch", code=type(error).__name__, message=str(error)))

    def _ask(self, pages: Sequence[Ascent], index: int, rung: Rung, desk: Desk, meter: Meter, part: Part) -> None:
        """Ask on one rung whatever is not settled, and what was not answered once more in other words."""
        open_: list[tuple[Ascent, list[Question]]] = []
        for page in pages:
            if page.views is None:
                self._show_again(page, rung, desk, part)
            open_.append((page, self._unsettled(page) if page.views else []))
        self._say_all(open_, index, rung, meter)

    def _turn(self, pages: Sequence[Ascent], desk: Desk, meter: Meter, part: Part) -> None:
        """Ask pages that read as nothing once more, on their heads and on their sides, until something is read."""
        index, rung = self._stage.rungs[-1]
        unread = list(pages)
        for turn_deg in TURNS:
            unread = [
                page for page in unread if page.reads_as_nothing()
            ]  # what reads as something once is not read again to see
            for page in unread:
                self._show_again(page, rung, desk, part, turn_deg)
            self._say_all([(page, page.wanting()) for page in unread if page.views], index, rung, meter)

    def _verify(self, pages: Sequence[Ascent], processed_at: datetime, desk: Desk, meter: Meter) -> None:
        """Read the places of values that ask for it once more, unless they climb on."""
        index, rung = self._stage.rungs[-1]
        most = self._job.render.max_requests_per_page
        open_ = []
        for page in pages:
            if mine := [each for each in page.wanting() if each.ask.answer_field and each.ask.answer_field.verify]:
                climbing = [] if self._is_last else self._unsettled(page)
                open_.append((page, [each for each in mine if each not in climbing]))
        if any(mine for _, mine in open_):
            given = Circumstances(self._job.name, self._run_id, processed_at)
            verifier(self._job.tasks, rung.resolution, index, most).verify(open_, given, desk, self._serving, meter)

    def _say_all(self, open_: Sequence[tuple[Ascent, list[Question]]], index: int, rung: Rung, meter: Meter) -> None:
        """Ask what is open of the pages' views, and what was not answered once more in other words."""
        meter.rungs += [0] * (index + 1 - len(meter.rungs))
        self._say(
            [
                Asked(page, question, prompt)
                for page, asked in open_
                for question in asked
                for prompt in first_prompts(question)
            ],
            index,
            rung,
            meter,
        )
        for turn in range(1, max(len(question.ask.prompts) for question in self._questions)):
            self._say(
                [
                    Asked(page, question, question.ask.prompts[turn])
                    for page, asked in open_
                    for question in asked
                    if turn < len(question.ask.prompts) and not question.ask.confirm and not page.is_answered(question, index)
                ],
                index,
                rung,
                meter,
            )
        for page, _ in open_:
            page.views, page.needs = None, {}

    def _say(self, asked: Sequence[Asked], index: int, rung: Rung, meter: Meter) -> None:
        """Ask prompts of every view of their pages; those of one view are adjacent, so that it is encoded once."""
        afforded = [each for each in asked if self._affords(each)]
        said = [
            (each, view) for _, mine in groupby(afforded, key=lambda each: id(each.page)) for each, view in by_view(list(mine))
        ]
        requests = [Request(view, each.prompt, each.question.ask.max_tokens, each.question.ask.form) for each, view in said]
        meter.rungs[index] += len(requests)
        for (each, view), completion in zip(said, self._serving.generate(requests, meter), strict=True):
            ask, page = each.question.ask, each.page
            page.records.setdefault(ask.key, []).append(record(ask, view.region, index, completion, each.prompt))
            page.resolutions[ask.key] = rung.resolution

    def _affords(self, asked: Asked) -> bool:
        """Return whether a page may be asked this of all its views; a question that was never asked for that is a reject."""
        page, most = asked.page, self._job.render.max_requests_per_page
        wanted, key = len(page.shown(asked.question)), asked.question.ask.key
        if most is None or page.spent + wanted <= most:
            page.spent += wanted
            page.unasked.discard(key)
            return True
        if not page.records.get(key):
            page.unasked.add(key)
        return False

    def _unsettled(self, page: Ascent) -> list[Question]:
        beside = page.beside() if self._least.value else Beside()
        return [
            question
            for question in page.wanting()
            if why_unsettled(
                question.ask, page.records.get(question.ask.key, ()), page.facts, self._confidence, self._least, beside
            )
            or (question.ask.key == "table" and self._has_invalid_cells(question.ask, page))
        ]

    def _has_invalid_cells(self, ask: Ask, page: Ascent) -> bool:
        columns = self._rules.columns
        return bool(columns.columns) and has_invalid_cells(read(ask, page.records[ask.key]).tables, columns)

    def _finished(self, pages: Sequence[Ascent], processed_at: datetime, seconds: float) -> Iterator[Finished]:
        """Yield the rows that pages come to, each taken for itself."""
        engine = self._serving.engine
        hashed, name = (engine.checkpoint_hash, engine.name) if engine else (None, None)
        given = Circumstances(self._job.name, self._run_id, processed_at, hashed, name, self._confidence)
        for page in pages:
            prior = page.unit.prior
            page.facts = page.facts.noting(*(self._unasked(key) for key in sorted(page.unasked)))
            climbing = set() if self._is_last else {question.fingerprint for question in self._unsettled(page)}
            tasks = tuple(
                waiting(each, self._stage.number + 1) if each in climbing else each
                for each in still_answered(prior.tasks if prior else (), page.asked)
            )
            jobs = sorted({*(prior.jobs if prior else ()), self._job.name})
            for origin in page.unit.origins:
                made = page.rows(origin, given, seconds)
                yield Finished(page.unit, origin, made, page.keys, tasks, tuple(jobs))

    def _unasked(self, key: str) -> Failure:
        message = f"it would have taken the page over render.max_requests_per_page ({self._job.render.max_requests_per_page})"
        return Failure(stage="infer", code="too_many_requests", message=message, task=key)


def climber(stage: int) -> Callable[[Job, str, Sequence[str]], Worker]:
    """Return what makes the worker of a stage of the ladder."""

    def worker(job: Job, run_id: str, passwords: Sequence[str]) -> Worker:
        return Worker(job, run_id, passwords, stage=stage)

    return worker
