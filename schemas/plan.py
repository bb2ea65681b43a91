"""A plan: what a job is expected to read, ask and cost, with how far that may be off."""

from datetime import datetime

from schemas.job import Rung
from schemas.shape import Shape


class Estimate(Shape):
    """A number worked out from a sample: in 95 of 100 samples the truth lies between `low` and `high`; both equal it where all was seen."""

    value: float
    low: float
    high: float


class PlannedRung(Shape):
    """What one rung of the ladder will be asked; `tokens` are those of answers."""

    rung: Rung
    requests: Estimate
    tokens: Estimate


class Plan(Shape):
    """What is left to do for a job, as far as a sample of it tells. Shares are between 0 and 1.

    `objects_left` counts objects that are new and documents that lack answers; `documents_looked_at` of them were opened, and `pages_looked_at`
    of their pages described. `taken_for_granted` names what the sample does not tell, in sentences.
    """

    plan_id: str
    job_name: str
    sink_uri: str
    made_at: datetime
    objects_listed: int
    objects_left: int
    documents_looked_at: int
    pages_looked_at: int
    pages: Estimate
    unreadable: Estimate
    with_text_layer: Estimate
    blank: Estimate
    rungs: tuple[PlannedRung, ...]
    requests: Estimate
    tokens: Estimate
    gpu: str
    gpu_hours: Estimate
    dollars_per_hour: float | None = None
    dollars: Estimate | None = None
    taken_for_granted: tuple[str, ...] = ()
