"""Every query of jobs/examples/queries.md, over a real small run of its job, gives what the documents truly say."""

import re
import shutil
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import yaml

from jobs.synth.document import generate
from pipeline import read
from schemas.job import Job, Model, Source

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "jobs" / "examples"
PAGE = (EXAMPLES / "queries.md").read_text()
NAMES = ("invoice.pdf", "invoice-rotated.pdf", "invoice-scan.pdf")


@pytest.fixture(scope="module")
def place(machine, children, tmp_path_factory):
    """Run the page's job over three invoices and a copy of one of them, with an engine that knows them; return where."""
    folder = tmp_path_factory.mktemp("queries")
    mill = machine.Mill(folder, children, sink_uri=str(folder / "ledger"))
    for name in NAMES:
        shutil.copy(EXAMPLES / "documents" / name, mill.source)
    shutil.copy(EXAMPLES / "documents" / "invoice.pdf", mill.source / "sent-again.pdf")
    truths = shutil.copytree(EXAMPLES / "documents", folder / "truths", ignore=shutil.ignore_patterns("*.pdf", "*.jp2"))
    (mill.source / "odd.pdf").write_bytes(_odd(truths / "odd.truth.json"))
    (written,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    job = Job.model_validate(yaml.safe_load(written)).model_copy(
        update={
            "source": Source(uri=str(mill.source)),
            "sink": mill.job().sink,
            "model": Model(engine="scripted", checkpoint=str(truths)),
        }
    )
    mill.run(job)
    (folder / "vendors.csv").write_text("vendor_number,name\n7,CHUSS LTD.\n8,Chornkoustoud Papers plc\n9,Somebody else\n")
    return folder


def _odd(path):
    """Return an invoice whose values are read as what cannot be together, and write down what is read."""
    data, truth = generate("invoice", 1, "pdf")
    wrong = {"date": "5 January 2026", "subtotal": "€5.00", "total": "€1.00", "supplier": "Odd Goods Inc"}
    (page,) = truth.pages
    fields = tuple(
        each.model_copy(update={"value": each.value.model_copy(update={"value_text": wrong[each.name]})})
        if each.name in wrong
        else each
        for each in page.fields
    )
    path.write_text(truth.model_copy(update={"pages": (page.model_copy(update={"fields": fields}),)}).model_dump_json())
    return data


@pytest.fixture(scope="module")
def asked(place):
    """Return what each section's last query answers, as columns by row, with bare names for uris."""
    answers = {}
    with pytest.MonkeyPatch.context() as patch, duckdb.connect() as connection:
        patch.chdir(place)
        for section in PAGE.split("\n## ")[1:]:
            title, found = section.partition("\n")[0], []
            for block in re.findall(r"```sql\n(.*?)```", section, re.DOTALL):
                for statement in filter(str.strip, block.split(";")):
                    relation = connection.sql(statement)
                    found += [relation.to_arrow_table().to_pylist()] if statement.lstrip().startswith("SELECT") else []
            answers[title] = found
    return answers


def bare(uris):
    return [Path(uri).name for uri in uris]


def test_every_section_answers(asked):
    """None is empty but the one that only gives names."""
    assert {title for title, found in asked.items() if not found} == {"Names for the datasets"}
    assert all(rows for found in asked.values() for rows in found)


def test_a_row_a_document(asked):
    """Its values have their types."""
    (rows,) = asked["A row a document"]
    rows = {Path(row["source_uri"]).name: row for row in rows}
    assert sorted(rows) == sorted([*NAMES, "odd.pdf", "sent-again.pdf"])
    row = rows["invoice.pdf"]
    assert (row["number"], row["supplier"], row["issued"]) == ("181535", "Chuss Ltd", date(2026, 10, 13))
    assert (row["total"], row["currency"]) == (Decimal("21170.71"), "EUR")


def test_tables_as_a_relation(asked):
    """Lines alone, typed; below them, the undeclared way gives all rows as text."""
    lines, texts = asked["Tables as a relation"]
    mine = [row for row in lines if row["source_uri"].endswith("/invoice.pdf")]
    assert [(row["article"], row["quantity"], row["amount"]) for row in mine][:2] == [
        ("Blue clamp", 19, Decimal("333.07")),
        ("Spare hose", 14, Decimal("168.28")),
    ]
    assert sum(row["amount"] for row in mine) == Decimal("17790.51")
    assert all(row["amount_box"]["y1"] > row["amount_box"]["y0"] for row in mine)
    scan = [row for row in lines if row["source_uri"].endswith("scan.pdf")]
    assert [row["amount"] for row in scan] == [Decimal("163.56"), Decimal("78.95"), Decimal("208.34")]
    assert ["Item", "Qty", "Rate", "Line total"] in [row["texts"] for row in texts]


def test_vendors(asked):
    """Spelled otherwise, the vendor is found; who is not in the list has no number."""
    (rows,) = asked["Fields joined with a vendor list"]
    numbers = {Path(row["source_uri"]).name: row["vendor_number"] for row in rows}
    assert numbers == {
        "invoice.pdf": 7,
        "sent-again.pdf": 7,
        "invoice-rotated.pdf": 8,
        "invoice-scan.pdf": None,
        "odd.pdf": None,
    }


def test_pages_to_look_at(asked, place):
    """Those that are not wholly read, or have a value that is little sure: what `read` says of them."""
    (rows,) = asked["Pages to look at by hand"]
    unsure = {
        row["source_uri"] for row in read(str(place / "ledger"), "fields").to_pylist() if (row["confidence"] or 1.0) < 0.8
    }
    partial = {row["source_uri"] for row in read(str(place / "ledger")).to_pylist() if row["status"] == "partial"}
    assert {row["source_uri"] for row in rows} == unsure | partial
    odd = rows[bare(row["source_uri"] for row in rows).index("odd.pdf")]
    assert (odd["page"], odd["status"], odd["doubtful"]) == (1, "partial", ["subtotal", "total"])
    assert "subtotal <= total does not hold" in " ".join(odd["why"])


def test_how_sure(asked, place):
    """Every value is counted once; those of an invoice whose values cannot be together are bad, and neither sure nor unsure."""
    (rows,) = asked["How sure"]
    known = read(str(place / "ledger"), "fields")["source_uri"].to_pylist()
    assert {row["source_uri"]: row["sure"] + row["unsure"] + row["bad"] + row["untold"] for row in rows} == Counter(known)
    assert {bare([row["source_uri"]])[0]: row["bad"] for row in rows}["odd.pdf"] == 2


def test_duplicates(asked):
    """By bytes, and by what they say."""
    copies, sent = asked["Duplicates"]
    assert [bare(row["copies"]) for row in copies] == [["invoice.pdf", "sent-again.pdf"]]
    assert [(row["supplier"], row["number"], bare(row["sent"])) for row in sent] == [
        ("Chuss Ltd", "181535", ["invoice.pdf", "sent-again.pdf"])
    ]


def test_totals_a_month(asked):
    """In each currency."""
    (rows,) = asked["Totals a month"]
    assert [(row["month"], row["currency"], row["total"], row["invoices"], row["without_total"]) for row in rows] == [
        ("2024-04", "USD", Decimal("11702.75"), 1, 0),
        ("2026-01", None, None, 0, 1),
        ("2026-04", "EUR", Decimal("541.02"), 1, 0),
        ("2026-10", "EUR", Decimal("42341.42"), 2, 0),
    ]
