"""The seal on a finished job: it holds while nothing is to be done, and breaks at whatever there is to do."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipeline.flow import run
from pipeline.ledger import Ledger
from pipeline.listing import list_source, write_manifest
from pipeline.places import published
from pipeline.questions import questions
from pipeline.seal import Seal
from pipeline.selection import is_done, load_manifest
from schemas.job import OcrTask
from schemas.run import RunOptions


@pytest.fixture
def finished(mill, machine):
    """Return a mill whose job has read two documents, and has found since that nothing is left."""
    mill.put("a.pdf", machine.pdf("one", ""))
    mill.put("b.pdf", machine.pdf("two"))
    mill.run(mill.job())
    assert run(mill.job()).pages_selected == 0
    return mill


def _holds(mill, job=None, *, backfill: bool = False) -> bool:
    """Return whether the next run of a job would stop after its listing."""
    job = job or mill.job()
    manifest = write_manifest(list_source(job.source, sink_uri=mill.sink_uri), mill.store, mill.places.runs("look", "manifest"))
    ledger = Ledger(mill.store, mill.places, "look")
    try:
        held = Seal(mill.store, mill.places, job, backfill=backfill).holds(manifest.digest, ledger)
        assert ledger.loaded is None
    finally:
        ledger.close()
    return held


def test_it_holds_while_nothing_changes(finished, machine):
    """Run after run ends alike, and writes to no dataset and to no record of the ledger."""
    before = machine.files(finished.sink_uri, "documents", "pages", "fields", "_pagemill/ledger")
    for _ in range(2):
        assert _holds(finished)
        summary = run(finished.job())
        assert (summary.objects_listed, summary.objects_known, summary.pages_selected, summary.exit_code) == (2, 2, 0, 0)
    assert machine.files(finished.sink_uri, "documents", "pages", "fields", "_pagemill/ledger") == before


def _another_job(mill) -> None:
    mill.run(mill.job(OcrTask(type="ocr", prompt="read it"), name="another"))


def _stray(mill) -> None:
    mill.store.write(mill.places.file(published("pages", "2026-01-01", "stray")), b"")


def _lost(mill) -> None:
    next(Path(mill.sink_uri).glob("pages/*/part-*")).unlink()


def _unfinished_publication(mill) -> None:
    mill.store.write(mill.places.ledger("replaced", "00000001-x.txt"), b"")


@pytest.mark.parametrize(
    "happen",
    [
        pytest.param(lambda mill: mill.put("c.pdf", b"new"), id="a new object"),
        pytest.param(lambda mill: mill.put("a.pdf", b"changed"), id="a changed object"),
        pytest.param(lambda mill: (mill.source / "a.pdf").unlink(), id="an object less"),
        pytest.param(lambda mill: mill.put("c.pdf", (mill.source / "a.pdf").read_bytes()), id="a copy"),
        pytest.param(_another_job, id="a delivery of another job"),
        pytest.param(_stray, id="a file that the ledger does not name"),
        pytest.param(_lost, id="a file less"),
        pytest.param(_unfinished_publication, id="a publication that was cut off"),
    ],
)
def test_whatever_happens_breaks_it(finished, happen: Callable[[object], object]):
    """Where anything in the source or the sink is otherwise than it was left, a run works out anew what is to be done."""
    happen(finished)
    assert not _holds(finished)


def test_other_questions_have_other_seals(finished, machine):
    """Another task, and a backfill, are not taken for what was found before."""
    more = finished.job(OcrTask(type="ocr"), machine.answer("another"))
    assert not _holds(finished, more)
    assert not _holds(finished, backfill=True)
    assert not _holds(finished, finished.job(name="namesake"))


def test_a_pilot_seals_nothing(mill, machine):
    """A run over the first objects says nothing of the rest."""
    mill.put("a.pdf", machine.pdf("one"))
    mill.run(mill.job())
    run(mill.job(), options=RunOptions(limit=1))
    assert not _holds(mill)


def test_work_that_is_left_is_not_done(mill, machine):
    """Neither an object that was not inspected nor one that was not read can be sealed."""
    mill.put("a.pdf", machine.pdf("one"))
    assert not _is_done(mill)
    mill.run(mill.job(), until="inspect")
    assert not _is_done(mill)
    mill.run(mill.job())
    assert _is_done(mill)
    (fingerprint,) = (question.fingerprint for question in questions(mill.job()))
    assert not _is_done(mill, marks=[fingerprint])  # as if that were the mark of a page that waits for another checkpoint


def _is_done(mill, marks: Sequence[str] = ()) -> bool:
    job = mill.job()
    manifest = write_manifest(list_source(job.source, sink_uri=mill.sink_uri), mill.store, mill.places.runs("look", "manifest"))
    with Ledger(mill.store, mill.places, "look") as ledger:
        load_manifest(ledger, mill.store, manifest.shards)
        asked = [question.fingerprint for question in questions(job)]
        return is_done(ledger, tasks=asked, marks=marks, job_name=job.name, backfill=False)
