"""The ledger's folding: which record of a page holds, which version of an object shows, and what is left to do."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import StorageError
from schemas.arrow import to_table
from schemas.ledger import Committed
from schemas.source import Inspected, identity

PAGES = 8
START = datetime(2026, 3, 1, tzinfo=UTC)

# A commit: which of two documents, the range, when (ties are broken by part_id), and one letter a page.
ranges = st.integers(0, PAGES - 1).flatmap(lambda first: st.tuples(st.just(first), st.integers(1, PAGES - first)))
commits = st.lists(
    st.tuples(st.sampled_from("ab"), ranges, st.integers(0, 5), st.text("obpf", min_size=PAGES, max_size=PAGES)), max_size=12
)


@pytest.fixture(scope="module")
def ledger(machine, tmp_path_factory):
    with machine.Book(str(tmp_path_factory.mktemp("ledger") / "out")).run() as run:
        yield run.ledger


@given(commits, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_latest_record_of_each_page_holds(ledger, history, random):
    """Whatever was committed in whatever order, every page shows its latest record, and ranges never overlap."""
    records, model = [], dict[tuple[str, int], tuple[int, str, str]]()
    for number, (document, (first, count), at, letters) in enumerate(history):
        part_id = f"run/{number:03d}"
        records.append(_record(part_id, document, first, letters[:count], at))
        for offset in range(count):
            key, new = (document, first + offset), (at, part_id, letters[offset])
            model[key] = max(model.get(key, new), new)
    random.shuffle(records)
    ledger.execute("DELETE FROM cover")  # the examples share a ledger
    ledger.insert("units", to_table(records, Committed))
    ledger.fold()
    found = ledger.rows("SELECT source_id, first_page, n_pages, statuses, part_id, pages_file FROM cover")
    pages = [
        ((source_id, first + offset), (part_id, statuses[offset]))
        for source_id, first, count, statuses, part_id, _ in found
        for offset in range(count)
    ]
    assert all(len(row[3]) == row[2] for row in found)
    assert len(pages) == len({key for key, _ in pages})
    assert dict(pages) == {key: (part_id, letter) for key, (_, part_id, letter) in model.items()}
    assert all(row[5] == f"_pagemill/staging/{row[4]}/pages.parquet" for row in found)


def _record(part_id: str, document: str, first: int, letters: str, at: int) -> Committed:
    moment = START.replace(second=at)
    return Committed(
        source_id=document, document_id=document, first_page=first, n_pages=len(letters), statuses=letters, tasks=("t",), jobs=("j",),
        part_id=part_id, run_id="r", job_name="j", processed_at=moment, committed_at=moment,
    )  # fmt: skip


# A step in the life of one object: a version is inspected (with so many pages, or unreadable), pages of it are read, or it goes.
steps = st.lists(
    st.one_of(
        st.tuples(st.just("inspect"), st.sampled_from("123"), st.just(0)),
        st.tuples(st.just("read"), st.sampled_from("123"), st.integers(0, 2)),
        st.tuples(st.just("gone"), st.sampled_from("123"), st.just(0)),
        st.tuples(st.just("publish"), st.just("1"), st.just(0)),
    ),
    min_size=1,
    max_size=10,
)
PAGES_OF = {"1": 3, "2": 2, "3": None}  # version 3 cannot be opened


@given(steps)
@settings(max_examples=15, deadline=None)
def test_a_version_shows_once_it_is_whole(machine, tmp_path_factory, life):
    """Of one object shows the newest version that is whole; datasets say so after any history, and verify agrees."""
    book = machine.Book(str(tmp_path_factory.mktemp("life") / "out"))
    order: list[str] = []  # versions, oldest word first
    read: dict[str, set[int]] = {"1": set(), "2": set(), "3": set()}
    gone: set[str] = set()
    with book.run() as run:
        for step, version, page in life:
            if step == "inspect":
                run.inspect("x.pdf", version, PAGES_OF[version])
                order = [each for each in order if each != version] + [version]
                gone.discard(version)
            elif step == "read" and order and order[-1] == version and page < (PAGES_OF[version] or 0):
                run.commit(run.stage(_known(version), page, 1, word=f"{version}:"))
                read[version].add(page)
            elif step == "gone" and order and order[-1] == version:
                run.inspect("x.pdf", version, PAGES_OF[version], is_present=False)
                gone.add(version)
            elif step == "publish":
                run.publish()
                for other in set(read) - {_live(order, read), order[-1] if order else None}:
                    read[other] = set()  # a publication lets go of what neither shows nor is the newest
    with book.run() as run:
        run.publish()
    live = _live(order, read)
    shown = {(r["source_id"], r["page_index"]) for r in machine.glob(book.sink_uri, "pages")}
    wanted = {(_known(live).source_id, page) for page in range(PAGES_OF[live] or 0)} if live else set()
    assert shown == wanted
    statuses = {r["source_id"]: r["status"] for r in machine.glob(book.sink_uri, "documents")}
    if live:
        expected = "deleted" if live in gone else "failed" if PAGES_OF[live] is None else "ok"
        assert statuses.pop(_known(live).source_id) == expected
    assert set(statuses.values()) <= {"superseded"}
    if order:
        unread = PAGES_OF[order[-1]] is not None and len(read[order[-1]]) < PAGES_OF[order[-1]] and order[-1] not in gone
        assert [f.code for f in machine.verify(book.sink_uri).findings] == (["pages_unread"] if unread else [])


def _live(order, read):
    whole = [each for each in order if PAGES_OF[each] is None or len(read[each]) == PAGES_OF[each]]
    return whole[-1] if whole else None


def _known(version: str) -> Inspected:
    return Inspected(
        source_id=identity("s3://b/x.pdf", version), uri="s3://b/x.pdf", version=version, size_bytes=10,
        document_id=identity("x.pdf", version), page_count=PAGES_OF[version], job_name="book", run_id="r", recorded_at=START,
    )  # fmt: skip


def test_records_of_two_runs_at_once_are_one_ledger(book):
    """What two runs record side by side is all there for a third, and the later record of a page holds."""
    with book.run() as one, book.run() as two:
        known = one.inspect("a.pdf", "1", 4)
        two.ledger.reload()
        early = one.stage(known, 0, 4, word="one")
        late = two.stage(known, 1, 2, word="two")
        two.commit(late, at=book.tick(minutes=2))
        one.commit(early, at=book.tick(minutes=-1))
    with book.run() as third:
        found = third.ledger.rows("SELECT first_page, n_pages, run_id FROM cover ORDER BY first_page")
    assert found == [(0, 1, "run-0001"), (1, 2, "run-0002"), (3, 1, "run-0001")]


def test_a_publication_of_another_run_takes_up_what_is_committed(book, machine):
    """Whoever publishes first publishes all that is committed, and who comes second publishes nothing twice."""
    with book.run() as one, book.run() as two:
        known = one.inspect("a.pdf", "1", 2)
        one.commit(one.stage(known, 0, 2, word="one"))
        other = two.inspect("b.pdf", "1", 1)
        two.commit(two.stage(other, 0, 1, word="two"))
        two.publish()
        assert len(machine.glob(book.sink_uri, "pages")) == 3
        before = machine.files(book.sink_uri, "pages", "fields", "documents")
        one.publish()
        assert machine.files(book.sink_uri, "pages", "fields", "documents") == before
    assert machine.verify(book.sink_uri).is_exact


@pytest.mark.parametrize("kind", ["snapshots/*/units", "snapshots/*/sources", "units/*", "sources/*"])
def test_a_damaged_file_is_named(book, kind):
    """A snapshot or a record that is cut short is an error that names it, and nothing is guessed."""
    with book.run() as run:
        known = run.inspect("a.pdf", "1", 2)
        run.commit(run.stage(known, 0, 2))
        run.publish()
        known = run.inspect("b.pdf", "1", 2)
        run.commit(run.stage(known, 0, 2))
    file = max(Path(book.sink_uri).glob(f"_pagemill/ledger/{kind}.parquet"))  # of records, the one that is not folded yet
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(StorageError, match=rf"{file.name} is damaged and must be restored"), book.run():
        pass
