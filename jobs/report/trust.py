"""What an evaluation said of confidence, as a report shows it."""

from pathlib import Path

from pydantic import ValidationError

from jobs.evaluate.report import Report
from jobs.report.shapes import Trust
from pipeline.errors import JobError


def trust_in(evaluation: Path) -> Trust:
    """Return how far the confidence in a sink's rows can be trusted. Raises JobError on a file that does not say."""
    try:
        found = Report.model_validate_json(evaluation.read_bytes()).confidence
    except ValidationError as exc:
        raise JobError(
            f"{evaluation} is no evaluation: write one with `pagemill evaluate SINK LABELS --json > {evaluation}`"
        ) from exc
    if found is None or found.calibration_error is None:
        raise JobError(f"{evaluation} says nothing of confidence: no labelled field has one")
    return Trust(
        answers=found.answers,
        wrong=found.wrong,
        auc=found.auc,
        calibration_error=found.calibration_error,
        bins=tuple((each.confidence, each.right) for each in found.bins),
        risks=tuple((each.coverage, each.wrong) for each in found.risks),
    )
