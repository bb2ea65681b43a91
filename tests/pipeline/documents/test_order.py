"""Reading order from boxes alone, and tables from the boxes of their cells."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.documents.cells import table_of
from pipeline.documents.order import reading_order
from schemas.box import Box


def line(x: float, y: float, width: float, height: float = 10) -> Box:
    return Box(x0=x, y0=y, x1=x + width, y1=y + height)


def ordered(*boxes: Box) -> list[int]:
    return reading_order(boxes)


def test_a_row_is_read_from_left_to_right():
    """Boxes side by side are one row, even where they do not stand quite level."""
    assert ordered(line(300, 12, 50), line(20, 10, 50), line(150, 8, 50), line(20, 30, 50)) == [1, 2, 0, 3]


def test_a_table_s_cells_are_read_row_by_row():
    """Short pieces side by side are no columns, however many rows there are."""
    cells = [line(20 + 100 * column, 10 + 15 * row, 30) for row in range(10) for column in range(4)]
    assert ordered(*cells) == list(range(40))


def test_three_columns_under_a_heading_that_spans_two():
    """A heading over the second and third column is read with them, after the first."""
    heading = line(200, 0, 350)
    columns = [
        line(20 + 190 * column, 30 + 12 * row, 170 - (60 if row == 9 else 0)) for column in range(3) for row in range(10)
    ]
    assert ordered(*columns, heading) == [*range(10), 30, *range(10, 30)]


def test_a_letterhead_above_the_address_is_read_first():
    """A block at the right, higher than the one at the left, is no second column: what stands higher comes first."""
    sender = [line(350, 20 + 14 * row, 150) for row in range(4)]
    recipient = [line(40, 90 + 14 * row, 150) for row in range(4)]
    assert ordered(*recipient, *sender) == [4, 5, 6, 7, 0, 1, 2, 3]


def test_running_heads_are_no_part_of_the_columns():
    """A date high above the right column, and a page number far below the left one, come first and last."""
    columns = [line(20 + 300 * column, 100 + 12 * row, 260) for column in range(2) for row in range(10)]
    head = [line(20, 20, 60), line(500, 20, 60)]
    number = line(20, 300, 20)
    assert ordered(*columns, *head, number) == [20, 21, *range(20), 22]


def test_a_cell_s_lines_are_read_together():
    """What goes on in a second line within its cell is read before the row's other cells; a loose line under a row is not."""
    rows = [[line(20, 40 * row, 100), line(200, 40 * row, 30), line(300, 40 * row, 30)] for row in range(3)]
    wrapped = line(20, 53, 60)
    assert ordered(*rows[0], *rows[1], wrapped, *rows[2]) == [0, 1, 2, 3, 6, 4, 5, 7, 8, 9]
    loose = line(20, 65, 60)
    assert ordered(*rows[0], *rows[1], loose, *rows[2]) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_what_stands_between_columns_parts_them():
    """Two columns, a line across, two columns: read as four blocks."""
    upper = [line(20 + 300 * column, 10 + 12 * row, 260) for column in range(2) for row in range(4)]
    across = line(20, 70, 560)
    lower = [line(20 + 300 * column, 100 + 12 * row, 260) for column in range(2) for row in range(4)]
    assert ordered(*lower, across, *upper) == [*range(9, 17), 8, *range(8)]


@given(st.lists(st.tuples(st.floats(0, 600), st.floats(0, 800), st.floats(0, 500), st.floats(0, 60)), max_size=40))
@settings(max_examples=100, deadline=None)
def test_every_box_is_read_once(boxes):
    """Whatever stands on the page, nothing is read twice or lost."""
    assert sorted(reading_order([line(*box) for box in boxes])) == list(range(len(boxes)))


def test_spans_are_counted_from_the_grid():
    """A cell spans as many rows and columns as start before its end."""
    boxes = [line(0, 0, 100, 40), line(100, 0, 200, 20), line(100, 20, 100, 20), line(200, 20, 100, 20)]
    table = table_of(2, boxes, ["a", "b <c>", "d\ne", ""])
    assert table is not None
    assert (table.table_index, table.n_rows, table.n_cols) == (2, 2, 3)
    assert [(cell.row_index, cell.col_index, cell.row_span, cell.col_span) for cell in table.cells] == [
        (0, 0, 2, 1),
        (0, 1, 1, 2),
        (1, 1, 1, 1),
        (1, 2, 1, 1),
    ]
    assert (
        table.html
        == '<table><tr><td rowspan="2">a</td><td colspan="2">b &lt;c&gt;</td></tr><tr><td>d<br>e</td><td></td></tr></table>'
    )


def test_a_single_row_is_no_table():
    """Boxes around lines are not taken for tables."""
    assert table_of(0, [line(0, 0, 100), line(100, 0, 100)], ["a", "b"]) is None


def test_lines_of_no_height_end_the_search():
    """Boxes that are points or strokes, as damaged documents have them, are read once as well."""
    boxes = [
        *((0, 0, 0, 0), (0, 114, 52, 0), (102, 2, 72, 1), (102, 105, 117, 0)),
        *((103, 19, 13, 0), (103, 114, 9, 60), (0, 58, 0, 0), (0, 0, 0, 0)),
    ]
    assert sorted(reading_order([line(*box) for box in boxes])) == list(range(8))


def block(x: float, y: float, widths: list[float], pitch: float = 14.0, height: float = 9.0) -> list[Box]:
    return [Box(x0=x, y0=y + pitch * row, x1=x + width, y1=y + pitch * row + height) for row, width in enumerate(widths)]


