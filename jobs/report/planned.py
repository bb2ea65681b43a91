"""A kept plan against what came of it. Pure."""

from collections.abc import Sequence

from jobs.report.shapes import PlanEntry
from pipeline.redact import redact
from schemas.plan import Estimate, Plan
from schemas.run import RunRecord, RunSummary
from schemas.unit import Tally

Row = tuple[str, float, float, float, float | None]


def plan_entry(plans: Sequence[Plan], begun: Sequence[RunRecord], ended: Sequence[RunSummary]) -> PlanEntry | None:
    """Return the latest plan that runs of its job followed, and what those runs came to, up to the job's next plan; else the latest plan."""
    entry = None
    for plan in reversed(plans):
        until = next((each.made_at for each in plans if each.job_name == plan.job_name and each.made_at > plan.made_at), None)
        mine = [
            each
            for each in ended
            if each.kind == "run"
            and each.job_name == plan.job_name
            and plan.made_at <= each.started_at
            and (until is None or each.started_at < until)
        ]
        if mine or entry is None:
            entry = _entry(plan, mine, {each.run_id: each.job.workers.gpus for each in begun})
        if mine:
            break
    return entry


def _entry(plan: Plan, runs: Sequence[RunSummary], gpus: dict[str, float]) -> PlanEntry:
    tally = sum((each.tally for each in runs), Tally())
    hours = sum(gpus.get(each.run_id, 0.0) * (each.ended_at - each.started_at).total_seconds() / 3600 for each in runs)
    rows = [
        _row(
            "pages", plan.pages, sum(each.pages_ok + each.pages_blank + each.pages_partial + each.pages_failed for each in runs)
        ),
        _row("unreadable documents", plan.unreadable, sum(each.documents_unreadable for each in runs)),
        _row("requests", plan.requests, tally.requests),
        *(
            _row(f"requests of rung {number + 1}", rung.requests, tally.rungs[number] if number < len(tally.rungs) else 0)
            for number, rung in enumerate(plan.rungs if len(plan.rungs) > 1 else ())
        ),
        _row("tokens of answers", plan.tokens, tally.tokens),
        _row(f"GPU hours ({plan.gpu})", plan.gpu_hours, hours or None),
    ]
    if plan.dollars is not None and plan.dollars_per_hour is not None:
        rows.append(_row("dollars", plan.dollars, hours * plan.dollars_per_hour or None))
    return PlanEntry(
        made_at=plan.made_at.isoformat(timespec="seconds"),
        job=plan.job_name,
        looked_at=plan.documents_looked_at,
        runs=len(runs),
        rows=tuple(rows if runs else [(*row[:4], None) for row in rows]),
        taken_for_granted=tuple(redact(said) for said in plan.taken_for_granted),
    )


def _row(name: str, planned: Estimate, actual: float | None) -> Row:
    return (
        name,
        round(planned.value, 4),
        round(planned.low, 4),
        round(planned.high, 4),
        actual if actual is None else round(actual, 4),
    )
