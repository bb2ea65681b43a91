"""Task table: HTML with places, x first."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tasks import table
from pipeline.tasks.asks import asks
from schemas.box import Box
from schemas.job import TableTask
from schemas.table import Cell, Table
from schemas.view import Affine, Completion

AFFINE = Affine(1023.0, 0.0, 0.0, 2046.0, 0.0, 0.0)
(TABLE,) = asks(TableTask(type="table"))


def at(x0: int, y0: int, x1: int, y1: int) -> str:
    return f'coords="<loc{x0:04d}><loc{y0:04d}><loc{x1:04d}><loc{y1:04d}>"'


def read(text: str, finish_reason: str = "stop"):
    return TABLE.decode(Completion(text, (), (), finish_reason), AFFINE)


def test_a_table_is_cells_in_a_grid_with_places():
    """Spans take their slots, x stands before y, entities are text, and empty cells have no place."""
    reading = read(
        f'<table><thead><tr><th {at(10, 20, 100, 30)} colspan="2">Item &amp; <b>kind</b></th><td {at(110, 20, 200, 30)}>Price</td></tr></thead>'
        f"<tbody><tr><td {at(10, 40, 50, 80)} rowspan='2'>A</td><td {at(60, 40, 100, 50)}>x<br>y</td><td {at(110, 40, 200, 50)}>5 &lt; 6</td></tr>"
        "<tr><td></td><td></td></tr></tbody></table>"
    )
    assert reading.verdict == "value"
    (found,) = reading.tables
    assert (found.table_index, found.n_rows, found.n_cols) == (0, 3, 3)
    grid = [(cell.row_index, cell.col_index, cell.row_span, cell.col_span, cell.text) for cell in found.cells]
    assert grid == [
        (0, 0, 1, 2, "Item & kind"),
        (0, 2, 1, 1, "Price"),
        (1, 0, 2, 1, "A"),
        (1, 1, 1, 1, "x y"),
        (1, 2, 1, 1, "5 < 6"),
        (2, 1, 1, 1, ""),
        (2, 2, 1, 1, ""),
    ]
    box = found.cells[0].box
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((10, 40, 100, 60))
    assert found.cells[-1].box is None
    assert (found.box.x0, found.box.y0, found.box.x1, found.box.y1) == pytest.approx((10, 40, 200, 160))


def test_the_kept_html_is_clean():
    """The html of a row holds cells, spans and escaped text, and nothing else of what the model wrote."""
    (found,) = read(
        f'<tr><td {at(1, 2, 3, 4)} colspan="2">a &lt;script&gt;</td></tr><tr><td>b</td><td><i>c</i></td></tr>'
    ).tables
    assert found.html == '<table><tr><td colspan="2">a &lt;script&gt;</td></tr><tr><td>b</td><td>c</td></tr></table>'


def test_several_tables_count_in_order():
    """A view may hold more than one table."""
    tables = read("<table><tr><td>a</td></tr></table>\n<table><tr><td>b</td></tr></table>").tables
    assert [(found.table_index, found.cells[0].text, found.box) for found in tables] == [(0, "a", None), (1, "b", None)]


def test_no_table_is_a_result():
    """An empty answer says that there is none."""
    assert (read("").verdict, read("\n").code) == ("absent", "nothing_found")


@pytest.mark.parametrize(
    "text",
    [
        "no table here",
        "<table></table>",
        "<table><tr></tr></table>",
        "<table><tr><td>a</td></tr>",
        "<table><tr><td>a</tr></table>",
        "<table><tr><td>a</td></tr></table> and more",
        "<table>a<tr><td>b</td></tr></table>",
        "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
        '<table><tr><td rowspan="2">a</td></tr></table>',
        '<table><tr><td colspan="0">a</td></tr></table>',
        '<table><tr><td colspan="9999999">a</td></tr></table>',
        '<table><tr><td colspan="two">a</td></tr></table>',
        '<table><tr><td rowspan="2">a</td><td>b</td><td rowspan="2">c</td></tr><tr><td colspan="2">d</td></tr></table>',
        '<table><tr><td onclick="x()">a</td></tr></table>',
        "<table><tr><td><script>x()</script></td></tr></table>",
        "<table><tr><td><table><tr><td>a</td></tr></table></td></tr></table>",
        "<table><!-- a --><tr><td>a</td></tr></table>",
        "<table><![foo[<tr><td>a</td></tr></table>",
        "<table><tr><td>a</td></tr></table><",
        "<table><tr><td>a</td></tr></table><tab",
        "<table><tr><td>a <loc0001></td></tr></table>",
        '<table><tr><td coords="<loc0001><loc0002><loc0003>">a</td></tr></table>',
        '<table><tr><td coords="<loc0001><loc0002><loc0003><loc1024>">a</td></tr></table>',
        '<table><tr><td coords="<loc0005><loc0002><loc0003><loc0009>">a</td></tr></table>',
        '<table><tr><td coords="1 2 3">a</td></tr></table>',
        '<table><tr><td coords="1 2 3 4444">a</td></tr></table>',
        "<table><tr><td coords>a</td></tr></table>",
        "</td>",
    ],
)
def test_damage_rejects_the_answer(text):
    """Broken nesting, ragged or overlapping grids, foreign tags and attributes, and bad places are rejects without a table."""
    reading = read(text)
    assert (reading.verdict, reading.code, reading.tables) == ("reject", "malformed", ())
    assert reading.message


def test_a_tag_that_never_ends_costs_no_time():
    """Ten thousand tags left open are refused at a glance; a parser that looks for each one's end would take a minute."""
    assert read("<table><tr><td>" + "<a " * 10_000).code == "malformed"
    assert read("<table><tr><td>" + "<b " * 10_000).code == "malformed"


