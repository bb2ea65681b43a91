"""The runs that made a sink: what they were asked for, and what came of them."""

from jobs.report.shapes import RunEntry
from pipeline.redact import redact
from schemas.run import RunSummary


def run_entry(summary: RunSummary) -> RunEntry:
    """Return a run as it is listed."""
    return RunEntry(
        run_id=summary.run_id,
        job=summary.job_name,
        started_at=summary.started_at.isoformat(timespec="seconds"),
        seconds=round((summary.ended_at - summary.started_at).total_seconds(), 1),
        pages=summary.pages_ok + summary.pages_blank + summary.pages_partial + summary.pages_failed,
        rejected=round(summary.reject_rate, 4),
        requests=summary.tally.requests,
        tokens=summary.tally.tokens,
        engine_seconds=round(summary.tally.engine_seconds, 1),
        engine=summary.engine and redact(summary.engine),
        exit_code=summary.exit_code,
    )
