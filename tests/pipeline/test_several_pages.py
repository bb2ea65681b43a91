"""Tables and sums that go over several pages of a document."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipeline.conclude import concluded, rules_of
from pipeline.flow import correct
from pipeline.readings import record
from pipeline.serving import Serving
from pipeline.settle import Answered, Circumstances, PageFacts, rows
from pipeline.tasks.asks import asks
from schemas.box import Box
from schemas.correction import Corrections, FieldCorrection
from schemas.job import AnswerField, AnswerTask, Column, Render, TableTask
from schemas.page import Failure
from schemas.table import Cell, Table
from schemas.unit import Origin
from schemas.view import Affine, Completion, Region

COLUMNS = (
    Column(name="article", header=("Item",), required=True),
    Column(name="quantity", header=("Qty",), type="integer", locale="en_US", required=True),
    Column(name="amount", header=("Amount",), type="decimal", locale="en_US"),
)
TABLE = TableTask(type="table", columns=COLUMNS)
HEADING, BOLT, NUT, CARRIED = ["Item", "Qty", "Amount"], ["Bolt", "2", "10.00"], ["Nut", "1", "20.00"], ["Carried", "", "10.00"]
GIVEN = Circumstances("job", "run", datetime(2026, 1, 1, tzinfo=UTC), "hash", "scripted 1")


def field(name, kind="decimal"):
    return AnswerField(name=name, question=f"{name}?", type=kind, locale="en_US")


SUMMED = AnswerTask(type="answer", fields=(field("total"),), cross_check=("sum(amount) = total",))
ADDED = AnswerTask(
    type="answer", fields=(field("net"), field("tax"), field("total"), field("due", "date")), cross_check=("net + tax = total",)
)


def table(*lines, width=300):
    step = width / len(lines[0])
    cells = tuple(
        Cell(row_index=y, col_index=x, text=text, box=Box(x0=step * x, y0=20 * y, x1=step * x + step, y1=20 * y + 19))
        for y, line in enumerate(lines)
        for x, text in enumerate(line)
    )
    whole = Box(x0=0, y0=0, x1=width, y1=20 * len(lines))
    return Table(table_index=0, n_rows=len(lines), n_cols=len(lines[0]), html="", box=whole, cells=cells)


def completion(text):
    return Completion(text, (1,), (-0.1,), "stop")


def document(*pages, task=SUMMED, is_whole=True):
    """Return the rows of a document's pages: of each, what is answered by name, and its tables."""
    whole, origin = (
        Region("page", Affine(600, 0, 0, 800, 0, 0)),
        Origin(source_id="s" * 64, uri="in/a.pdf", version="1", size_bytes=1),
    )
    made = []
    for index, (values, *tables) in enumerate(pages):
        said = [
            Answered(ask, ask.key, (record(ask, whole, 0, completion(values.get(ask.answer_field.name, "unanswerable"))),), 448)
            for ask in asks(task)
        ]
        facts = PageFacts(index, 600.0, 800.0, 0).with_text("text", (), tuple(tables))
        made.append(rows(facts, said, origin, "d", GIVEN, 1.0))
    return ended(made, task, is_whole=is_whole)


def ended(made, task=SUMMED, *, is_whole=True):
    return concluded(made, [frozenset()] * len(made), rules_of((TABLE, task), None), is_whole=is_whole)


def amounts(made):
    cells = [cell for each in made.page.tables for cell in each.cells if cell.column_name == "amount"]
    return [(cell.value.status, cell.value.value_number) for cell in cells]


def said(made, name="total"):
    (row,) = [row for row in made.fields if row.name == name]
    return row.status, row.reason


def test_a_table_that_goes_on_keeps_its_columns():
    """Without its headings too, over as many pages as it takes."""
    found = document(({}, table(HEADING, BOLT)), ({}, table(NUT, BOLT)), ({}, table(BOLT, NUT)))
    assert [[number for _, number in amounts(made)] for made in found] == [[10], [20, 10], [10, 20]]


@pytest.mark.parametrize(
    "other",
    [
        table(["Bolt", "2"], ["Nut", "1"]),
        table(["Herr", "Jan", "Berlin"], ["Frau", "Eva", "Bonn"]),
        table(NUT, BOLT, width=120),
        table(["", "", ""], ["", "", ""]),
    ],
)
def test_another_table_is_none_that_goes_on(other):
    """It has other columns, holds other things, or is not as wide; nor does a table go on behind a page without one."""
    assert amounts(document(({}, table(HEADING, BOLT)), ({}, other))[1]) == []
    assert amounts(document(({}, table(HEADING, BOLT)), ({},), ({}, table(NUT, BOLT)))[2]) == []


def test_only_the_first_such_table_of_a_page_goes_on():
    """What follows is another table."""
    found = document(({}, table(HEADING, BOLT)), ({}, table(NUT), table(BOLT)))
    assert [each.cells[0].column_name for each in found[1].page.tables] == ["article", None]


