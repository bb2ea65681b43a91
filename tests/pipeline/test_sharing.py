"""Rows that are there already: the same bytes under two keys, tasks that are added, and jobs that share a sink."""

import pytest

from pipeline.errors import JobError
from pipeline.questions import questions
from schemas.job import Model, Render, Source

pytestmark = pytest.mark.formats
IDS = {"page_id", "source_id", "source_uri", "field_id"}


def _same(one, two):
    return {k: v for k, v in one.items() if k not in IDS} == {k: v for k, v in two.items() if k not in IDS}


def test_the_same_bytes_in_one_run_are_read_once(mill, machine):
    """Two objects with the same bytes cost the model one reading; each has rows of its own, the same but for ids and uris."""
    job = mill.job(machine.OCR, machine.answer("total"))
    for name in ("a.pdf", "b/copy.pdf"):
        mill.put(name, machine.pdf("one", "two"))
    ran = mill.run(job)
    assert (ran.requests, ran.pages, ran.selected.units) == (4, 4, 1)
    for index in range(2):
        one, two = mill.page("a.pdf", index), mill.page("b/copy.pdf", index)
        assert one["page_id"] != two["page_id"]
        assert _same(one, two)
        assert _same(mill.field("a.pdf", "total", index), mill.field("b/copy.pdf", "total", index))
    assert mill.document("a.pdf")["document_id"] == mill.document("b/copy.pdf")["document_id"]
    assert mill.verify().is_exact


def test_the_same_bytes_in_a_later_run_are_not_read_again(mill, machine):
    """A copy that comes later takes over the rows that are there, published or only committed, and starts no engine."""
    job = mill.job(machine.OCR, machine.answer("total"))
    mill.put("a.pdf", machine.pdf("one", "two"))
    mill.run(job)
    mill.put("b.pdf", machine.pdf("one", "two"))
    later = mill.run(job)
    assert (later.requests, later.pages) == (0, 2)
    mill.put("c.pdf", machine.pdf("three"))
    mill.run(job, until="commit")
    mill.put("d.pdf", machine.pdf("three"))
    assert (mill.run(job).requests, len(mill.rows())) == (0, 6)
    for one, two, pages in (("a.pdf", "b.pdf", 2), ("c.pdf", "d.pdf", 1)):
        for index in range(pages):
            first, second = (machine.without_circumstances(mill.page(name, index)) for name in (one, two))
            assert _same(first, second)
    assert mill.verify().is_exact


def test_a_copy_for_other_tasks_is_asked_what_is_new(mill, machine):
    """A later copy that another job reads is asked only the questions to which its bytes have no answer yet."""
    mill.put("a/one.pdf", machine.pdf("one"))
    mill.run(mill.job(machine.answer("total"), name="first"))
    mill.put("b/two.pdf", machine.pdf("one"))
    second = mill.job(machine.answer("total", "date"), name="second", source=_folder(mill, "b"))
    assert mill.run(second).requests == 1
    assert mill.field("b/two.pdf", "total")["value_text"] == mill.field("a/one.pdf", "total")["value_text"]
    assert {r["name"] for r in mill.rows("fields") if r["source_uri"].endswith("one.pdf")} == {"total"}
    assert {r["name"] for r in mill.rows("fields") if r["source_uri"].endswith("two.pdf")} == {"total", "date"}
    assert mill.verify().is_exact


def test_a_new_field_is_asked_of_new_objects_and_of_all_with_backfill(mill, machine):
    """Adding a field asks that question alone; old values stay as they were."""
    before, after = mill.job(machine.OCR, machine.answer("total")), mill.job(machine.OCR, machine.answer("total", "date"))
    mill.put("a.pdf", machine.pdf("one"))
    mill.run(before)
    old = machine.without_circumstances(mill.field("a.pdf", "total"))
    text = mill.page("a.pdf")["text"]
    assert mill.run(after).requests == 0
    mill.put("b.pdf", machine.pdf("two"))
    assert mill.run(after).requests == 3
    assert sorted((r["source_uri"][-5:], r["name"]) for r in mill.rows("fields")) == [
        ("a.pdf", "total"), ("b.pdf", "date"), ("b.pdf", "total"),
    ]  # fmt: skip
    asked = mill.run(after, backfill=True)
    assert (asked.requests, asked.pages) == (1, 1)
    assert machine.without_circumstances(mill.field("a.pdf", "total")) == old
    assert mill.field("a.pdf", "date")["status"] == "ok"
    assert mill.page("a.pdf")["text"] == text
    assert sorted(item["task"] for item in mill.page("a.pdf")["completions"]) == ["answer.date", "answer.total", "ocr"]
    assert mill.run(after, backfill=True).requests == 0
    assert mill.verify().is_exact


