"""What an evaluation said of confidence, as a report shows it."""

from pathlib import Path

from pydantic import ValidationError

from jobs.evaluate.reliability import Reliability
from jobs.evaluate.report import Report
from jobs.report.shapes import Trust
from pipeline.errors import JobError


def trust_in(evaluation: Path) -> tuple[Trust, ...]:
    """Return how far the confidence of a sink's values, and of its lines, can be trusted. Raises JobError on a file that says it of neither."""
    try:
        report = Report.model_validate_json(evaluation.read_bytes())
    except ValidationError as exc:
        raise JobError(
            f"{evaluation} is no evaluation: write one with `pagemill evaluate SINK LABELS --json > {evaluation}`"
        ) from exc
    found = (_trust("field values", report.confidence), _trust("lines", report.lines))
    if not any(found):
        raise JobError(f"{evaluation} says nothing of confidence: no labelled field or line has one")
    return tuple(each for each in found if each)


def _trust(what: str, found: Reliability | None) -> Trust | None:
    if found is None or found.calibration_error is None:
        return None
    return Trust(
        what=what,
        answers=found.answers,
        wrong=found.wrong,
        auc=found.auc,
        calibration_error=found.calibration_error,
        bins=tuple((each.confidence, each.right, each.answers) for each in found.bins),
        risks=tuple((each.coverage, each.wrong) for each in found.risks),
    )
