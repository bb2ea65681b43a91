"""Required fields: a document of which no page has a valid value is partial, and says so."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.ledger import Ledger
from pipeline.register import incomplete
from pipeline.serving import Serving
from schemas.job import AnswerField, AnswerTask, Model

FIELDS = (
    AnswerField(name="number", question="number?", required=True),
    AnswerField(name="total", question="total?", type="integer", required=True),
    AnswerField(name="note", question="note?"),
)


@pytest.fixture
def reads(mill, machine):
    """Return a function that runs a job whose engine answers, by page and question, what is given, and else that there is nothing."""

    def run(said, job=None, **options):
        def say(request):
            return machine.said(said.get((request.view.page_index, request.prompt.split()[-1]), "unanswerable"))

        serving = lambda job: Serving(job.model, 448, lambda _model, resolution: machine.TinyEngine(say, resolution))  # noqa: E731
        return mill.run(job or mill.job(AnswerTask(type="answer", fields=FIELDS)), serving=serving, **options)

    return run


def test_one_page_with_a_value_is_enough(mill, machine, reads):
    """Other pages may lack it; what is not required nobody misses."""
    mill.put("a.pdf", machine.pdf("one", "two", "three"))
    reads({(0, "number?"): "7", (2, "total?"): "40"})
    assert (mill.document("a.pdf")["status"], mill.document("a.pdf")["failures"]) == ("ok", [])
    assert {row["name"]: row["is_required"] for row in mill.rows("fields")} == {"number": True, "total": True, "note": False}


def test_a_document_without_it_is_partial_and_says_which(mill, machine, reads):
    """An invalid value is none. The pages themselves are as they are, and `verify` finds all in order."""
    mill.put("a.pdf", machine.pdf("one", "two"))
    mill.put("b.pdf", machine.pdf("other", "two"))
    reads({(0, "number?"): "7", (1, "total?"): "many"})
    row = mill.document("a.pdf")
    assert row["status"] == "partial"
    assert [(failure["stage"], failure["code"], failure["task"]) for failure in row["failures"]] == [
        ("settle", "required_missing", "answer.total")
    ]
    assert mill.page("a.pdf")["status"] == "ok"
    assert mill.verify().is_exact
    with Ledger(mill.store, mill.places, "look") as ledger:
        (reject,) = incomplete(ledger, datetime.now(UTC) - timedelta(days=3650))
        assert (reject.code, reject.count, reject.example_uri) == ("required_missing", 2, str(mill.source / "a.pdf"))
        assert incomplete(ledger, datetime.now(UTC) + timedelta(days=1)) == ()


def test_another_jobs_questions_forgive_nothing(mill, machine, reads):
    """A second job that asks something else of the same pages leaves the first one's gap as it is."""
    mill.put("a.pdf", machine.pdf("one"))
    reads({(0, "number?"): "7"})
    reads({}, mill.job(machine.answer("date"), name="other", model=Model(engine="scripted")), backfill=True)
    row = mill.document("a.pdf")
    assert (row["status"], [failure["task"] for failure in row["failures"]]) == ("partial", ["answer.total"])
    assert mill.verify().is_exact


def test_ranges_are_told_apart_page_by_page(book):
    """Of a range of pages that was read again, the other pages keep what they had, and nothing else counts."""
    with book.run() as run:
        known = run.inspect("a.pdf", "1", 3)
        part = run.stage(known, 0, 3)
        (outcome,) = part.outcomes
        first = part.model_copy(
            update={"outcomes": (outcome.model_copy(update={"required": ("total",), "found": ("", "total", "")}),)}
        )
        run.commit(first)
        run.publish()
        assert [row["status"] for row in _documents(book)] == ["ok"]
        part = run.stage(known, 1, 1)
        (outcome,) = part.outcomes
        run.commit(part.model_copy(update={"outcomes": (outcome.model_copy(update={"required": ("total",), "found": ("",)}),)}))
        run.publish()
        assert [row["status"] for row in _documents(book)] == ["partial"]


def _documents(book) -> list[dict[str, object]]:
    from pipeline.reader import read

    return read(book.sink_uri, "documents").to_pylist()
