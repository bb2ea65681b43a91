"""From rows to what is shown of a page, and how bad a page is. Pure; the rows' own words, but for secrets in the machine's."""

from collections.abc import Sequence
from math import exp

from jobs.report.shapes import Agreement, Asked, CellEntry, FieldEntry, Note, PageEntry, Piece, Rect, TableEntry
from pipeline.redact import redact
from pipeline.settle import WITNESS
from schemas import witness
from schemas.box import ROUGH, Box
from schemas.field import FieldRow
from schemas.page import CompletionRecord, Failure, Line, PageRow
from schemas.table import Table

# The best that a page can be of which this is true; what it is sure of may still make it worse.
_FAILED, _PARTIAL, _BAD_VALUE = 0.0, 0.2, 0.4
_ODDS_FROM = 0.5
"""Token probabilities are no confidence: they order pages only among the better half, where nothing better is known."""


def page_entry(page: PageRow, fields: Sequence[FieldRow]) -> PageEntry:
    """Return a page as it is shown; `fields` are its own."""
    compared = _compared(page.agreement)
    asked = tuple(_asked(item) for item in page.completions if item.task != WITNESS)
    return PageEntry(
        source_id=page.source_id,
        index=page.page_index,
        status=page.status,
        quality=round(_quality(page, fields, compared, asked), 4),
        width=page.width_pt,
        height=page.height_pt,
        source=page.text_source,
        seconds=round(page.seconds, 3),
        engine=page.engine and redact(page.engine),
        agreement=compared,
        text=None if page.lines else page.text,
        lines=tuple(_line(line) for line in page.lines),
        fields=tuple(_field(field) for field in fields),
        tables=tuple(_table(table) for table in page.tables),
        things=tuple(Piece(text=item.label, rect=rect(item.box), confidence=_round(item.confidence)) for item in page.boxes),
        asked=asked,
        notes=notes(page.failures),
    )


def notes(failures: Sequence[Failure]) -> tuple[Note, ...]:
    """Return failures as they are shown."""
    return tuple(Note(stage=each.stage, code=each.code, message=redact(each.message), task=each.task) for each in failures)


def rect(box: Box | None) -> Rect | None:
    """Return a box, rounded to a tenth of a point."""
    return None if box is None else (round(box.x0, 1), round(box.y0, 1), round(box.x1, 1), round(box.y1, 1))


def _quality(page: PageRow, fields: Sequence[FieldRow], compared: Agreement | None, asked: Sequence[Asked]) -> float:
    if page.status == "failed":
        return _FAILED
    signals = [field.confidence for field in fields if field.confidence is not None and field.status == "ok"]
    lines = [line.confidence for line in page.lines if line.confidence is not None]
    signals += [sum(lines) / len(lines)] if lines else []  # of many lines, one is nearly always unsure
    signals += [compared.score] if compared else []
    if not signals:
        signals = [_ODDS_FROM + (1 - _ODDS_FROM) * item.odds for item in asked if item.odds is not None]
    if page.status == "partial":
        signals.append(_PARTIAL)
    if any(field.status in ("invalid", "rejected") for field in fields):
        signals.append(_BAD_VALUE)
    return max(0.0, min(signals, default=1.0))


def _compared(found: witness.Agreement | None) -> Agreement | None:
    """Return an agreement as one score, the share of words that both have of those that either has (Dice's coefficient)."""
    if found is None:
        return None
    both = found.word_recall + found.word_precision
    score = 2 * found.word_recall * found.word_precision / both if both else 0.0
    return Agreement(score=round(score, 4), only_model=found.only_model, only_layer=found.only_layer)


def _line(line: Line) -> Piece:
    return Piece(text=line.text, rect=rect(line.box), rough=line.box_source in ROUGH, confidence=_round(line.confidence))


def _field(field: FieldRow) -> FieldEntry:
    return FieldEntry(
        name=field.name,
        question=field.question,
        status=field.status,
        reason=field.reason and redact(field.reason),
        raw=field.value_text,
        meaning=_meaning(field),
        confidence=_round(field.confidence),
        rect=rect(field.box),
        rough=field.box_source in ROUGH,
        box_source=field.box_source,
        value_source=field.value_source,
        rung=field.rung,
    )


def _meaning(field: FieldRow) -> str | None:
    if field.value_number is not None:
        number = f"{field.value_number.normalize():,f}"
        cents = max(2, len(number.partition(".")[2]))
        return f"{field.value_number:,.{cents}f} {field.currency}" if field.currency else number
    if field.value_date is not None:
        return field.value_date.isoformat()
    if field.value_bool is not None:
        return "yes" if field.value_bool else "no"
    return None


def _table(table: Table) -> TableEntry:
    cells = tuple(
        CellEntry(
            row=cell.row_index,
            col=cell.col_index,
            rows=cell.row_span,
            cols=cell.col_span,
            text=cell.text,
            rect=rect(cell.box),
            rough=cell.box_source in ROUGH,
        )
        for cell in table.cells
    )
    return TableEntry(
        n_rows=table.n_rows, n_cols=table.n_cols, rect=rect(table.box), rough=table.box_source in ROUGH, cells=cells
    )


def _asked(item: CompletionRecord) -> Asked:
    is_error = item.finish_reason == "error"  # then `raw` is the engine's words, not the model's
    return Asked(
        task=item.task,
        prompt=item.prompt,
        view=item.view,
        rung=item.rung,
        raw=redact(item.raw) if is_error else item.raw,
        finish=item.finish_reason,
        tokens=item.tokens,
        odds=None if item.mean_logprob is None else round(exp(min(0.0, item.mean_logprob)), 4),
    )


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
