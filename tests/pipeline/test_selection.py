"""Selection: what is left to do, in ranges that lose nothing of what is there."""

import pyarrow as pa
import pytest

from pipeline.ledger import Ledger
from pipeline.selection import Selected, load_manifest, load_unreadable, select, select_pages, to_inspect, units
from schemas.arrow import from_table, to_table
from schemas.source import Inspected
from schemas.unit import UNIT_PAGES, Unit


@pytest.fixture
def run(book):
    with book.run() as opened:
        yield opened


def _select(run, known, tasks=("t",), job="book", backfill=False):
    """List these versions, select, and return the units."""
    run.ledger.fold()
    load_manifest(run.ledger, run.store, ())
    rows = [{"source_id": k.source_id, "uri": k.uri, "version": k.version, "size_bytes": 1, "modified_at": None} for k in known]
    run.ledger.insert("manifest", pa.Table.from_pylist(rows, run.ledger.table("SELECT * FROM manifest").schema))
    selected = select(run.ledger, tasks=tasks, job_name=job, backfill=backfill)
    found = [unit for batch in units(run.ledger) for unit in from_table(pa.Table.from_batches([batch]), Unit)]
    assert selected == Selected(len(found), sum(unit.n_pages * len(unit.origins) for unit in found))
    return found


def _commit(run, known, first, count, tasks=("t",), jobs=("book",)):
    """Let the ledger hold that these pages are answered; no rows are written."""
    part = run.stage(known, first, count, tasks=tasks, jobs=jobs)
    run.commit(part)
    return part.part_id


def _ranges(found):
    return [(unit.first_page, unit.n_pages) for unit in found]


def test_a_new_document_is_cut_into_units(run):
    """Pages come in ranges of 32, the last one shorter."""
    known = run.inspect("a.pdf", "1", 70)
    found = _select(run, [known])
    assert _ranges(found) == [(0, UNIT_PAGES), (32, UNIT_PAGES), (64, 6)]
    assert all(unit.prior is None for unit in found)
    assert [origin.uri for origin in found[0].origins] == [known.uri]


def test_what_is_read_is_left_alone(run):
    """Settled pages are not selected; the gaps between them are."""
    known = run.inspect("a.pdf", "1", 40)
    _commit(run, known, 5, 10)
    _commit(run, known, 34, 2)
    assert _ranges(_select(run, [known])) == [(0, 5), (15, 17), (32, 2), (36, 4)]
    for first, count in ((0, 5), (15, 17), (32, 2), (36, 4)):
        _commit(run, known, first, count)
    assert _select(run, [known]) == []


def test_unreadable_unlisted_and_superseded_objects_are_not_selected(run):
    """Only the newest listed version with pages has something to read."""
    old, unreadable, unlisted = run.inspect("a.pdf", "1", 2), run.inspect("b.pdf", "1", None), run.inspect("c.pdf", "1", 2)
    new = run.inspect("a.pdf", "2", 3)
    del unlisted
    assert [unit.document_id for unit in _select(run, [new, unreadable])] == [new.document_id]
    assert _select(run, [old, unreadable]) == []


def test_a_new_task_is_asked_only_where_it_should_be(run):
    """Pages that this job has read are left alone unless they are backfilled; another job's pages are asked what they lack."""
    known = run.inspect("a.pdf", "1", 3)
    part = _commit(run, known, 0, 3)
    assert _select(run, [known], tasks=("t", "u")) == []
    for other in ({"backfill": True}, {"job": "other"}):
        (unit,) = _select(run, [known], tasks=("t", "u"), **other)
        assert (unit.first_page, unit.n_pages) == (0, 3)
        assert unit.prior is not None
        assert unit.prior.tasks == ("t",)
        assert unit.prior.jobs == ("book",)
        assert unit.prior.pages_file == f"_pagemill/staging/{part}/pages.parquet"
    assert _select(run, [known], job="other") == []


def test_a_backfill_keeps_the_rows_of_ranges_that_were_cut_up(run):
    """Pages that were read again since lie in ranges of their own; each is backfilled from its own rows, so that none is lost."""
    known = run.inspect("a.pdf", "1", 40)
    _commit(run, known, 0, 32)
    _commit(run, known, 32, 8)
    again = _commit(run, known, 7, 1)
    found = _select(run, [known], tasks=("t", "u"), backfill=True)
    assert _ranges(found) == [(0, 7), (7, 1), (8, 24), (32, 8)]
    assert all(unit.prior and unit.prior.tasks == ("t",) for unit in found)
    assert again in found[1].prior.pages_file


def test_the_same_bytes_are_one_unit(run):
    """Two new objects with the same bytes are read together."""
    one, two = run.inspect("a.pdf", "1", 3, document="d"), run.inspect("b.pdf", "1", 3, document="d")
    (unit,) = _select(run, [one, two])
    assert [origin.source_id for origin in unit.origins] == [one.source_id, two.source_id]


def test_rows_of_the_same_bytes_are_taken_over(run):
    """An object whose bytes were read under another name starts from those rows, however they are cut up, and asks what they lack."""
    one = run.inspect("a.pdf", "1", 40, document="d")
    _commit(run, one, 0, 32)
    _commit(run, one, 10, 1, tasks=("t", "u"))
    two = run.inspect("b.pdf", "1", 40, document="d")
    found = sorted(_select(run, [one, two]), key=lambda unit: unit.first_page)
    assert [(u.first_page, u.n_pages, u.prior and u.prior.tasks) for u in found] == [
        (0, 10, ("t",)), (10, 1, ("t", "u")), (11, 21, ("t",)), (32, 8, None),
    ]  # fmt: skip
    assert [len(unit.origins) for unit in found] == [1, 1, 1, 2]
    assert {unit.prior.jobs for unit in found if unit.prior} == {()}  # nobody has asked of this object yet