def test_blocks_side_by_side_are_read_one_after_the_other():
    """An address beside a list of fewer values, or beside one whose lines are not level, and a date beside an address."""
    address = block(40, 100, [90, 80, 100, 95, 110])
    for other in (block(320, 100, [120, 90, 110]), block(320, 106, [120, 90, 110, 60, 80]), block(340, 100, [60])):
        boxes = [*address, *other]
        assert reading_order(boxes) == list(range(len(boxes)))


def test_names_beside_values_and_a_date_beside_a_headline_are_rows():
    """As many values as names, values close to their names, rows that stand apart, and lines of another size: read across."""
    names = block(40, 100, [50, 45, 40, 48])
    for values in (block(300, 100, [40, 60, 50, 70]), block(115, 100, [40, 60])):
        order = reading_order([*names, *values])
        assert order[:4] == [0, 4, 1, 5]
    apart = [*block(40, 100, [50, 45, 40, 48], pitch=22), *block(300, 100, [40, 60], pitch=22)]
    assert reading_order(apart)[:4] == [0, 4, 1, 5]
    masthead = [*block(40, 100, [90]), *block(40, 113, [200], height=20), *block(40, 137, [80]), *block(340, 100, [60])]
    assert reading_order(masthead) == [0, 3, 1, 2]


def test_a_sum_stands_beside_its_name():
    """A few short names with as many short values, level with one another, are read across, though the values fill their column."""
    names = block(300, 100, [60, 62, 64], pitch=20)
    values = block(400, 100, [60, 56, 60], pitch=20)
    assert reading_order([*names, *values]) == [0, 3, 1, 4, 2, 5]


def test_an_address_beside_names_with_their_values():
    """An address is a block beside rows of names and values, too; these are read across."""
    address = block(40, 106, [90, 80, 100])
    pairs = [line for row in range(4) for line in (*block(300, 100 + 14 * row, [40]), *block(360, 100 + 14 * row, [50]))]
    assert reading_order([*address, *pairs]) == list(range(11))


def test_an_address_level_with_names_and_their_values():
    """An address one line longer than the names and values beside it, and level with each, is a block; a table's figures are read by rows."""
    address = block(40, 100, [75, 88, 106, 90])
    pairs = [
        line for row in range(3) for line in (*block(332, 100 + 14 * row, [49 - 9 * row]), *block(403, 100 + 14 * row, [51]))
    ]
    assert reading_order([*address, *pairs]) == list(range(10))
    figures = [
        line
        for row in range(3)
        for line in (*block(350, 100 + 14 * row, [12]), *block(440 - 5 * row, 100 + 14 * row, [20 + 5 * row]))
    ]
    assert reading_order([*address, *figures])[:3] == [0, 4, 5]


def field(x: float, y: float, label: float, value: float | None) -> list[Box]:
    """Return a label and its value under it, if it has one."""
    return [line(x, y, label, 8), *([line(x + 1, y + 13, value, 9.5)] if value else [])]


def test_a_label_is_followed_by_its_value():
    """Fields side by side, a value under each label or none, are read field by field; a table's rows, which are evenly apart, are not."""
    fields = [field(40 + 270 * (n % 2), 90 + 32 * (n // 2), 50, None if n == 2 else 90) for n in range(8)]
    boxes = [box for each in fields for box in each]
    assert reading_order(boxes) == list(range(15))
    rows = [line(40 + 270 * column, 90 + 16 * row, 50) for row in range(8) for column in range(2)]
    assert reading_order(rows) == list(range(16))


def test_lines_that_are_level_by_chance_are_blocks():
    """An address and pairs of labels and values in other steps beside it: two blocks, though one line in three is level."""
    address = block(38, 188, [37, 70, 110, 108], pitch=14.9, height=11)
    numbers = [line(227, 188 + 30.8 * row + 12.7 * half, 60 + 20 * half, 11) for row in range(3) for half in range(2)]
    assert reading_order([*address, *numbers]) == list(range(10))


def test_of_two_blocks_that_hardly_stand_beside_one_another_the_higher_one_is_read_first():
    """A title with its numbers at the right, and a sender lower at the left whose first lines are beside the last number."""
    numbers = [line(320, 56, 100, 15), line(320, 78, 70, 10), line(320, 92, 80, 10)]
    sender = [line(56, 97 + 14 * row, 140 - 30 * row, 10) for row in range(3)]
    assert reading_order([*numbers, *sender]) == list(range(6))


def test_a_name_goes_on_under_itself_beside_its_amount():
    """In a list of names with amounts a line close under a name belongs to it; the last line under the list is no part of it."""
    names = [line(15, y, 80, 9) for y in (87, 100, 111.5, 127, 141, 152)]
    amounts = [line(185, y, 27, 9) for y in (87, 100, 127, 141)]
    assert reading_order([*names, *amounts]) == [0, 6, 1, 2, 7, 3, 8, 4, 9, 5]


def test_columns_that_take_turns_down_the_page_are_none():
    """A sender at the right, an address lower at the left, and a table under both: read from top to bottom."""
    sender = [line(227, 106 + 12.5 * row, 106, 9) for row in range(4)]
    address = [line(39, 170 + 12.5 * row, 90, 9) for row in range(5)]
    table = [line(x, 249 + 18 * row, width, 9) for row in range(2) for x, width in ((53, 20), (144, 60), (291, 22), (336, 40))]
    assert reading_order([*sender, *address, *table]) == list(range(17))


def test_the_marks_of_a_list_stand_with_their_items():
    """A mark that is lower than its line, amid lines that go on under one another, is read right before its own."""
    items = [line(40, 0, 420, 15), line(40, 13, 80, 15), line(40, 29, 420, 15), line(40, 43, 370, 15)]
    marks = [line(17, 3, 7, 8.4), line(17, 32, 7, 8.4)]
    assert ordered(*items, *marks) == [4, 0, 1, 5, 2, 3]
