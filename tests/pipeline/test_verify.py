"""Verify: whatever is done to the files behind the machine's back is found out, each under its code."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.errors import JobError, StorageError
from pipeline.questions import questions

pytestmark = pytest.mark.formats


@pytest.fixture(scope="module")
def sound(machine, tmp_path_factory, sink_format):
    """Return a sink with two documents of each kind, in files of two days, that nothing is wrong with, and a copy of it beside it."""
    book = machine.Book(str(tmp_path_factory.mktemp("sound") / "out"), format=sink_format)
    asked = questions(book.job(machine.answer("total")))
    with book.run() as run:
        for day in range(2):
            book.tick(days=day)
            known = run.inspect(f"{day}.pdf", "1", 3)
            run.commit(run.stage(known, 0, 3, asked=asked))
            run.inspect(f"broken-{day}.pdf", "1", None)
        run.publish()
    assert machine.verify(book.sink_uri).is_exact
    shutil.copytree(book.sink_uri, f"{book.sink_uri}-kept")
    return book


@pytest.fixture
def damaged(sound, machine):
    """Return the sink, sound again, to be damaged; at the same place, since Iceberg names files by their whole paths."""
    shutil.rmtree(sound.sink_uri)
    shutil.copytree(f"{sound.sink_uri}-kept", sound.sink_uri)
    return machine.Book(sound.sink_uri, runs=sound.runs, format=sound.format)


def _part(book, dataset: str) -> Path:
    return min(Path(book.sink_uri, dataset).rglob("*.parquet"))


def _codes(machine, book) -> dict[str, int]:
    return {finding.code: finding.count for finding in machine.verify(book.sink_uri).findings}


def test_a_part_of_pages_deleted(damaged, machine):
    """Its pages are missing, its fields are orphans, and its documents do not add up."""
    _part(damaged, "pages").unlink()
    assert _codes(machine, damaged) == {"file_missing": 1, "page_missing": 3, "field_orphan": 3, "document_wrong": 1}


def test_a_part_of_fields_deleted(damaged, machine):
    """The file is known to be missing."""
    _part(damaged, "fields").unlink()
    assert _codes(machine, damaged) == {"file_missing": 1}


def test_a_part_of_documents_deleted(damaged, machine):
    """The file and its documents are missing."""
    _part(damaged, "documents").unlink()
    assert _codes(machine, damaged) == {"file_missing": 1, "document_missing": 2}


@pytest.mark.parametrize(
    ("dataset", "codes"),
    [
        ("pages", {"file_unknown": 1, "page_doubled": 3, "document_wrong": 1}),
        ("fields", {"file_unknown": 1, "field_doubled": 3}),
        ("documents", {"file_unknown": 1, "document_doubled": 2}),
    ],
)
def test_a_part_doubled(damaged, machine, dataset, codes):
    """A copy under another name counts twice."""
    part = _part(damaged, dataset)
    shutil.copy(part, part.with_name("part-copy.parquet"))
    assert _codes(machine, damaged) == codes


def test_a_part_truncated(damaged, machine):
    """A file that cannot be read is named, and its pages are missing."""
    part = _part(damaged, "pages")
    part.write_bytes(part.read_bytes()[:-100])
    codes = _codes(machine, damaged)
    assert codes["file_unreadable"] == 1
    assert codes["page_missing"] == 3


def test_damage_within_a_part(damaged, machine):
    """Bytes overwritten in the middle of a file's data are found, though its footer is whole."""
    part = _part(damaged, "pages")
    data = bytearray(part.read_bytes())
    data[4:400] = b"\xff" * 396
    part.write_bytes(data)
    assert "file_unreadable" in _codes(machine, damaged)


def test_rows_removed_from_a_part(damaged, machine):
    """A file with fewer rows than were written is named, and so are the pages."""
    part = _part(damaged, "pages")
    pq.write_table(pq.read_table(part, partitioning=None).slice(1), part)
    codes = _codes(machine, damaged)
    assert (codes["file_unreadable"], codes["page_missing"]) == (1, 1)


def test_a_row_replaced_in_a_part(damaged, machine):
    """The number of rows alone proves nothing: one page twice in another's place is found."""
    part = _part(damaged, "pages")
    pq.write_table(pq.read_table(part, partitioning=None).take([0, 0, 2]), part)
    assert _codes(machine, damaged) == {"page_missing": 1, "page_doubled": 1, "field_orphan": 1}


def test_a_stray_file(damaged, machine):
    """A file that no run published is named even if it has no rows that matter."""
    part = _part(damaged, "pages")
    pq.write_table(pq.read_table(part, partitioning=None).slice(0, 0), part.with_name("mine.parquet"))
    assert _codes(machine, damaged) == {"file_unknown": 1}


def test_rows_of_unknown_pages(damaged, machine, tmp_path):
    """Rows from another sink, under a name of ours, are pages that the ledger does not know."""
    other = machine.Book(str(tmp_path / "other"), format=damaged.format)
    with other.run() as run:
        run.commit(run.stage(run.inspect("strange.pdf", "1", 2), 0, 2))
        run.publish()
    shutil.copy(_part(other, "pages"), _part(damaged, "pages").with_name("part-other.parquet"))
    assert _codes(machine, damaged) == {"file_unknown": 1, "page_unknown": 2}


def test_a_lost_commit_record(damaged, machine):
    """Pages whose record was lost before a publication are unread again, and their run must be repeated."""
    with damaged.run() as run:
        known = run.inspect("late.pdf", "1", 2)
        run.commit(run.stage(known, 0, 2))
    newest = max(Path(damaged.sink_uri).glob("_pagemill/ledger/units/*"))
    newest.unlink()
    assert _codes(machine, damaged) == {"pages_unread": 1}


def test_a_lost_snapshot(damaged, machine):
    """A ledger that lost its snapshot is reported as such, in words."""
    for path in Path(damaged.sink_uri).glob("_pagemill/ledger/snapshots/*/units.parquet"):
        path.unlink()
    with pytest.raises(StorageError, match=r"the ledger is damaged.*units\.parquet"):
        machine.verify(damaged.sink_uri)


def test_what_is_committed_and_not_published_is_told(damaged, machine):
    """Between a commit and its publication plain globs are not exact, and verify does not say they are."""
    with damaged.run() as run:
        known = run.inspect("late.pdf", "1", 2)
        run.commit(run.stage(known, 0, 2))
    assert _codes(machine, damaged) == {"page_missing": 2, "document_missing": 1}


def test_no_sink(tmp_path, machine):
    """A folder without results is an error that says so."""
    with pytest.raises(JobError, match="holds no results"):
        machine.verify(str(tmp_path))
