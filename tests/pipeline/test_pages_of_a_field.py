"""A field may name its pages: only those are asked, and only those have rows."""

import pytest

from pipeline.serving import Serving
from schemas.job import AnswerField, AnswerTask


@pytest.fixture
def reads(mill, machine):
    """Return a function that runs a job with such fields and gives what the engine was asked, as (page_index, question), in order."""

    def run(*fields, **options):
        heard = []

        def say(request):
            heard.append((request.view.page_index, request.prompt.split()[-1]))
            return machine.said("7")

        serving = lambda job: Serving(job.model, 448, lambda _model, resolution: machine.TinyEngine(say, resolution))  # noqa: E731
        mill.run(mill.job(AnswerTask(type="answer", fields=fields)), serving=serving, **options)
        return sorted(heard)

    return run


def field(name, **more):
    return AnswerField(name=name, question=f"{name}?", **more)


def test_only_those_pages_are_asked(mill, machine, reads):
    """The last page is known by the whole document's length, whichever unit it is in; the others have no row of the field."""
    mill.put("a.pdf", machine.pdf(*(f"page {number}" for number in range(35))))
    heard = reads(field("number", pages="first"), field("total", pages=("last", "2-3")))
    assert heard == [(0, "number?"), (1, "total?"), (2, "total?"), (34, "total?")]
    assert {(row["page_index"], row["name"]) for row in mill.rows("fields")} == {
        (0, "number"),
        (1, "total"),
        (2, "total"),
        (34, "total"),
    }
    assert [row["status"] for row in mill.rows()] == ["ok"] * 35
    assert mill.verify().is_exact
    assert reads(field("number", pages="first"), field("total", pages=("last", "2-3"))) == []


def test_a_document_without_them_says_so(mill, machine, reads):
    """On its last page the field is absent for want of such a page; if it was required, the document lacks it."""
    mill.put("a.pdf", machine.pdf("one", "two"))
    assert reads(field("annex", pages="3-last", required=True)) == []
    (row,) = mill.rows("fields")
    assert (row["page_index"], row["status"], row["reason"]) == (1, "absent", "no_such_page")
    assert [failure["code"] for failure in mill.document("a.pdf")["failures"]] == ["required_missing"]


def test_other_pages_another_day(mill, machine, reads):
    """Changed pages are another question: a backfill asks those, and rows of pages that are no longer asked go."""
    mill.put("a.pdf", machine.pdf("one", "two", "three"))
    reads(field("total", pages="first"))
    assert reads(field("total", pages="last"), backfill=True) == [(2, "total?")]
    assert [row["page_index"] for row in mill.rows("fields")] == [2]
    assert [len(row["completions"]) for row in mill.rows()] == [0, 0, 1]
