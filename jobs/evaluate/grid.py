"""Which resolution, prompt and checkpoint: every combination read and judged, quality against cost, the cheapest acceptable first."""

import math
from collections.abc import Callable, Sequence

from rich.table import Table

from jobs.evaluate.accept import Bound
from jobs.evaluate.evaluation import evaluate
from jobs.evaluate.gridfile import Combination, Grid, combinations
from jobs.evaluate.report import METRICS, Report
from pipeline.errors import CheckpointError, JobError
from pipeline.places import Places
from pipeline.runs import Runs
from pipeline.storage import open_store
from schemas.job import Job
from schemas.run import RunOptions, RunSummary
from schemas.shape import Shape
from schemas.unit import Tally

Runner = Callable[[Job, RunOptions], RunSummary]


class Cost(Shape):
    """What all runs of one combination took, a page; pages that needed no model are counted in."""

    pages: int
    requests: float
    tokens: float
    engine_seconds: float


class Outcome(Shape):
    """One combination: how good, at what cost; or why it could not be tried (`refused`)."""

    name: str
    sink_uri: str | None = None
    is_complete: bool = False
    is_acceptable: bool = False
    cost: Cost | None = None
    report: Report | None = None
    refused: str | None = None


class GridReport(Shape):
    """What came of a grid, best first: the cheapest acceptable, then the others by cost, then those that could not be tried."""

    accept: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def exit_code(self) -> int:
        """Return 3 where a run is not complete, 1 where nothing is acceptable, else 0."""
        tried = [each for each in self.outcomes if each.refused is None]
        if any(not each.is_complete for each in tried):
            return 3
        return 0 if any(each.is_acceptable for each in tried) else 1


def run_grid(grid: Grid, bounds: Sequence[Bound], runner: Runner, *, resamples: int) -> GridReport:
    """Run every combination over the same sample, and judge it. An interrupted run ends the grid; the same grid goes on from there."""
    outcomes = []
    for each in combinations(grid):
        outcome = _tried(each, grid, bounds, runner, resamples) if isinstance(each, Combination) else _refused(*each)
        outcomes.append(outcome)
        if outcome.refused is None and not outcome.is_complete:
            break
    return GridReport(accept=tuple(map(str, bounds)), outcomes=tuple(sorted(outcomes, key=_rank)))


def table_of(report: GridReport) -> Table:
    """Return a grid's outcomes as a table for a terminal."""
    heads, rows = rows_of(report)
    table = Table(box=None, pad_edge=False)
    for head in heads:
        is_long = head in ("settings", "accepted")
        table.add_column(head, justify="left" if is_long else "right", no_wrap=not is_long, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def rows_of(report: GridReport) -> tuple[list[str], list[list[str]]]:
    """Return the heads and the rows of a grid's table."""
    metrics = list(dict.fromkeys(f"{s.task}.{s.metric}" for each in report.outcomes if each.report for s in each.report.totals))
    heads = ["settings", "accepted", *(_head(metric) for metric in metrics), "requests/page", "tokens/page", "engine s/page"]
    return heads, [_row(each, metrics) for each in report.outcomes]


def _tried(combination: Combination, grid: Grid, bounds: Sequence[Bound], runner: Runner, resamples: int) -> Outcome:
    sink = combination.job.sink.uri
    try:
        summary = runner(combination.job, RunOptions(sample=grid.sample, seed=grid.seed))
    except (CheckpointError, JobError) as error:
        return _refused(combination.name, str(error))
    if summary.exit_code == 3:
        return Outcome(name=combination.name, sink_uri=sink)
    report = evaluate(sink, grid.labels, form=grid.format, listed_only=True, resamples=resamples, seed=grid.seed)
    return Outcome(
        name=combination.name,
        sink_uri=sink,
        is_complete=True,
        is_acceptable=all(bound.holds(report) for bound in bounds),
        cost=_cost(sink),
        report=report,
    )


def _refused(name: str, why: str) -> Outcome:
    return Outcome(name=name, refused=why)


def _cost(sink_uri: str) -> Cost:
    """Return the cost of all runs there: the one that went on from another's work did not do it alone."""
    ended = Runs(open_store(sink_uri), Places(sink_uri)).ended()
    tally = sum((summary.tally for summary in ended), Tally())
    pages = sum(each.pages_ok + each.pages_blank + each.pages_partial + each.pages_failed for each in ended)
    whole = max(pages, 1)
    return Cost(
        pages=pages, requests=tally.requests / whole, tokens=tally.tokens / whole, engine_seconds=tally.engine_seconds / whole
    )


def _rank(outcome: Outcome) -> tuple[bool, bool, float, float]:
    cost = (outcome.cost.engine_seconds, outcome.cost.tokens) if outcome.cost else (math.inf, math.inf)
    return outcome.refused is not None, not outcome.is_acceptable, *cost


def _head(metric: str) -> str:
    task, _, name = metric.partition(".")
    return f"{task} {next(title for key, title in METRICS.items() if key == name)}"


def _row(outcome: Outcome, metrics: Sequence[str]) -> list[str]:
    if outcome.refused is not None or outcome.report is None or outcome.cost is None:
        return [outcome.name, f"refused: {outcome.refused}" if outcome.refused else "not complete", *[""] * (len(metrics) + 3)]
    values = [found[0].value if (found := outcome.report.overall(metric)) else None for metric in metrics]
    cost = outcome.cost
    return [
        outcome.name,
        "yes" if outcome.is_acceptable else "no",
        *("" if value is None else f"{value:.4f}" for value in values),
        f"{cost.requests:.1f}",
        f"{cost.tokens:.0f}",
        f"{cost.engine_seconds:.3f}",
    ]