@pytest.mark.parametrize("second", [(NUT,), (HEADING, NUT), (HEADING, CARRIED, NUT)])
def test_lines_of_several_pages_sum_to_the_total_on_the_last(second):
    """With the headings again or without, and whatever is carried over, which is no line."""
    found = document(({}, table(HEADING, BOLT)), ({"total": "30.00"}, table(*second)))
    assert [made.page.status for made in found] == ["ok", "ok"]
    assert said(found[1]) == ("ok", None)


def test_lines_may_go_on_behind_the_page_that_says_the_total():
    """A summary comes first now and then, and pages of one invoice may each say what they have come to."""
    found = document(({"total": "30.00"}, table(HEADING, BOLT)), ({}, table(NUT)))
    assert said(found[0]) == ("ok", None)
    found = document(({"total": "10.00"}, table(HEADING, BOLT)), ({"total": "30.00"}, table(NUT)))
    assert [said(made)[0] for made in found] == ["ok", "ok"]


def test_lines_that_do_not_sum_up_are_invalid_on_all_their_pages():
    """Nobody can tell which is wrong; each page says so, and what is right again is well everywhere."""
    found = document(({}, table(HEADING, BOLT)), ({"total": "31.00"}, table(NUT)))
    reason = "sum(amount) = total does not hold: 30.00 and 31.00 (pages 1, 2)"
    assert said(found[1]) == ("invalid", f"cross_check: {reason}")
    assert [amounts(made) for made in found] == [[("invalid", 10)], [("invalid", 20)]]
    assert [[(each.task, each.message) for each in made.page.failures] for made in found] == [
        [("table", reason)],
        [("answer.total", f"cross_check: {reason}"), ("table", reason)],
    ]
    assert ended(found) == found
    (total,) = found[1].fields
    by_hand = total.model_copy(update={"value_number": Decimal(30), "status": "ok", "reason": None, "value_source": "human"})
    healed = ended([found[0], replace(found[1], fields=(by_hand,))])
    assert [made.page.status for made in healed] == ["ok", "ok"]
    assert [amounts(made) for made in healed] == [[("ok", 10)], [("ok", 20)]]


def test_a_stack_of_invoices_in_one_file_is_judged_one_by_one():
    """Each page that has the fields is judged by its own; a wrong one takes no other with it."""
    invoices = [({"total": "30.00"}, table(HEADING, BOLT, NUT)) for _ in range(3)]
    invoices[1] = ({"total": "40.00"}, table(HEADING, BOLT, NUT))
    found = document(*invoices)
    assert [said(made)[0] for made in found] == ["ok", "invalid", "ok"]
    assert [{status for status, _ in amounts(made)} for made in found] == [{"ok"}, {"invalid"}, {"ok"}]
    values = [{"net": "10.00", "tax": "1.00", "total": "11.00"}, {"net": "20.00", "tax": "2.00", "total": "29.00"}]
    found = document(*(({**each},) for each in values), task=ADDED)
    assert [{said(made, name)[0] for name in ("net", "tax", "total")} for made in found] == [{"ok"}, {"invalid"}]


def test_fields_on_different_pages_are_held_against_one_another():
    """Of each, what the document answers; pages that say the same are right or wrong together."""
    right = document(({"net": "10.00"},), ({"tax": "1.00", "net": "10.00"},), ({"total": "11.00"},), task=ADDED)
    assert {row.status for made in right for row in made.fields} == {"ok", "absent"}
    wrong = document(({"net": "10.00"},), ({"tax": "1.00", "net": "10.00"},), ({"total": "12.00"},), task=ADDED)
    reason = "cross_check: net + tax = total does not hold: 11.00 and 12.00 (pages 1, 2, 3)"
    assert {(row.status, row.reason) for made in wrong for row in made.fields if row.value_raw} == {("invalid", reason)}
    assert [made.page.status for made in wrong] == ["partial"] * 3


def test_what_may_be_missing_is_held_against_nobody():
    """A page that could not be read may have the other lines, as may one that is not at hand; what does sum up is right all the same."""
    pages = (({}, table(HEADING, BOLT)), ({"total": "60.00"}, table(NUT)))
    assert said(document(*pages, is_whole=False)[1]) == ("ok", None)
    first, last = document(*pages, task=replace_checks())
    lost = replace(first, page=first.page.model_copy(update={"status": "failed", "tables": ()}))
    assert said(ended([lost, last])[1]) == ("ok", None)
    cut = (Failure(stage="decode", code="cut_off", message="", task="table"),)
    unread = replace(first, page=first.page.model_copy(update={"status": "partial", "tables": (), "failures": cut}))
    assert said(ended([unread, last])[1]) == ("ok", None)
    assert said(ended([first, last])[1])[0] == "invalid"


def replace_checks():
    return SUMMED.model_copy(update={"cross_check": ()})


