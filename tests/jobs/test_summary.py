"""The words at the end of a run, and of a recount: what happened, what to do, and what the exit code means."""

import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import get_args

import pyarrow.parquet as pq
import pytest

from jobs.glimpse import glimpse
from jobs.summary import in_words
from jobs.verify import MEANINGS, exit_code
from jobs.verify import in_words as verify_in_words
from schemas.arrow import to_table
from schemas.box import Box, LabelledBox
from schemas.field import FieldRow
from schemas.page import PageRow
from schemas.run import Finding, FindingCode, RunSummary, VerifyReport
from schemas.table import Cell, Table
from schemas.unit import Reject

CELLS = (Cell(row_index=0, col_index=0, text="Soup"), Cell(row_index=0, col_index=1, text="15.00"))
AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
REJECT = Reject(
    stage="open",
    code="password_needed",
    count=2,
    example_uri="s3://in/a.pdf",
    example_page=None,
    message="name its password in source.passwords",
)


def _summary(**changes) -> RunSummary:
    plain = {
        "run_id": "r1", "job_name": "nightly", "sink_uri": "s3://lake/out", "started_at": AT, "ended_at": AT + timedelta(minutes=13),
        "objects_listed": 12, "objects_known": 2, "objects_inspected": 10, "documents_unreadable": 2, "objects_deleted": 0,
        "units_selected": 8, "pages_selected": 100, "pages_ok": 90, "pages_blank": 4, "pages_partial": 1, "pages_failed": 5, "fields": 70,
        "left": 0, "max_reject_rate": 0.1, "rejects": (REJECT,),
    }  # fmt: skip
    return RunSummary.model_validate(plain | changes)


def test_it_says_what_came_in_what_came_out_and_where_it_is():
    """The counts, the place of the datasets and the way to prove them are all there."""
    words = in_words(_summary())
    assert "nightly: run r1, 13 min" in words
    assert "12 objects listed, 2 known from earlier runs, 10 new" in words
    assert "90 pages read, 4 blank, 1 in part, 5 failed; 70 field values" in words
    assert "s3://lake/out/documents, s3://lake/out/pages, s3://lake/out/fields" in words
    assert "pagemill verify s3://lake/out" in words


def test_what_was_chosen_from_rows_came_from_no_listing():
    """Reading or decoding again lists nothing, and no such line is shown; a source in which there is nothing is told of."""
    none = {"objects_listed": 0, "objects_known": 0, "objects_inspected": 0}
    assert "listed" not in in_words(_summary(**none, kind="redecode"))
    assert "0 objects listed" in in_words(_summary(**none, pages_selected=0))


def test_a_rerun_that_chose_nothing_says_what_held_of_no_page():
    """It is not called done, as an expression that was meant otherwise looks the same."""
    words = in_words(
        _summary(kind="rerun", where="confidence < 0", pages_selected=0, documents_unreadable=0, pages_ok=0, rejects=())
    )
    assert "no page of this job that is still at its source has rows of which this holds: confidence < 0" in words
    assert "read already" not in words


def test_documents_that_still_cannot_be_opened_are_no_news():
    """They are told, with how many can be now, and count for nothing in the exit code; pages that were read and rejected do."""
    tried = {"kind": "rerun", "documents_retried": 5, "objects_inspected": 5, "pages_partial": 0, "max_reject_rate": 0.0}
    again = _summary(**tried, pages_failed=0)
    assert "5 documents that could not be opened before, tried again: 3 can be now" in in_words(again)
    assert "2 documents still cannot be opened" in in_words(again)
    assert (again.reject_rate, again.exit_code) == (0.0, 0)
    assert _summary(**tried, pages_failed=1).exit_code == 1


def test_what_was_rejected_is_called_so_where_every_document_could_be_opened():
    """Its lines would else stand below the model's, as if they were that."""
    lines = in_words(_summary(documents_unreadable=0)).splitlines()
    assert lines[lines.index("  rejects   commonest first:") + 1].lstrip().startswith(f"{REJECT.count:,} × ")


def test_taking_corrections_rejects_nothing():
    """A page that is corrected and still lacks something else was in part before: all that was asked for was done."""
    assert _summary(kind="corrections", documents_unreadable=0, max_reject_rate=0.0).exit_code == 0


def test_requests_that_were_made_again_are_counted():
    """A store that fails now and then is told of; one that does not is not mentioned."""
    assert "3 requests made again" in in_words(_summary(store_retries=3))
    assert "made again" not in in_words(_summary())


