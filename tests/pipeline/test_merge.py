"""Which rows of a file hold: those whose page lies in a range of its source."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.merge import kept
from pipeline.parquet import parquet_bytes
from pipeline.places import Places
from pipeline.storage import open_store

RANGES = pa.schema([("source_id", pa.string()), ("first_page", pa.int32()), ("n_pages", pa.int32())])
PAGES = st.sets(st.tuples(st.sampled_from("abcd"), st.integers(0, 12)), max_size=30)
# Of the source d no range is known; ranges of one source do not overlap, as they are cut from a line of marks.
MARKS = st.fixed_dictionaries({source: st.lists(st.booleans(), max_size=12) for source in "abc"})


@settings(max_examples=40, deadline=None)
@given(pages=PAGES, marks=MARKS, seed=st.randoms(use_true_random=False))
def test_rows_hold_whose_page_is_in_a_range(tmp_path_factory, pages, marks, seed):
    """In any order of rows and ranges, exactly the rows of marked pages are kept, in their order, with all of their columns."""
    ordered = seed.sample(sorted(pages), len(pages))
    columns = {"source_id": [source for source, _ in ordered], "page_index": [page for _, page in ordered]}
    schema = pa.schema([("source_id", pa.string()), ("page_index", pa.int32()), ("lines", pa.list_(pa.string()))])
    rows = pa.Table.from_pydict({**columns, "lines": [[source] * page for source, page in ordered]}, schema)
    ranges = [found for source, line in marks.items() for found in _ranges(source, line)]
    seed.shuffle(ranges)
    folder = tmp_path_factory.mktemp("sink")
    (folder / "part.parquet").write_bytes(parquet_bytes(rows))
    found = kept(open_store(str(folder)), Places(str(folder)), "part.parquet", pa.Table.from_pylist(ranges, RANGES))
    expected = [row for row in rows.to_pylist() if any(_holds(each, row) for each in ranges)]
    assert found.to_pylist() == expected


def _ranges(source, line):
    """Return a range for each mark of a line, two pages long where the next page is marked too."""
    page = 0
    while page < len(line):
        if line[page]:
            n_pages = 2 if line[page + 1 : page + 2] == [True] else 1
            yield {"source_id": source, "first_page": page, "n_pages": n_pages}
            page += n_pages
        else:
            page += 1


def _holds(each, row):
    in_range = each["first_page"] <= row["page_index"] < each["first_page"] + each["n_pages"]
    return each["source_id"] == row["source_id"] and in_range