def test_a_page_alone_keeps_what_was_said_of_it_with_the_others():
    """Read again without them, it cannot tell."""
    found = document(({}, table(HEADING, BOLT)), ({"total": "31.00"}, table(NUT)))
    (alone,) = ended([found[1]], is_whole=False)
    assert said(alone)[0] == "invalid"


def test_a_run_holds_pages_against_one_another(mill, machine):
    """From the table task and the answers of a two-page document to its rows; a correction of the total heals both pages."""

    def say(request):
        first = request.view.page_index == 0
        if request.prompt.startswith("answer"):
            return machine.said("unanswerable" if first else "33.00")
        html = "".join(
            f"<tr>{''.join(f'<td>{text}</td>' for text in row)}</tr>" for row in ((HEADING, BOLT) if first else (NUT,))
        )
        return machine.said(f"<table>{html}</table>")

    mill.put("a.pdf", machine.pdf("one", "two"))
    job = mill.job(TABLE, SUMMED, render=Render(text_layer="ignore"))
    mill.run(job, serving=lambda job: Serving(job.model, 448, lambda _model, resolution: machine.TinyEngine(say, resolution)))
    assert [mill.page("a.pdf", index)["status"] for index in (0, 1)] == ["partial", "partial"]
    total = mill.field("a.pdf", "total", 1)
    assert total["reason"] == "cross_check: sum(amount) = total does not hold: 30.00 and 33.00 (pages 1, 2)"
    assert total["box_source"] == "page"
    right = FieldCorrection(
        source_id=total["source_id"], page_index=1, source_uri=total["source_uri"], name="total", value="30.00"
    )
    correct(job, Corrections(fields=(right,)))
    assert [mill.page("a.pdf", index)["status"] for index in (0, 1)] == ["ok", "ok"]
    assert mill.field("a.pdf", "total", 1)["value_source"] == "human"
    assert mill.verify().is_exact


SAYS = {"net": "10.00", "tax": "1.00", "total": "12.00"}


@pytest.fixture
def long(mill, machine):
    """Return the machine over a document of 35 pages, three of which say a value each, and how they are read; the values do not fit."""
    mill.put("long.pdf", machine.pdf(*(f"page {number}" for number in range(35))))
    pages, said = {0: "net", 1: "tax", 34: "total"}, dict(SAYS)

    def say(request):
        name = pages.get(request.view.page_index)
        return machine.said(said[name] if name and name in request.prompt else "unanswerable")

    def serving(job):
        return Serving(job.model, 448, lambda _model, resolution: machine.TinyEngine(say, resolution))

    return mill, mill.job(ADDED), serving, said


def of_long(mill):
    return {name: mill.field("long.pdf", name, page)["status"] for name, page in (("net", 0), ("tax", 1), ("total", 34))}


def test_a_document_that_was_read_in_parts_is_judged_as_a_whole(long):
    """Whichever of its units a value stands in; every page has one row, and each is counted once."""
    mill, job, serving, _ = long
    ran = mill.run(job, serving=serving)
    assert of_long(mill) == {"net": "invalid", "tax": "invalid", "total": "invalid"}
    assert mill.field("long.pdf", "net")["reason"].endswith("does not hold: 11.00 and 12.00 (pages 1, 2, 35)")
    assert ran.commits.pages == {"o": 32, "b": 0, "p": 3, "f": 0}
    assert ran.commits.fields == 35 * len(ADDED.fields)
    assert mill.verify().is_exact
    assert mill.run(job, serving=serving).selected.units == 0


def test_a_page_read_again_is_judged_with_the_others_once_more(long):
    """Where it says now what fits, all that was held against it is well again, and as sure as if nothing had been."""
    mill, job, serving, said = long
    said["total"] = "11.00"
    mill.run(job, serving=serving)
    right = mill.field("long.pdf", "net")["confidence"]
    said["total"] = "12.00"
    mill.rerun(job, "page_index = 34", serving=serving)
    assert mill.field("long.pdf", "net")["confidence"] is None
    said["total"] = "11.00"
    ran = mill.rerun(job, "page_index = 34", serving=serving)
    assert of_long(mill) == {"net": "ok", "tax": "ok", "total": "ok"}
    assert mill.field("long.pdf", "net")["confidence"] == pytest.approx(right)
    assert sum(ran.commits.pages.values()) == 3
    assert mill.verify().is_exact


def test_what_a_killed_run_had_not_judged_the_next_one_does(long):
    """Rows that wait for the others of their document are remembered."""
    mill, job, serving, _ = long
    mill.run(job, serving=serving, until="commit")
    ran = mill.run(job, serving=serving)
    assert ran.requests == 0
    assert of_long(mill) == {"net": "invalid", "tax": "invalid", "total": "invalid"}


def test_redecoding_judges_the_whole_document_too(long):
    """It goes by units as reading does."""
    mill, job, serving, _ = long
    mill.run(job, serving=serving)
    before = mill.values("fields")
    mill.redecode(job)
    assert mill.values("fields") == before