def test_a_cut_off_table_is_no_table():
    """A table that ran out of tokens lacks rows."""
    assert read("<table><tr><td>a</td></tr></table>", "length").code == "cut_off"


SOUP = st.lists(
    st.sampled_from(["<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>", f"<td {at(1, 2, 3, 4)}>", '<td rowspan="2">', '<td colspan="3">',
                     "<th>", "</th>", "<b>", "</b>", "<br>", "<br/>", "<td/>", "a", "&amp;", "&#0;", "&", "<", "</", "<!", "<?", "<loc0001>",
                     "<script>", "<title>", "<plaintext>", '"', "'", "<td coords='", "\x00", "<tbody>", "</tbody>"]),
    max_size=16,
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(SOUP | st.text(max_size=60), st.sampled_from(["stop", "length"]))
def test_any_string_has_a_verdict(text, finish_reason):
    """Decoding never raises, and the grid of what it accepts is full."""
    reading = read(text, finish_reason)
    assert bool(reading.tables) == (reading.verdict == "value")
    for found in reading.tables:
        assert sum(cell.row_span * cell.col_span for cell in found.cells) == found.n_rows * found.n_cols


@st.composite
def tables(draw):
    """Make a table with spans, places and empty cells."""
    n_rows, n_cols = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    text = st.text(alphabet="abÄ仪 1.<>&;\"'", max_size=8).map(lambda text: " ".join(text.split()))
    taken: set[tuple[int, int]] = set()
    cells = []
    for row in range(n_rows):
        for col in range(n_cols):
            if (row, col) in taken:
                continue
            down, across = draw(st.integers(1, n_rows - row)), draw(st.integers(1, n_cols - col))
            slots = {(row + r, col + c) for r in range(down) for c in range(across)}
            if slots & taken:
                down, across, slots = 1, 1, {(row, col)}
            taken |= slots
            words = draw(text)
            box = Box(x0=10 * col, y0=30 * row, x1=10 * col + 7, y1=30 * row + 20) if words and draw(st.booleans()) else None
            cells.append(Cell(row_index=row, col_index=col, row_span=down, col_span=across, text=words, box=box))
    return Table(table_index=0, n_rows=n_rows, n_cols=n_cols, html="", cells=tuple(cells))


@settings(max_examples=100, deadline=None)
@given(tables())
def test_what_is_encoded_is_decoded(made):
    """A table written as a training target comes back cell for cell, within a bin."""
    (found,) = read(table.encode([made], AFFINE)).tables
    assert (found.n_rows, found.n_cols) == (made.n_rows, made.n_cols)
    for cell, was in zip(found.cells, made.cells, strict=True):
        assert cell.model_copy(update={"box": None}) == was.model_copy(update={"box": None})
        assert (cell.box is None) == (was.box is None)
        if cell.box:
            assert (cell.box.x0, cell.box.x1) == pytest.approx((was.box.x0, was.box.x1), abs=1)
            assert (cell.box.y0, cell.box.y1) == pytest.approx((was.box.y0, was.box.y1), abs=2)
