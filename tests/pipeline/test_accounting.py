"""Every page of every source object ends as exactly one row, and runs that have nothing to do do nothing."""

import os
from pathlib import Path

import pytest

from pipeline.serving import Serving

pytestmark = pytest.mark.formats


def test_every_page_ends_as_one_row(mill, machine):
    """Pages that are read, blank pages, images and documents that cannot be opened are all accounted for, and all ways of looking agree."""
    mill.put("a.pdf", machine.pdf("one", "", "three"))
    mill.put("b/b.tiff", machine.tiff("one", "two"))
    mill.put("c.pdf", b"")
    mill.put("d.pdf", b"this is no PDF")
    mill.put("e.pdf", machine.pdf("whole")[:200])
    ran = mill.run(mill.job(machine.OCR, machine.answer("total")))
    assert not ran.left
    statuses = {(r["source_uri"].rsplit("/", 1)[1], r["page_index"]): r["status"] for r in mill.rows()}
    assert statuses == {("a.pdf", 0): "ok", ("a.pdf", 1): "blank", ("a.pdf", 2): "ok", ("b.tiff", 0): "ok", ("b.tiff", 1): "ok"}
    assert len(mill.rows("fields")) == 5
    documents = {r["source_uri"].rsplit("/", 1)[1]: r for r in mill.rows("documents")}
    assert {name: row["status"] for name, row in documents.items()} == {
        "a.pdf": "ok", "b.tiff": "ok", "c.pdf": "failed", "d.pdf": "failed", "e.pdf": "failed",
    }  # fmt: skip
    assert [documents[name]["failures"][0]["code"] for name in ("c.pdf", "d.pdf")] == ["empty", "unknown_type"]
    assert documents["e.pdf"]["failures"]
    assert (documents["a.pdf"]["pages_ok"], documents["a.pdf"]["pages_blank"]) == (2, 1)
    report = mill.verify()
    assert report.is_exact
    assert (report.documents, report.pages, report.fields, report.pages_ok, report.pages_blank) == (5, 5, 5, 4, 1)


def test_a_run_over_an_unchanged_source_does_nothing(mill, machine):
    """A second run inspects and selects nothing, asks nothing, and leaves every dataset file as it was, byte by byte."""
    mill.put("a.pdf", machine.pdf("one", "two"))
    mill.put("bad.pdf", b"no")
    mill.run()
    before = machine.files(mill.sink_uri, "documents", "pages", "fields")
    again = mill.run(serving=_no_engine)
    assert (again.listed, again.inspected, again.selected.units, again.requests, again.deleted) == (2, 0, 0, 0, 0)
    assert machine.files(mill.sink_uri, "documents", "pages", "fields") == before
    assert mill.verify().is_exact


def test_an_empty_source_leaves_an_empty_but_exact_sink(mill):
    """A run over nothing publishes nothing, and fails nowhere."""
    ran = mill.run()
    assert (ran.listed, ran.pages) == (0, 0)
    assert mill.rows("documents") == []


def test_a_changed_object_supersedes(mill, machine):
    """After a change the old pages and fields are gone, the old document says superseded, and changing back works as well."""
    first, second = machine.pdf("first", "first again"), machine.pdf("second")
    job = mill.job(machine.OCR, machine.answer("total"))
    mill.put("a.pdf", first)
    mill.run(job)
    old = {r["page_id"] for r in mill.rows()}
    mill.put("a.pdf", second)
    ran = mill.run(job)
    assert (ran.inspected, ran.pages) == (1, 1)
    assert len(mill.rows()) == len(mill.rows("fields")) == 1
    assert not old & {r["page_id"] for r in mill.rows()}
    assert sorted(r["status"] for r in mill.rows("documents")) == ["ok", "superseded"]
    (superseded,) = [r for r in mill.rows("documents") if r["status"] == "superseded"]
    assert (superseded["pages_ok"], superseded["pages_blank"], superseded["pages_failed"]) == (0, 0, 0)
    assert mill.verify().is_exact
    mill.put("a.pdf", first)
    mill.run(job)
    assert len(mill.rows()) == 2
    assert mill.verify().is_exact


def test_the_very_same_version_comes_back(mill, machine):
    """An object that changes and then is again what it was, time and all, shows the rows of its first version, once."""
    path = mill.put("a.pdf", machine.pdf("first", "first again"))
    at = Path(path).stat()
    mill.run()
    first = mill.values()
    mill.put("a.pdf", machine.pdf("second"))
    mill.run()
    mill.put("a.pdf", machine.pdf("first", "first again"))
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))
    mill.run()
    assert [r["page_id"] for r in mill.values()] == [r["page_id"] for r in first]
    assert sorted(r["status"] for r in mill.rows("documents")) == ["ok", "superseded"]
    assert mill.verify().is_exact


def test_a_half_done_version_leaves_the_old_rows_standing(mill, machine):
    """Readers see the old version whole until the new one is whole."""
    mill.put("a.pdf", machine.pdf("old"))
    mill.run()
    mill.put("a.pdf", machine.pdf(*(f"new {n}" for n in range(40))))
    assert mill.run(units_per_part=1, parts=1).selected.units == 2
    mill.compact()
    assert [r["source_id"] for r in mill.rows()] == [mill.document("a.pdf")["source_id"]]
    assert len(mill.rows()) == 1
    assert [finding.code for finding in mill.verify().findings] == ["pages_unread"]
    mill.run()
    assert len(mill.rows()) == 40
    assert mill.verify().is_exact


def test_a_deleted_object_keeps_its_rows(mill, machine):
    """An object that is gone is reported once, its rows stay under status deleted, and it may come back."""
    path = mill.put("a.pdf", machine.pdf("one"))
    mill.put("b.pdf", machine.pdf("two"))
    mill.run()
    at = Path(path).stat()
    data = (mill.source / "a.pdf").read_bytes()
    (mill.source / "a.pdf").unlink()
    assert [mill.run().deleted, mill.run().deleted] == [1, 0]
    assert mill.document("a.pdf")["status"] == "deleted"
    assert mill.page("a.pdf")["status"] == "ok"
    assert mill.verify().is_exact
    mill.put("a.pdf", data)
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))
    back = mill.run()
    assert (back.inspected, back.requests) == (1, 0)
    assert mill.document("a.pdf")["status"] == "ok"
    assert mill.verify().is_exact


def _no_engine(job):
    return Serving(job.model, 448, _must_not_start)


def _must_not_start(model, resolution):
    raise AssertionError(f"{model.engine} at {resolution} should not start")
