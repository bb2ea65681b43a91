"""A value in the company of its page: how surely the model read all of it, and whether another field was given the same words. Pure.

A page is as hard to read for one question as for the next; and a model that mistakes the question gives what answers another one.
"""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.confidence import confidence
from pipeline.settle import Rows
from pipeline.signals import agreement, page_logprob
from schemas.field import FieldRow
from schemas.signals import ConfidenceModel

_TELLING = 4
"""Values of fewer letters and figures come twice on a page by chance."""


def in_company(made: Rows, asked: frozenset[str], model: ConfidenceModel | None) -> Rows:
    """Return a page's rows; those that answer the keys `asked` know of the rest of the page, and are weighed anew. Older ones stay as they were."""
    if not model or not made.fields:
        return made
    sure = page_logprob(made.page.completions)
    values = [row for row in made.fields if _tells(row)]
    fields = (_in_company(row, values, sure, model) if f"answer.{row.name}" in asked else row for row in made.fields)
    return replace(made, fields=tuple(fields))


def _in_company(row: FieldRow, values: Sequence[FieldRow], sure: float | None, model: ConfidenceModel) -> FieldRow:
    if row.signals is None or row.value_source != "model":
        return row
    others = [other for other in values if other.name != row.name]
    repeated = any(agreement(row, other) == 1.0 for other in others) if _tells(row) and others else None
    signals = row.signals.model_copy(update={"page_logprob": sure, "repeated": repeated})
    weighed = row.status in ("ok", "absent")
    return row.model_copy(
        update={"signals": signals, "confidence": confidence(signals, row, model) if weighed else row.confidence}
    )


def _tells(row: FieldRow) -> bool:
    """Return whether a value is one that two fields hardly share by chance."""
    words = row.value_raw or row.value_text or ""
    return row.status == "ok" and row.value_bool is None and sum(map(str.isalnum, words)) >= _TELLING
