"""Cells under declared columns have values of their types, and columns can be summed and checked."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from pipeline.columns import columned, columns_of
from pipeline.crosscheck import checks, cross_checked
from pipeline.documents.cells import table_of
from pipeline.errors import JobError
from pipeline.readings import record
from pipeline.serving import Serving
from pipeline.settle import Answered, Circumstances, PageFacts, rows
from pipeline.tasks.asks import asks
from schemas.arrow import from_table, to_table
from schemas.box import Box
from schemas.job import AnswerField, AnswerTask, Column, Job, Render, Rung, Sink, Source, TableTask
from schemas.page import PageRow
from schemas.unit import Origin
from schemas.view import Affine, Completion, Region

COLUMNS = (
    Column(name="article", header=("Item", "Description"), required=True),
    Column(name="quantity", header=("Qty",), type="integer", locale="en_US", required=True),
    Column(name="amount", header=("Line total", "Amount"), type="money", locale="en_US"),
)
TABLE = TableTask(type="table", columns=COLUMNS)
TOTAL = AnswerField(name="total", question="total?", type="money", locale="en_US")
SUMMED = AnswerTask(type="answer", fields=(TOTAL,), cross_check=("sum(amount) = total",))
HEADING = ["item", "Qty.", "LINE  TOTAL"]
GIVEN = Circumstances("job", "run", datetime(2026, 1, 1, tzinfo=UTC), "hash", "scripted 1")


def table(*lines, heading=HEADING):
    texts = [text for line in (heading, *lines) for text in line]
    boxes = [Box(x0=100 * (n % 3), y0=20 * (n // 3), x1=100 * (n % 3) + 99, y1=20 * (n // 3) + 19) for n in range(len(texts))]
    return table_of(0, boxes, texts)


def page(*tables, total="€30.00", task=TABLE, cross_check=("sum(amount) = total",)):
    """Return the rows of a page with these tables in its text layer, and what was answered for the total."""
    answer = AnswerTask(type="answer", fields=(TOTAL,), cross_check=cross_check)
    (ask,) = asks(answer)
    whole = Region("page", Affine(600, 0, 0, 800, 0, 0))
    said = Answered(ask, ask.key, (record(ask, whole, 0, Completion(total, (1,), (-0.1,), "stop")),), 448)
    facts = PageFacts(0, 600.0, 800.0, 0).with_text("text", (), tables)
    origin = Origin(source_id="s" * 64, uri="in/a.pdf", version="1", size_bytes=1)
    return again(rows(facts, [said], origin, "d", GIVEN, 1.0), task, answer)


def again(made, task, answer):
    (told,) = cross_checked(columned([made], columns_of([task])), checks([answer]), None)
    return told


def values(made, column):
    cells = [cell for each in made.page.tables for cell in each.cells if cell.column_name == column]
    return [(cell.value.status, cell.value.value_number or cell.value.value_text, cell.text) for cell in cells]


def test_cells_mean_what_their_column_says():
    """What stands over a column names it, case, dots and spaces aside; the text stays, and the heading is no value."""
    made = page(table(["Bolt", "2", "€10.00"], ["Nut", "1,000", "€20.00"]))
    assert values(made, "article") == [("ok", "Bolt", "Bolt"), ("ok", "Nut", "Nut")]
    assert values(made, "quantity") == [("ok", 2, "2"), ("ok", 1000, "1,000")]
    assert values(made, "amount") == [("ok", Decimal("10.00"), "€10.00"), ("ok", Decimal("20.00"), "€20.00")]
    assert {cell.value.currency for cell in made.page.tables[0].cells if cell.column_name == "amount"} == {"EUR"}
    assert made.page.tables[0].cells[0].value is None
    assert made.page.status == "ok"


def test_they_survive_being_written():
    """Values within cells within tables come back from Arrow as they went."""
    made = page(table(["Bolt", "2", "€10.00"], ["Nut", "many", ""]), cross_check=())
    assert from_table(to_table([made.page], PageRow), PageRow) == [made.page]


def test_rows_without_what_is_required_are_no_lines():
    """Sub-totals and notes below the lines stay text, and are not summed."""
    made = page(table(["Bolt", "2", "€10.00"], ["Nut", "1", "€20.00"], ["Subtotal", "", "€30.00"], ["", "", "€30.00"]))
    assert [text for _, _, text in values(made, "amount")] == ["€10.00", "€20.00"]
    assert (made.page.status, made.fields[0].status) == ("ok", "ok")


def test_what_is_no_value_says_why_and_the_page_is_partial():
    """The other cells stand; an empty cell is absent, and that is no fault."""
    made = page(table(["Bolt", "two", "€10.00"], ["Nut", "1", ""]))
    cells = {cell.text: cell.value for cell in made.page.tables[0].cells if cell.value}
    assert cells["two"].reason.startswith("not_a_number")
    assert (cells["two"].value_raw, cells[""].status, cells[""].reason) == ("two", "absent", "empty")
    (failure,) = [each for each in made.page.failures if each.code == "invalid_cells"]
    assert (failure.task, made.page.status) == ("table", "partial")
    assert "1 of 2 cells of quantity are no integer" in failure.message


def test_a_table_of_something_else_stays_as_it_is():
    """None of its headings is a column's."""
    made = page(table(["a", "b", "c"], heading=["Name", "Street", "Town"]), cross_check=())
    assert {cell.column_name for cell in made.page.tables[0].cells} == {None}


