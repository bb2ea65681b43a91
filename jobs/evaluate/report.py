"""What an evaluation found, as a shape: every score with its interval, over all and by what answers differ in."""

from typing import Literal

from jobs.evaluate.reliability import Reliability
from schemas.shape import Shape

By = Literal["all", "kind", "finish", "type", "field", "resolution", "rung", "prompt"]
Metric = Literal["cer", "wer", "exact", "anls", "map50", "iou", "teds", "teds_struct"]
METRICS: dict[Metric, str] = {
    "cer": "CER",
    "wer": "WER",
    "exact": "exact",
    "anls": "ANLS",
    "map50": "mAP@0.5",
    "iou": "IoU",
    "teds": "TEDS",
    "teds_struct": "TEDS-struct",
}
LESS_IS_BETTER: frozenset[Metric] = frozenset({"cer", "wer"})


class Score(Shape):
    """One metric of a task, over all answers or a group of them.

    `low` and `high` bound the middle 95% over resampled documents. Of the `answers` that were judged, `missing` had no row at all and
    `rejected` no answer that could be taken: both count as wrong.
    """

    task: str
    by: By
    group: str
    metric: Metric
    value: float
    low: float
    high: float
    answers: int
    documents: int
    missing: int
    rejected: int


class LeftOutCount(Shape):
    """What was not judged: why, how often, and where one is."""

    reason: str
    count: int
    example: str


class Report(Shape):
    """An evaluation of a sink against labels.

    `confidence` is of the confidence that stands in the rows of fields, and `lines` of that of lines; `calibrated` of newly fitted weights
    of fields, and `calibrated_lines` of lines, on documents they have not seen; None where there were too few to fit any.
    """

    sink_uri: str
    labels_uri: str
    form: str
    resamples: int
    seed: int
    pages: int
    documents: int
    left_out: tuple[LeftOutCount, ...]
    scores: tuple[Score, ...]
    confidence: Reliability | None = None
    lines: Reliability | None = None
    calibrated: Reliability | None = None
    calibrated_lines: Reliability | None = None

    @property
    def totals(self) -> list[Score]:
        """Return every metric of every task over all answers."""
        return [each for each in self.scores if each.by == "all"]

    def overall(self, metric: str) -> list[Score]:
        """Return a metric over all answers, of each task that has it; `task.metric` names one task's."""
        task, _, name = metric.rpartition(".")
        return [each for each in self.totals if each.metric == name and task in ("", each.task)]
