"""A run: how it was asked for, and what came of it."""

from datetime import datetime
from typing import Literal

from schemas.job import Job
from schemas.shape import Shape
from schemas.unit import Reject, Tally
from schemas.witness import Witnessed

RunKind = Literal["run", "rerun", "redecode", "corrections"]
"""What a run was started to do: what is left, chosen pages once more, rows from kept completions, or to take a person's words."""


class RunOptions(Shape):
    """What a person adds to a job at the command line. `limit` takes the first n objects, `sample` n at random (by `seed`)."""

    limit: int | None = None
    sample: int | None = None
    seed: int = 0
    backfill: bool = False


class RunRecord(Shape):
    """What is written as a run starts. `confidence_model` is the fingerprint of the weights that its values' confidence comes from."""

    run_id: str
    job: Job
    options: RunOptions
    started_at: datetime
    pagemill_version: str
    confidence_model: str | None = None
    kind: RunKind = "run"


class RunSummary(Shape):
    """What came of a run. Counts of this run's own work; `pages_*` count pages of source objects.

    `left` counts the units that no row could be written for (an unreachable store, a lost engine, an interrupt): run again to go on.
    `interrupted` says that the run was ended before its work was done, `stopped` which limit of the job's `stop` did it, if one did.
    `store_retries` counts requests to the stores that failed in passing and were made again, by the driver and all of its workers.
    `where` is the expression that chose the pages of a rerun. `documents_retried` counts documents that could not be opened before and
    were tried again; what `documents_unreadable` says is then how many of them still cannot be.
    """

    run_id: str
    job_name: str
    kind: RunKind = "run"
    where: str | None = None
    shard: str = "1/1"
    sink_uri: str
    sink_format: Literal["parquet", "iceberg"] = "parquet"
    started_at: datetime
    ended_at: datetime
    objects_listed: int
    objects_known: int
    objects_inspected: int
    documents_unreadable: int
    documents_retried: int = 0
    objects_deleted: int
    units_selected: int
    pages_selected: int
    pages_ok: int
    pages_blank: int
    pages_partial: int
    pages_failed: int
    fields: int
    left: int
    left_reasons: tuple[str, ...] = ()
    interrupted: bool = False
    stopped: str | None = None
    engine: str | None = None
    tally: Tally = Tally()
    store_retries: int = 0
    witnessed: Witnessed = Witnessed()
    rejects: tuple[Reject, ...] = ()
    max_reject_rate: float

    @property
    def reject_rate(self) -> float:
        """Return the share of pages that are not wholly read; a document that turned out unreadable counts as one page.

        One that could not be opened before and still cannot be counts for nothing: it was counted when that was news.
        """
        if self.kind == "corrections":  # nothing was read: what is in part was so before
            return 0.0
        news = 0 if self.documents_retried else self.documents_unreadable
        rejected = self.pages_partial + self.pages_failed + news
        total = self.pages_ok + self.pages_blank + rejected
        return rejected / total if total else 0.0

    @property
    def exit_code(self) -> Literal[0, 1, 3]:
        """Return 0 (complete, within `accept`), 1 (complete, too many rejects) or 3 (not complete)."""
        if self.left or self.interrupted:
            return 3
        return 1 if self.reject_rate > self.max_reject_rate else 0


FindingCode = Literal[
    "page_missing",
    "page_doubled",
    "page_unknown",
    "pages_unread",
    "field_doubled",
    "field_orphan",
    "document_missing",
    "document_doubled",
    "document_wrong",
    "file_missing",
    "file_unreadable",
    "file_unknown",
    "table_behind",
]


class Finding(Shape):
    """One thing that is not as promised: `count` says how many rows, pages or files, `example` names the first of them."""

    code: FindingCode
    count: int
    example: str


class VerifyReport(Shape):
    """What a recount from storage found; an empty `findings` is the proof."""

    sink_uri: str
    documents: int
    pages: int
    fields: int
    pages_ok: int
    pages_blank: int
    pages_partial: int
    pages_failed: int
    findings: tuple[Finding, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Return whether every page of every source object has exactly one row."""
        return not self.findings