def test_each_kind_of_reject_has_its_number_its_cure_and_a_place_to_look_at():
    """Documents that could not be opened, and each reason with one example; a page counts from 1 for people."""
    page = REJECT.model_copy(
        update={"stage": "render", "code": "too_slow", "example_page": 3, "message": "raise limits.seconds_per_page"}
    )
    words = in_words(_summary(rejects=(REJECT, page)))
    assert "2 documents could not be opened at all" in words
    assert "2 × open/password_needed: name its password in source.passwords" in words
    assert "for example s3://in/a.pdf\n" in words
    assert "render/too_slow: raise limits.seconds_per_page" in words
    assert "for example s3://in/a.pdf page 4" in words


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "exit code 0: complete"),
        ({"max_reject_rate": 0.05}, "exit code 1: complete, but 7.8% of the pages were rejected, more than the 5.0%"),
        (
            {"left": 3, "left_reasons": ("StorageUnavailable: busy",)},
            "exit code 3: not complete: StorageUnavailable: busy. 3 units of up to 32",
        ),
        (
            {"left": 1, "left_reasons": ("ObjectMissing: no such file: a.pdf",)},
            "exit code 3: not complete: ObjectMissing: no such file: a.pdf. 1 unit of up to 32 pages left. The same command goes on",
        ),
        (
            {"kind": "rerun", "left": 1, "left_reasons": ("ObjectMissing: no such file: a.pdf",)},
            "exit code 3: not complete: ObjectMissing: no such file: a.pdf. 1 unit of up to 32 pages left. `pagemill run` sees what is gone",
        ),
        ({"interrupted": True}, "exit code 3: not complete: it was interrupted. The same command goes on"),
        (
            {"interrupted": True, "stopped": "its budget is spent"},
            "exit code 3: not complete: its budget is spent. The same command goes on",
        ),
    ],
)
def test_the_last_line_says_what_the_exit_code_means(changes, said):
    """Complete, complete with too many rejects, or not complete and what to do then."""
    assert in_words(_summary(**changes)).splitlines()[-1].startswith(said)


def test_a_run_with_nothing_to_do_says_so():
    """An unchanged source is no failure and needs no numbers."""
    words = in_words(_summary(pages_selected=0, documents_unreadable=0, pages_ok=0, rejects=()))
    assert "nothing to do: every page is read already" in words
    assert "rejects" not in words


@pytest.fixture
def sink(tmp_path):
    """Write a small sink, in a folder whose name a shell would trip over."""
    folder = tmp_path / "it's $HOME"
    common = {
        "page_id": "p1",
        "source_id": "s1",
        "source_uri": "s3://in/a.pdf",
        "page_index": 0,
        "run_id": "r1",
        "processed_at": AT,
    }
    page = PageRow(
        **common,
        document_id="d1",
        status="ok",
        text="INVOICE\n no 7",
        text_source="text_layer",
        seconds=0.1,
        job_name="nightly",
        tables=[Table(table_index=0, n_rows=1, n_cols=2, html="", cells=CELLS)],
        boxes=[LabelledBox(label="title", box=Box(x0=9.7, y0=20, x1=80, y1=31))],
    )
    field = FieldRow(
        **common,
        field_id="f1",
        name="total",
        question="what is the total?",
        status="ok",
        value_text="7 EUR",
        value_source="model",
        task_fingerprint="t",
    )
    for name, row in (("pages", page), ("fields", field)):
        part = folder / name / "processed_date=2026-03-04" / "part-1.parquet"
        part.parent.mkdir(parents=True)
        pq.write_table(to_table([row], type(row)), part)
    return folder


def test_the_query_to_try_can_be_pasted_into_a_shell(sink):
    """The printed command, run by a shell as it stands, shows the pages."""
    words = in_words(_summary(sink_uri=str(sink)), python=shlex.quote(sys.executable))
    command = next(line for line in words.splitlines() if line.startswith("  query")).removeprefix("  query").strip()
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert "s3://in/a.pdf" in done.stdout
    assert "INVOICE" in done.stdout


def test_the_proof_names_the_command_as_it_is_reached():
    """After `make demo` nothing is on the path, so the command stands there with its folder."""
    assert "\n  proof     pagemill verify s3://lake/out\n" in in_words(_summary())
    assert "\n  proof     .venv/bin/pagemill verify s3://lake/out\n" in in_words(_summary(), pagemill=".venv/bin/pagemill")


def test_a_glimpse_shows_some_of_each_kind(sink):
    """The first texts, values, tables and things of this run, and of earlier ones only where this one had nothing to do."""
    shown = glimpse(_summary(sink_uri=str(sink)))
    assert "a.pdf:1  [text_layer]  INVOICE no 7" in shown
    assert "a.pdf:1  [model]  total = 7 EUR" in shown
    assert "a.pdf:1  [1 × 2]  Soup | 15.00\n" in shown
    assert "a.pdf:1  title  10, 20 – 80, 31\n" in shown
    assert glimpse(_summary(sink_uri=str(sink), run_id="r2")) == ""
    assert glimpse(_summary(sink_uri=str(sink), run_id="r2", pages_selected=0)) == shown


def test_no_glimpse_where_there_is_nothing_or_it_is_far(tmp_path):
    """An empty sink and one on S3 are left alone."""
    assert glimpse(_summary(sink_uri=str(tmp_path))) == ""
    assert glimpse(_summary()) == ""


def _report(*codes: FindingCode) -> VerifyReport:
    counts = dict.fromkeys(("documents", "pages", "fields", "pages_ok", "pages_blank", "pages_partial", "pages_failed"), 1)
    findings = tuple(Finding(code=code, count=2, example="s3://in/a.pdf page 0") for code in codes)
    return VerifyReport(sink_uri="out", findings=findings, **counts)


def test_every_finding_has_a_meaning_and_a_cure():
    """No code that `verify` may find is without words."""
    assert set(MEANINGS) == set(get_args(FindingCode))
    words = verify_in_words(_report(*MEANINGS))
    assert all(meaning in words for meaning in MEANINGS.values())


def test_a_recounts_exit_code_tells_damage_from_work_that_is_left():
    """0 is exact, 3 is cured by another run, 1 needs a person."""
    assert exit_code(_report()) == 0
    assert exit_code(_report("pages_unread")) == 3
    assert exit_code(_report("pages_unread", "page_doubled")) == 1
    assert "exact: every page" in verify_in_words(_report())
    assert verify_in_words(_report("page_missing")).endswith("not exact")
