"""A page's rows laid over those that it had: what was asked anew replaces what was said before, and a person's word stays.

Pure. It knows rows and which tasks were asked, and nothing of how rows are made.
"""

from collections.abc import Sequence

from pipeline.settle import WITNESS, Circumstances, Rows
from schemas.box import LabelledBox
from schemas.job import TEXTS, THINGS
from schemas.page import Failure, PageRow, PageStatus
from schemas.source import identity, page_identity
from schemas.table import Table
from schemas.unit import Origin


def combine(prior: Rows, new: Rows, asked: frozenset[str]) -> Rows:
    """Lay a page's new rows, which answer the keys `asked`, over those that were there."""
    # Text that nobody asked anew stays, even where a text layer came to light while a table was looked for; a person's word always does.
    by_hand = {row.name: row for row in prior.fields if row.value_source == "human"}
    is_asked = not asked.isdisjoint(TEXTS) or not prior.page.text_source
    is_better = bool(new.page.text_source) and not (prior.page.text_source and _is_worse(prior.page, new.page, TEXTS))
    is_new = is_better and is_asked and prior.page.text_source != "human"
    text = new.page if is_new else prior.page
    seen = prior.page if new.page.width_pt is None else new.page
    failures = (*(item for item in prior.page.failures if item.task not in {None, *asked}), *new.page.failures)
    page = new.page.model_copy(
        update={
            "width_pt": seen.width_pt,
            "height_pt": seen.height_pt,
            "rotation": seen.rotation,
            "text": text.text,
            "text_source": text.text_source,
            "agreement": text.agreement,
            "lines": text.lines,
            "tables": _tables(prior.page, new.page),
            "boxes": _boxes(prior.page, new.page, asked),
            "completions": (
                *(item for item in prior.page.completions if item.task.removeprefix("verify.") not in {*asked, WITNESS}),
                *new.page.completions,
            ),
            "failures": failures,
            "status": _combined_status(prior.page, new.page, failures),
            "checkpoint_hash": new.page.checkpoint_hash or prior.page.checkpoint_hash,
            "engine": new.page.engine or prior.page.engine,
        }
    )
    names = {row.name for row in new.fields}
    page = without_failures(page, frozenset(f"answer.{name}" for name in by_hand))
    fields = (by_hand.get(row.name, row) for row in new.fields)
    gone = {row.name for row in prior.fields if f"answer.{row.name}" in asked and row.name not in by_hand}
    return Rows(page, (*(row for row in prior.fields if row.name not in names | gone), *fields))


def without_failures(page: PageRow, tasks: frozenset[str]) -> PageRow:
    """Return a page's row without the failures of some tasks; it is wholly read where no other task's are left."""
    failures = tuple(failure for failure in page.failures if failure.task not in tasks)
    if len(failures) == len(page.failures):
        return page
    is_whole = page.width_pt is not None and not any(failure.task for failure in failures)
    return page.model_copy(update={"failures": failures, "status": "ok" if is_whole else page.status})


def readdressed(rows_of_page: Rows, origin: Origin, given: Circumstances) -> Rows:
    """Return the same page's rows for another source object that holds the same bytes."""
    page_id = page_identity(origin.source_id, rows_of_page.page.page_index)
    place = {"page_id": page_id, "source_id": origin.source_id, "source_uri": origin.uri}
    when = {"run_id": given.run_id, "processed_at": given.processed_at}
    page = rows_of_page.page.model_copy(update={**place, **when, "job_name": given.job_name})
    fields = (row.model_copy(update={**place, **when, "field_id": identity(page_id, row.name)}) for row in rows_of_page.fields)
    return Rows(page, tuple(fields))


def _combined_status(prior: PageRow, new: PageRow, failures: Sequence[Failure]) -> PageStatus:
    if prior.width_pt is None or new.status == "blank":
        return new.status
    if new.width_pt is not None and not any(failure.task for failure in failures):
        return "ok"
    return "failed" if prior.status == new.status == "failed" else "partial"


def _is_worse(prior: PageRow, new: PageRow, types: tuple[str, ...]) -> bool:
    """Return whether views were refused now of what was read whole before: it has less."""
    before, now = (any(each.task and each.task.split(".")[0] in types for each in page.failures) for page in (prior, new))
    return now and not before


def _tables(prior: PageRow, new: PageRow) -> tuple[Table, ...]:
    return prior.tables if not new.tables or (prior.tables and _is_worse(prior, new, ("table",))) else new.tables


def _boxes(prior: PageRow, new: PageRow, asked: frozenset[str]) -> tuple[LabelledBox, ...]:
    asked_before = any(item.task in asked for item in prior.completions)
    known, found = ({box.label for box in page.boxes} for page in (prior, new))
    if asked_before and _is_worse(prior, new, THINGS):
        return (*prior.boxes, *(box for box in new.boxes if box.label not in known))
    return (*(box for box in prior.boxes if not asked_before or box.label not in found), *new.boxes)
