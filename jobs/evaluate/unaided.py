"""What the model had read where a person's word stands now: corrected rows would prove nothing about the model that they correct."""

from collections.abc import Iterable, Mapping

from pipeline.readings import read
from pipeline.tasks.asks import page_asks
from pipeline.tasks.base import Ask, Reading
from schemas.field import FieldRow, FieldValue
from schemas.job import TEXTS, Job
from schemas.page import PageRow


def asks_of(jobs: Iterable[Job]) -> dict[str, Ask]:
    """Return what the jobs ask, by key; of a key that several have, the last job's."""
    return {ask.key: ask for job in jobs for ask in page_asks(job.tasks)}


def page_unaided(page: PageRow, asks: Mapping[str, Ask]) -> PageRow:
    """Return a page with the text that the model read; without completions of it, as where a text layer stood, it stays."""
    if page.text_source != "human":
        return page
    readings = (reading for key in TEXTS if (reading := _reading(key, page, asks)) is not None)
    said = next((reading for reading in readings if reading.text is not None), None)
    return page if said is None else page.model_copy(update={"text": said.text, "lines": said.lines, "text_source": "model"})


def field_unaided(row: FieldRow, page: PageRow | None, asks: Mapping[str, Ask]) -> FieldRow:
    """Return a field with the value that the model read, if it was asked."""
    reading = _reading(f"answer.{row.name}", page, asks) if row.value_source == "human" and page is not None else None
    if reading is None:
        return row
    status = "absent" if reading.verdict == "absent" else "rejected"
    value = reading.value or FieldValue(status=status, reason=reading.code)
    return row.model_copy(update={**dict(value), "value_source": "model", "confidence": None})


def _reading(key: str, page: PageRow, asks: Mapping[str, Ask]) -> Reading | None:
    ask = asks.get(key)
    records = [item for item in page.completions if ask and (item.task, item.prompt) == (key, ask.prompt)]
    return read(ask, records) if ask and records else None
