"""A report as files: what is in them, what is not, and what they may replace."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from jobs.cli import _run
from jobs.report.build import build
from jobs.report.files import script_json
from jobs.report.history import run_entry
from jobs.report.pictures import chosen
from pipeline.errors import JobError
from schemas.run import RunSummary

SECRETS = ("0123456789abcdef", "AKIAABCDEFGHIJKLMNOP")


def _overview(folder) -> dict:
    return json.loads((folder / "data" / "overview.js").read_text().removeprefix("pagemill.begin(").removesuffix(")\n"))


def _pages(folder) -> list[dict]:
    return json.loads((folder / "data" / "0.js").read_text().removeprefix("pagemill.take(0,").removesuffix(")\n"))


def test_everything_is_counted_and_no_secret_is_told(small, tmp_path):
    """Pages, reasons with examples, fields and runs are in the overview; the words of failures have lost their credentials."""
    build(small, tmp_path / "report", picture_limit=10, is_one_file=False)
    found = _overview(tmp_path / "report")
    assert found["counts"]["pages"] == {"ok": 1}
    assert [(each["name"], each["count"], each["examples"]) for each in found["counts"]["rejects"]] == [
        ("fetch/unreachable", 1, [[1, -1]])
    ]
    assert {each["name"]: (each.get("ok", 0), each.get("invalid", 0)) for each in found["counts"]["field_counts"]} == {
        "total": (1, 0),
        "due": (0, 1),
    }
    assert [each["job"] for each in found["runs"]] == ["job"]
    assert sum(found["throughput"]["pages"]) == 1
    assert found["throughput"]["pages"][30] == 1
    everything = b"".join(path.read_bytes() for path in (tmp_path / "report").rglob("*") if path.is_file()).decode(
        errors="replace"
    )
    assert not [secret for secret in SECRETS if secret in everything]


def test_runs_have_their_price(small, tmp_path):
    """What an hour of a GPU costs, or of a machine that has none, is told with the report, or was told with the last plan; else nothing is said."""
    entries = []
    for price in (None, 3.0):
        build(small, tmp_path / "report", picture_limit=0, is_one_file=False, dollars_per_hour=price)
        entries += _overview(tmp_path / "report")["runs"]
    assert "dollars" not in entries[0]
    assert entries[1]["dollars"] == pytest.approx(entries[1]["seconds"] / 3600 * 3.0, abs=1e-4)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    counts = {name: 0 for name, info in RunSummary.model_fields.items() if info.is_required() and info.annotation is int}
    when = {"started_at": began, "ended_at": began + timedelta(hours=2)}
    ran = RunSummary(run_id="r", job_name="j", sink_uri="out", max_reject_rate=0, **when, **counts)
    assert run_entry(ran, 4.0, 2.5).dollars == 4 * 2 * 2.5
    assert run_entry(ran, 4.0, 2.5).kind is None
    assert run_entry(ran.model_copy(update={"kind": "rerun"}), 4.0, 2.5).kind == "rerun"


def test_pictures_have_the_page_s_shape(shelf, make, tmp_path):
    """Each picture is WebP, 1,200 pixels on its longer side, and the document's own page."""
    path = shelf.pdf("a.pdf", "one", "")
    rows = lambda source: [make("rich", source), type(make("rich", source))(make("page", source, 1, status="blank"), ())]  # noqa: E731
    built = build(shelf.fill([(str(path), rows)]), tmp_path / "report", picture_limit=None, is_one_file=False)
    assert built.pictures == 2
    written, blank = (Image.open(tmp_path / "report" / "pictures" / f"{number}.webp").convert("L") for number in (0, 1))
    assert written.size == (1200, 1200)
    assert written.getextrema()[0] < 60
    assert blank.getextrema()[0] > 240


def test_a_page_whose_document_is_gone_says_so(shelf, make, tmp_path):
    """The report is made all the same, and tells why there is no picture."""
    path = shelf.pdf("a.pdf", "one")
    sink = shelf.fill([(str(path), lambda source: [make("rich", source)])])
    path.unlink()
    built = build(sink, tmp_path / "report", picture_limit=5, is_one_file=False)
    assert (built.pictures, built.unpictured) == (0, 1)
    assert "a.pdf" in _overview(tmp_path / "report")["unpictured"]["0"]


def test_a_small_report_is_one_file_that_asks_for_nothing(small, tmp_path):
    """Everything is in index.html, and nothing in it leads elsewhere."""
    index = build(small, tmp_path / "report", picture_limit=10, is_one_file=None).index
    assert [path.name for path in index.parent.iterdir()] == ["index.html"]
    assert not re.search(r"<(link|script|img)[^>]+(src|href)=", index.read_text())
    assert "default-src 'none'" in index.read_text()


def test_a_report_replaces_a_report_and_nothing_else(small, tmp_path):
    """What stands at its place is kept unless it is a report; a report that fails leaves nothing behind."""
    out = tmp_path / "report"
    build(small, out, picture_limit=0, is_one_file=False)
    build(small, out, picture_limit=0, is_one_file=True)
    assert [path.name for path in out.iterdir()] == ["index.html"]
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    with pytest.raises(JobError, match="no report of ours"):
        build(small, mine, picture_limit=0, is_one_file=None)
    assert (mine / "letter.txt").read_text() == "dear"
    with pytest.raises(JobError, match="holds no results of Pagemill"):
        build(str(tmp_path / "nowhere"), tmp_path / "other", picture_limit=0, is_one_file=None)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".") or path.name == "other"]


def test_the_command_says_what_it_made(small, tmp_path, capsys):
    """`pagemill report` names the file to open, and exits with 2 where there is nothing to show."""
    assert _run(["report", small, "--out", str(tmp_path / "r"), "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "2 documents, 1 page, 1 picture" in out
    assert str(tmp_path / "r" / "index.html") in out
    assert _run(["report", str(tmp_path / "nowhere"), "--quiet"]) == 2


@given(st.text())
def test_no_text_ends_a_script(text):
    """Any JSON in a script is the same JSON, without a mark that HTML or JavaScript would read."""
    written = script_json(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(written) == {"text": text}
    assert not set(written) & set("<>&\u2028\u2029")


@given(st.lists(st.floats(0, 1), max_size=60), st.integers(0, 40))
def test_pictures_go_to_the_worst_and_to_a_sample(qualities, limit):
    """As many pages as asked for, none twice, in order, and the worst half of them are the worst there are."""
    found = chosen(qualities, limit)
    assert found == sorted(set(found))
    assert len(found) == min(limit, len(qualities))
    worst = sorted(range(len(qualities)), key=lambda number: (qualities[number], number))[
        : min(len(qualities), (limit + 1) // 2)
    ]
    assert set(worst) <= set(found)
