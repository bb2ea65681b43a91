"""A plan on one screen: list, draw, look, sum up, price."""

import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from jobs.plan.arithmetic import PEAK_TFLOPS, REACHED, model_of
from jobs.plan.earlier import CLIMBING, Earlier, earlier
from jobs.plan.estimate import Seen, Totals
from jobs.plan.look import BLANK, PAGES, REQUESTS, RUNGS, TEXT_LAYER, TOKENS, UNREADABLE, VIEWS, Looker, columns
from jobs.plan.todo import Candidate, todo
from pipeline.passwords import passwords
from pipeline.places import Places
from pipeline.runs import Runs
from pipeline.storage import open_store
from schemas.job import Job
from schemas.plan import Estimate, Plan, PlannedRung

Watch = Callable[[tuple[Candidate, ...]], Iterable[Candidate]]


def make(
    job: Job,
    *,
    sample: int,
    seed: int,
    backfill: bool,
    gpu: str,
    dollars_per_hour: float | None,
    reached: float = REACHED,
    watch: Watch = lambda drawn: drawn,
) -> Plan:
    """Work out what is left to do for a job; `watch` is shown the documents of the sample as they are looked at.

    Raises what a listing raises; a document that cannot be had now counts as not drawn.
    """
    left = todo(job, sample=sample, seed=seed, backfill=backfill)
    seen = _look(job, watch(left.drawn), seed)
    before = earlier(Runs(open_store(job.sink.uri), Places(job.sink.uri)), job)
    totals = Totals(seen, left.candidates, columns(len(job.render.ladder)), seed)
    weights = _Weights(job, before, totals)
    hours = totals.weighted(weights.hours(gpu, reached), RUNGS)
    now = datetime.now(UTC)
    return Plan(
        plan_id=f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
        job_name=job.name,
        sink_uri=job.sink.uri,
        made_at=now,
        objects_listed=left.listed,
        objects_left=left.candidates,
        documents_looked_at=len(seen),
        pages_looked_at=sum(len(each.pages) for each in seen),
        pages=totals.total(PAGES),
        unreadable=totals.total(UNREADABLE),
        with_text_layer=totals.share(TEXT_LAYER, PAGES),
        blank=totals.share(BLANK, PAGES),
        rungs=tuple(
            PlannedRung(
                rung=rung,
                requests=totals.weighted(weights.rung(index, REQUESTS), RUNGS),
                tokens=totals.weighted(weights.rung(index, TOKENS), RUNGS),
            )
            for index, rung in enumerate(job.render.ladder)
        ),
        requests=totals.weighted(weights.every(REQUESTS), RUNGS),
        tokens=totals.weighted(weights.every(TOKENS), RUNGS),
        gpu=gpu,
        gpu_hours=hours,
        dollars_per_hour=dollars_per_hour,
        dollars=_times(hours, dollars_per_hour) if dollars_per_hour is not None else None,
        taken_for_granted=tuple(weights.said) + _said(gpu, reached, len(seen), left.candidates),
    )


def _look(job: Job, drawn: Iterable[Candidate], seed: int) -> list[Seen]:
    looker = Looker(job, passwords(job.source), seed)
    try:
        return [seen for candidate in drawn if (seen := looker.look(candidate)) is not None]
    finally:
        looker.close()


class _Weights:
    """What each of the rungs' columns counts: all of the first rung's, of later ones only what climbs; tokens as earlier runs had them.

    What is behind the last rung is there that values' places are read again.
    """

    def __init__(self, job: Job, before: Earlier, totals: Totals) -> None:
        self.said: list[str] = []
        self._job = job
        ladder = job.render.ladder
        first = totals.total(RUNGS + REQUESTS).value
        self._climbing = [1.0]
        for index in range(1, len(ladder)):
            known, asked = before.climbed(index), totals.total(RUNGS + 3 * index + REQUESTS).value
            self._climbing.append(CLIMBING if known is None else known * first / asked if asked else 0.0)
        known, asked = before.verified(), totals.total(RUNGS + 3 * len(ladder) + REQUESTS).value
        self._climbing.append(1.0 if known is None else known * first / asked if asked else 0.0)
        if known is None and asked:
            self.said.append("each value with `verify` stands on one page of its document: no run of this job tells")
        self._tokens = self._token_factor(before, totals)
        if len(ladder) > 1 and not before.runs:
            self.said.append(f"{CLIMBING:.0%} of the tasks climb each further rung: no run of this job tells")

    def only(self, rung: int, column: int) -> list[float]:
        """Return weights under which one column of one rung is all."""
        weights = [0.0] * 3 * len(self._climbing)
        weights[3 * rung + column] = self._climbing[rung] * (self._tokens if column == TOKENS else 1.0)
        return weights

    def rung(self, rung: int, column: int) -> list[float]:
        """Return weights under which one column of one rung is all, with what is read again on the last."""
        found = self.only(rung, column)
        last = len(self._climbing) - 2
        return found if rung < last else [sum(each) for each in zip(found, self.only(last + 1, column), strict=True)]

    def every(self, column: int) -> list[float]:
        """Return weights under which one column of all rungs is all."""
        return [sum(each) for each in zip(*(self.only(rung, column) for rung in range(len(self._climbing))), strict=True)]

    def hours(self, gpu: str, reached: float) -> list[float]:
        """Return the GPU hours that one of each column takes."""
        weights: list[float] = []
        ladder = self._job.render.ladder
        for index, rung in enumerate((*ladder, ladder[-1])):  # places are read again by the last rung's model
            model, is_known = model_of(rung.checkpoint or self._job.model.checkpoint)
            if not is_known and index < len(ladder):
                self.said.append(
                    f"{rung.checkpoint or self._job.model.checkpoint} costs what {model.name} costs: its size is not known here"
                )
            an_hour = PEAK_TFLOPS[gpu] * 1e12 * reached * 3600
            part = self._climbing[index] / an_hour
            weights += [0.0] * 3
            weights[3 * index + VIEWS] = part * model.operations(rung.resolution, 1, 0, 0)
            weights[3 * index + REQUESTS] = part * model.operations(rung.resolution, 0, 1, 0)
            weights[3 * index + TOKENS] = part * self._tokens * model.operations(rung.resolution, 0, 0, 1)
        return weights

    def _token_factor(self, before: Earlier, totals: Totals) -> float:
        rungs = range(len(self._climbing))
        requests, guessed = (
            sum(self._climbing[rung] * totals.total(RUNGS + 3 * rung + column).value for rung in rungs)
            for column in (REQUESTS, TOKENS)
        )
        known = before.tokens()
        if known is None or not guessed:
            self.said.append("answers are as long as print and task let one expect: no run of this job tells")
            return 1.0
        self.said.append(f"{before.runs} earlier runs tell how long answers are and how much climbs")
        return known * requests / guessed


def _said(gpu: str, reached: float, looked_at: int, candidates: int) -> tuple[str, ...]:
    said = [f"one {gpu} reaches {reached:.0%} of its {PEAK_TFLOPS[gpu]:g} Tflop/s, and does nothing else"]
    if 0 < looked_at < min(10, candidates):
        said.append(f"{looked_at} documents are few: the intervals are too narrow; take a larger --sample")
    return tuple(said)


def _times(estimate: Estimate, factor: float) -> Estimate:
    return Estimate(value=estimate.value * factor, low=estimate.low * factor, high=estimate.high * factor)
