"""Several pages may answer: the document's one answer, its page, and the rule that chose it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.answers import agreeing, answers
from pipeline.reader import read
from schemas.arrow import from_table, to_table
from schemas.field import AnswerRow, FieldRow

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def row(page: int, text: str | None = None, *, source: str = "s", name: str = "total", **more: object) -> FieldRow:
    status = more.pop("status", "ok" if text else "absent")
    return FieldRow(
        field_id=f"{source}{page}{name}", page_id=f"{source}{page}", source_id=source, source_uri=f"{source}.pdf", page_index=page, name=name,
        question="?", status=status, value_text=text, task_fingerprint="t", run_id="r", processed_at=NOW, **more,
    )  # fmt: skip


def chosen(*rows: FieldRow) -> AnswerRow:
    (only,) = from_table(answers(to_table(rows, FieldRow)), AnswerRow)
    return only


@pytest.mark.parametrize(
    ("rows", "page", "rule"),
    [
        ([row(0), row(1, "7"), row(2)], 1, "only"),
        ([row(0, "INV 7", confidence=0.8), row(1, "inv  7", confidence=0.9)], 1, "agreed"),
        ([row(0, "8", confidence=0.3), row(1, "8", confidence=0.3), row(2, "7", confidence=0.9)], 2, "weight"),
        ([row(0, "7", confidence=0.5), row(1, "8", confidence=0.4), row(2, "8", confidence=0.4)], 1, "weight"),
        ([row(0, "7"), row(1, "8")], 0, "first"),
        ([row(0, "7", confidence=0.99), row(1, "8", value_source="human")], 1, "human"),
        ([row(0), row(1, status="rejected", reason="loop"), row(2, "x", status="invalid")], 2, "none"),
        ([row(0), row(1)], 0, "none"),
    ],
)
def test_one_page_is_chosen_by_a_rule(rows, page, rule) -> None:
    """A person's word, the only value, what all say, what has most confidence behind it, the first page; the order of the rows is nothing."""
    assert (chosen(*rows).page_index, chosen(*rows).rule) == (page, rule)
    assert chosen(*reversed(rows)) == chosen(*rows)


def test_values_are_the_same_by_what_they_mean() -> None:
    """1,200.00 and 1200 are one value, but in another currency another."""
    one, two = row(0, "1,200.00", value_number=Decimal(1200)), row(1, "1200", value_number=Decimal("1200.00"))
    assert (chosen(one, two).rule, chosen(one, two).pages_agreeing) == ("agreed", 2)
    euro = two.model_copy(update={"currency": "EUR"})
    assert (chosen(one, euro).rule, chosen(one, euro).pages_answering) == ("first", 2)


def test_each_document_and_field_has_one_answer() -> None:
    """Rows of other documents and fields do not mix."""
    rows = [row(page, "7", source=source, name=name) for page in (0, 1) for source in "ab" for name in ("number", "total")]
    found = from_table(answers(to_table(rows, FieldRow)), AnswerRow)
    assert [(each.source_id, each.name, each.page_index) for each in found] == [
        ("a", "number", 0),
        ("a", "total", 0),
        ("b", "number", 0),
        ("b", "total", 0),
    ]
    assert from_table(answers(to_table([], FieldRow)), AnswerRow) == []


def test_answers_are_read_like_any_dataset(mill, machine) -> None:
    """`read(sink, "answers")` gives them, whatever run wrote the pages."""
    mill.put("a.pdf", machine.pdf("one", "two"))
    mill.run(mill.job(machine.answer("total")))
    (found,) = from_table(read(mill.sink_uri, "answers"), AnswerRow)
    assert found.pages_answering == 2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            dict,
            status=st.sampled_from(["ok", "ok", "ok", "absent", "invalid"]),
            text=st.sampled_from(["7", "8", " 8  x", "8 X"]),
            value_number=st.sampled_from([None, Decimal(7), Decimal("8.00")]),
            currency=st.sampled_from([None, "EUR"]),
            confidence=st.sampled_from([None, 0.2, 0.5, 0.7]),
            value_source=st.sampled_from(["model", "model", "human"]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_a_document_is_answered_alike_in_a_worker_and_over_a_sink(pages) -> None:
    """Both ways choose the same value, whatever pages say: what a check is held against is what `read(SINK, "answers")` shows."""
    rows = [row(page, **said) for page, said in enumerate(pages)]
    found, mine = chosen(*rows), agreeing(rows)
    assert len(mine) == found.pages_agreeing
    assert found.page_index in mine or (found.rule == "none" and not mine)