def test_the_heading_need_not_come_first():
    """A title row above it names nothing; dates are read in the task's language."""
    task = TableTask(type="table", lang="de", columns=(Column(name="day", header=("Datum",), type="date"),))
    made = page(table(["Datum", "x", "y"], ["3. Mai 2026", "x", "y"], heading=["Liste", "", ""]), task=task, cross_check=())
    assert [cell.value.value_date for cell in made.page.tables[0].cells if cell.column_name] == [date(2026, 5, 3)]


def test_lines_sum_to_the_total():
    """Over all tables of the page; cents are not lost, and rounding of half a cent is forgiven."""
    made = page(table(["Bolt", "2", "€10.00"]), table(["Nut", "1", "€20.00"]))
    assert (made.page.status, made.fields[0].status, made.fields[0].value_number) == ("ok", "ok", 30)


def test_lines_that_do_not_sum_to_the_total_are_invalid_with_it():
    """Nobody can tell which is wrong; what was read stays beside the reason. Read right, all of it is well again."""
    lines = table(["Bolt", "2", "€10.00"], ["Nut", "1", "€20.00"])
    made = page(lines, total="€40.00")
    reason = "cross_check: sum(amount) = total does not hold: 30.00 and 40.00"
    assert (made.fields[0].status, made.fields[0].reason) == ("invalid", reason)
    assert values(made, "amount") == [("invalid", Decimal("10.00"), "€10.00"), ("invalid", Decimal("20.00"), "€20.00")]
    assert {(each.code, each.task) for each in made.page.failures} == {
        ("cross_check", "answer.total"),
        ("cross_check", "table"),
    }
    (field,) = made.fields
    healed = again(replace(made, fields=(field.model_copy(update={"value_number": Decimal(30)}),)), TABLE, SUMMED)
    assert (healed.page.status, healed.page.failures, healed.fields[0].status) == ("ok", (), "ok")
    assert [status for status, *_ in values(healed, "amount")] == ["ok", "ok"]


def test_a_sum_that_is_not_known_says_nothing():
    """A cell that is no number, or no line at all; but an empty cell adds nothing, and another currency is a fault."""
    assert page(table(["Bolt", "2", "l0.00"], ["Nut", "1", "€20.00"]), total="€40.00").fields[0].status == "ok"
    assert page(table(["", "", "€10.00"]), total="€40.00").fields[0].status == "ok"
    assert page(table(["Bolt", "2", "€40.00"], ["Nut", "1", ""]), total="€40.00").fields[0].status == "ok"
    assert "several currencies: EUR, USD" in page(table(["Bolt", "2", "$40.00"]), total="€40.00").fields[0].reason


def job(table_task, *cross_check):
    answer = AnswerTask(type="answer", fields=(TOTAL,), cross_check=cross_check)
    return Job(name="j", source=Source(uri="in"), sink=Sink(uri="out"), tasks=(table_task, answer))


def test_columns_are_checked_with_the_job():
    """What is summed is a declared column of numbers; columns differ, enums have choices, patterns and locales are real."""
    assert job(TABLE, "sum(amount) * 1 = total", "sum(amount) >= sum(quantity)")
    with pytest.raises(ValidationError, match="column of numbers article"):
        job(TABLE, "sum(article) = total")
    with pytest.raises(ValidationError, match="column of numbers amount"):
        job(TableTask(type="table"), "sum(amount) = total")
    with pytest.raises(ValidationError, match="only fields' names, sum"):
        job(TABLE, "max(amount) = total")
    with pytest.raises(ValidationError, match="more than once"):
        TableTask(type="table", columns=(COLUMNS[0], COLUMNS[0]))
    with pytest.raises(ValidationError, match="enum needs its choices"):
        Column(name="a", type="enum")
    with pytest.raises(ValidationError, match="no regular expression"):
        Column(name="a", pattern="(")
    with pytest.raises(JobError, match="column a: no such locale"):
        asks(TableTask(type="table", columns=(Column(name="a", locale="xx_XX"),)))


def test_a_table_with_cells_that_are_no_values_climbs(mill, machine):
    """It is read again on the next rung, and stands as it was read there; one whose cells are values is not."""
    mill.put("good.pdf", machine.pdf("good"))
    mill.put("bad.pdf", machine.pdf("bad", side_pt=220))
    asked = []

    def say(request):
        first = request.view.region.name == "page"
        asked.append((round(request.view.region.affine.box(0, 0, 1, 1).width), request.view.region.name))
        is_bad = first and asked[-1][0] == 220
        rows = (HEADING, ["Bolt", "l0" if is_bad else "10", "€10.00"])
        html = "".join(f"<tr>{''.join(f'<td>{text}</td>' for text in row)}</tr>" for row in rows)
        return machine.said(f"<table>{html}</table>")

    ladder = (Rung(), Rung(tiles="whitespace"))
    job = mill.job(TABLE, render=Render(text_layer="ignore", ladder=ladder))
    mill.run(job, serving=lambda job: Serving(job.model, 448, lambda _model, resolution: machine.TinyEngine(say, resolution)))
    assert sorted(name for _, name in asked) == ["page", "page", "tile-000-padded"]
    assert [name for width, name in asked if width == 200] == ["page"]
    for name in ("good.pdf", "bad.pdf"):
        page = mill.page(name)
        cells = {cell["column_name"]: cell["value"] for cell in page["tables"][0]["cells"] if cell["value"]}
        assert (page["status"], cells["quantity"]["value_number"]) == ("ok", 10)
