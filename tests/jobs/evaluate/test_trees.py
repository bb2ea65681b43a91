"""TEDS and TEDS-struct against examples counted by hand, and what must hold of any table."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.evaluate.trees import likeness, likenesses
from pipeline.tasks import table as table_task
from schemas.table import Cell, Table
from schemas.view import Affine, Completion


def _table(*rows: str) -> Table:
    """Return a table whose cells are words."""
    cells = tuple(
        Cell(row_index=row, col_index=col, text=text) for row, line in enumerate(rows) for col, text in enumerate(line.split())
    )
    return Table(table_index=0, n_rows=len(rows), n_cols=len(rows[0].split()), html="", cells=cells)


def _of_html(html: str) -> Table:
    said = Completion(text=html, token_ids=(), logprobs=(), finish_reason="stop")
    (found,) = table_task.decode(said, Affine(1, 0, 0, 1, 0, 0)).tables
    return found


TABLES = st.lists(st.lists(st.sampled_from(["a", "bb", "cc"]), min_size=2, max_size=2), min_size=1, max_size=3).map(
    lambda rows: _table(*(" ".join(row) for row in rows))
)


@pytest.mark.parametrize(
    ("said", "true", "words", "structure"),
    [
        (("a b", "c d"), ("a b", "c d"), 1.0, 1.0),
        (("a b", "c x"), ("a b", "c d"), 1 - 1 / 6, 1.0),  # one cell of six nodes has other words
        (("ab b", "c d"), ("ax b", "c d"), 1 - 0.5 / 6, 1.0),  # half of one cell's letters
        (("a b",), ("a b", "c d"), 1 - 3 / 6, 1 - 3 / 6),  # a row and its two cells are missing
        (("a b c", "d e f"), ("a b", "d e"), 1 - 2 / 8, 1 - 2 / 8),  # a column too many
    ],
)
def test_edits_of_trees_are_counted(said, true, words, structure):
    """A table's likeness is 1 − edits over the nodes of the larger, as one counts them."""
    assert likeness(_table(*said), _table(*true)) == pytest.approx(words)
    assert likeness(_table(*said), _table(*true), words=False) == pytest.approx(structure)


def test_a_cell_of_other_spans_is_another_cell():
    """Two cells joined into one cost a changed cell and a lost one."""
    joined = _of_html("<table><tr><td colspan='2'>a</td></tr><tr><td>b</td><td>c</td></tr></table>".replace("'", '"'))
    apart = _table("a x", "b c")
    assert likeness(joined, apart, words=False) == pytest.approx(1 - 2 / 6)


def test_header_tags_make_no_difference():
    """A table means the same with and without thead, th and styles."""
    plain = "<table><tr><td>a</td></tr><tr><td>b</td></tr></table>"
    rich = "<table><thead><tr><th><b>a</b></th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>"
    assert likeness(_of_html(plain), _of_html(rich)) == 1.0


@given(TABLES, TABLES)
@settings(max_examples=25, deadline=None)
def test_likeness_is_symmetric_and_one_of_the_same(one, other):
    """Any two tables are as alike one way as the other; only the same are wholly alike; words can only cost."""
    assert likeness(one, one) == 1.0
    value = likeness(one, other)
    assert 0 <= value <= 1
    assert value == pytest.approx(likeness(other, one))
    assert (value == 1.0) == (one == other)
    assert value <= likeness(one, other, words=False) + 1e-9


def test_tables_are_paired_by_likeness():
    """A table found besides the right one counts as one wrong, wherever it stands; so does one that was not found."""
    right, extra = _table("a b", "c d"), _table("zzz")
    assert likenesses([extra, right], [right]) == [1.0, 0.0]
    assert likenesses([], [right, extra]) == [0.0, 0.0]
    assert likenesses([], []) == []