def test_a_pages_own_answers_are_never_given_up_for_anothers(run):
    """Rows of the same bytes that answer more of the job, but lack what a page's own rows answer, don't replace them."""
    one, two = run.inspect("a.pdf", "1", 2, document="d"), run.inspect("b.pdf", "1", 2, document="d")
    _commit(run, one, 0, 2, tasks=("mine",), jobs=("mine",))
    _commit(run, two, 0, 2, tasks=("t", "u"), jobs=("other",))
    found = {u.origins[0].source_id: u.prior for u in _select(run, [one, two], tasks=("t", "u", "v"), job="third")}
    assert (found[one.source_id].source_id, found[one.source_id].tasks) == (one.source_id, ("mine",))
    assert (found[two.source_id].source_id, found[two.source_id].tasks) == (two.source_id, ("t", "u"))


def test_rows_that_answer_everything_are_shared(run):
    """Where one of two objects with the same bytes has been asked more, the other takes its rows over and the model is asked once."""
    one, two = run.inspect("a.pdf", "1", 2, document="d"), run.inspect("b.pdf", "1", 2, document="d")
    _commit(run, one, 0, 2, tasks=("t",), jobs=("x",))
    _commit(run, two, 0, 2, tasks=("t", "u"), jobs=("y",))
    (unit,) = _select(run, [one, two], tasks=("t", "u", "v"), job="third")
    assert len(unit.origins) == 2
    assert (unit.prior.source_id, unit.prior.tasks, unit.prior.jobs) == (two.source_id, ("t", "u"), ("x", "y"))


def test_ten_thousand_copies_are_selected_without_comparing_each_with_each(run):
    """Many objects of the same bytes make few units, with all of their rows known already or with none."""
    first = run.inspect("a.pdf", "1", 2, document="d")
    _commit(run, first, 0, 2)
    copies = [
        first.model_copy(update={"source_id": f"{n:05d}", "uri": f"s3://b/{n:05d}.pdf", "version": "1"}) for n in range(10_000)
    ]
    run.ledger.insert("sources", to_table(copies, Inspected))
    (unit,) = _select(run, [first, *copies])
    assert len(unit.origins) == 10_000
    assert unit.prior.source_id == first.source_id


def test_chosen_pages_are_asked_anew(run):
    """A rerun's pages keep only what other jobs know, in ranges that never mix rows that answer different questions."""
    known = run.inspect("a.pdf", "1", 6)
    _commit(run, known, 0, 3, tasks=("other", "t"))
    _commit(run, known, 3, 3, tasks=("t",))
    with run.book.run() as later:
        chosen = pa.table({"source_id": [known.source_id] * 4, "page_index": [1, 2, 3, 5]})
        select_pages(later.ledger, chosen, tasks=("t",), job_name="book", run_id=later.run_id)
        found = [unit for batch in units(later.ledger) for unit in from_table(pa.Table.from_batches([batch]), Unit)]
    assert [(u.first_page, u.n_pages, u.prior.tasks) for u in found] == [(1, 2, ("other",)), (3, 1, ()), (5, 1, ())]


def test_what_is_gone_from_its_source_is_not_read_again(run):
    """Nor is what has changed there since: those bytes are nowhere to be had. Rows that stand can still be put right, which reads nothing."""
    gone, changed, there = (run.inspect(f"{name}.pdf", "1", 1) for name in "abc")
    for known in (gone, changed, there):
        _commit(run, known, 0, 1)
    run.inspect("a.pdf", "1", 1, is_present=False)
    run.inspect("b.pdf", "2", 1)
    chosen = pa.table({"source_id": [known.source_id for known in (gone, changed, there)], "page_index": [0, 0, 0]})
    with run.book.run() as later:
        for tasks, names in ((("t",), ["c.pdf"]), ((), ["a.pdf", "b.pdf", "c.pdf"])):
            select_pages(later.ledger, chosen, tasks=tasks, job_name="book", run_id=later.run_id)
            found = [unit for batch in units(later.ledger) for unit in from_table(pa.Table.from_batches([batch]), Unit)]
            assert [unit.origins[0].uri.rpartition("/")[2] for unit in found] == names


def test_an_object_is_inspected_once_a_version(run):
    """What is new, changed or back is inspected; what is known is not."""
    known, changed, back = run.inspect("a.pdf", "1", 1), run.inspect("b.pdf", "1", 1), run.inspect("c.pdf", "1", 1)
    run.inspect("c.pdf", "1", 1, is_present=False)
    fresh = changed.model_copy(update={"version": "2", "source_id": "fresh"})
    _select(run, [known, fresh, back])
    found = [uri for batch in to_inspect(run.ledger) for uri in batch.column("uri").to_pylist()]
    assert found == [changed.uri, back.uri]


def test_what_could_not_be_opened_is_inspected_again_when_asked_for(mill, machine):
    """A limit or a password may be another now: `again` names the unreadable documents, and nothing that was read."""
    mill.put("a.pdf", machine.pdf("one"))
    mill.put("bad.pdf", b"no document")
    mill.run()
    with Ledger(mill.store, mill.places, "again") as ledger:
        assert load_unreadable(ledger, mill.job().name) == 1
        assert load_unreadable(ledger, "another job") == 0
        load_unreadable(ledger, mill.job().name)
        assert [uri for batch in to_inspect(ledger) for uri in batch.column("uri").to_pylist()] == []
        found = [uri for batch in to_inspect(ledger, again=True) for uri in batch.column("uri").to_pylist()]
    assert found == [str(mill.source / "bad.pdf")]