def test_jobs_with_other_tasks_merge_their_rows(mill, machine):
    """Two jobs over the same source and sink leave one row a page that knows what both asked."""
    mill.put("a.pdf", machine.pdf("one", ""))
    mill.run(mill.job(machine.answer("total"), name="fields"))
    assert mill.page("a.pdf")["text"] is None
    assert mill.run(mill.job(machine.OCR, name="text")).requests == 1
    page = mill.page("a.pdf")
    assert page["text"]
    assert sorted(item["task"] for item in page["completions"]) == ["answer.total", "ocr"]
    assert mill.field("a.pdf", "total")["status"] == "ok"
    assert [r["status"] for r in mill.rows()] == ["ok", "blank"]
    for name in ("fields", "text"):
        tasks = [machine.answer("total")] if name == "fields" else [machine.OCR]
        assert mill.run(mill.job(*tasks, name=name)).selected.units == 0
    assert mill.verify().is_exact


def test_a_question_that_is_changed_and_changed_back_is_asked_again(mill, machine):
    """An answer is replaced by that to a newer question under the same name, so the older question has no answer any more."""
    first = machine.answer("total")
    field = first.fields[0].model_copy(update={"question": "what is the sum?"})
    second = first.model_copy(update={"fields": (field,)})
    mill.put("a.pdf", machine.pdf("one"))
    mill.run(mill.job(first))
    value = mill.field("a.pdf", "total")["value_text"]
    assert mill.run(mill.job(second), backfill=True).requests == 1
    assert mill.field("a.pdf", "total")["value_text"] != value
    assert mill.run(mill.job(first), backfill=True).requests == 1
    assert mill.field("a.pdf", "total")["value_text"] == value
    assert len(mill.rows("fields")) == 1


def test_a_text_layer_that_is_no_longer_preferred_is_replaced(mill, machine):
    """A backfill with another way of taking text reads the text anew, and other answers stay."""
    mill.put("a.pdf", machine.pdf("words of the layer"))
    prefer, ignore = Render(text_layer="prefer"), Render(text_layer="ignore")
    mill.run(mill.job(machine.OCR, render=prefer))
    assert mill.page("a.pdf")["text_source"] == "text_layer"
    mill.run(mill.job(machine.OCR, render=ignore), backfill=True)
    page = mill.page("a.pdf")
    assert (page["text_source"], page["text"].startswith("scripted")) == ("model", True)
    mill.run(mill.job(machine.OCR, render=prefer), backfill=True)
    page = mill.page("a.pdf")
    assert (page["text_source"], page["text"], page["completions"]) == ("text_layer", "words of the layer", [])
    assert mill.verify().is_exact


def test_a_jobs_fingerprints_cover_what_changes_an_answer(mill, machine):
    """Checkpoint, prompt, limits on tokens and text layers change every fingerprint; workers and limits change none."""

    def marks(*tasks, **changes):
        return {question.fingerprint for question in questions(mill.job(*tasks, **changes))}

    ocr = marks(machine.OCR)
    assert ocr == marks(machine.OCR, name="other", limits={"seconds_per_page": 3}, workers={"cpus": 7})
    different = [
        marks(machine.OCR, render=Render(text_layer="compare")),
        marks(machine.OCR, model=Model(engine="scripted", checkpoint="/elsewhere")),
        marks(machine.OCR.model_copy(update={"prompt": "ocr please"})),
        marks(machine.OCR.model_copy(update={"max_tokens": 7})),
    ]
    assert len({frozenset(each) for each in (ocr, *different)}) == 5
    one, two = marks(machine.answer("total")), marks(machine.answer("total", "date"))
    assert one < two


def test_tasks_that_would_overwrite_each_other_are_refused(mill, machine):
    """Two tasks whose rows could not be told apart are an error before anything starts."""
    with pytest.raises(JobError, match="ocr"):
        questions(mill.job(machine.OCR, machine.OCR))


def _folder(mill, name):
    return Source(uri=str(mill.source / name))
