"""The runs that made a sink: what came of them, and what they cost. Pure."""

from jobs.report.shapes import RunEntry
from pipeline.redact import redact
from schemas.run import RunSummary


def run_entry(summary: RunSummary, gpus: float, dollars_per_hour: float | None) -> RunEntry:
    """Return a run as it is listed; it had so many GPUs, or none, and then the price is that of the machine."""
    hours = (gpus or 1) * (summary.ended_at - summary.started_at).total_seconds() / 3600
    return RunEntry(
        run_id=summary.run_id,
        job=summary.job_name,
        kind=None if summary.kind == "run" else summary.kind,
        started_at=summary.started_at.isoformat(timespec="seconds"),
        seconds=round((summary.ended_at - summary.started_at).total_seconds(), 1),
        pages=summary.pages_ok + summary.pages_blank + summary.pages_partial + summary.pages_failed,
        rejected=round(summary.reject_rate, 4),
        requests=summary.tally.requests,
        tokens=summary.tally.tokens,
        engine_seconds=round(summary.tally.engine_seconds, 1),
        engine=summary.engine and redact(summary.engine),
        dollars=None if dollars_per_hour is None else round(hours * dollars_per_hour, 4),
        exit_code=summary.exit_code,
    )
