"""The text layer: what a person sees is text, what nobody sees is counted, and nonsense is found out."""

import io
from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest
from PIL import Image, ImageDraw, ImageFont

from pipeline.documents.pdf import PdfDocument
from pipeline.documents.textlayer import TextLayer
from schemas.job import Limits

PROSE = (
    "The committee met in the morning and heard the report of the treasurer, which was accepted without a vote.",
    "Members then turned to the matter of the bridge, whose repair had been put off for the second year.",
    "It was agreed that three offers should be sought before the winter, and that the cheapest need not be taken.",
)

Draw = Callable[[pymupdf.Page], object]


@pytest.fixture
def layer(tmp_path: Path) -> Callable[..., TextLayer]:
    """Return the text layer of a page that is drawn by the functions given."""

    def read(*draws: Draw, width: float = 595, height: float = 842) -> TextLayer:
        with pymupdf.open() as document:
            page = document.new_page(width=width, height=height)
            for draw in draws:
                draw(page)
            document.save(tmp_path / "a.pdf")
        document = PdfDocument(tmp_path / "a.pdf", Limits(), ())
        found = document.probe(0, text_layer=True).text_layer
        document.close()
        assert found is not None
        return found

    return read


def prose(page: pymupdf.Page) -> None:
    for row, line in enumerate(PROSE):
        page.insert_text((60, 100 + 16 * row), line, fontsize=9)


def scan(page: pymupdf.Page) -> None:
    """Cover the page with a picture of other text."""
    picture = Image.new("L", (1190, 1684), 245)
    draw = ImageDraw.Draw(picture)
    for row in range(45):
        draw.text(
            (120, 100 + 34 * row),
            f"{row} Printed words that only the picture holds, line after line.",
            fill=20,
            font=ImageFont.load_default(24),
        )
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=70)
    page.insert_image(page.rect, stream=stream.getvalue())


def test_visible_text_is_trusted(layer):
    """Text that is seen is the layer, line by line, with boxes in points."""
    found = layer(prose)
    assert (found.verdict, found.reason, found.hidden_chars) == ("trusted", None, 0)
    assert tuple(line.text for line in found.lines) == PROSE
    assert found.text == "\n".join(PROSE)
    box = found.lines[1].box
    assert box is not None
    assert box.x0 == pytest.approx(60, abs=1)
    assert box.y0 < 116 < box.y1 < 121


@pytest.mark.parametrize(
    ("name", "hide"),
    [
        ("invisible", lambda page: page.insert_text((60, 400), "secret word", render_mode=3)),
        ("clear", lambda page: page.insert_text((60, 400), "secret word", fill_opacity=0)),
        ("white on white", lambda page: page.insert_text((60, 400), "secret word", color=(1, 1, 1))),
        ("off the page", lambda page: page.insert_text((-400, 400), "secret word")),
        ("below the page", lambda page: page.insert_text((60, 1400), "secret word")),
        ("too small", lambda page: page.insert_text((60, 400), "secret word", fontsize=0.3)),
    ],
)
def test_hidden_text_is_counted_and_never_text(layer, name, hide):
    """Text that nobody sees is left out and reported, spaces aside."""
    found = layer(prose, hide)
    assert (found.verdict, found.hidden_chars) == ("trusted", len("secretword")), name
    assert found.text == "\n".join(PROSE)


def test_text_outside_the_crop_is_hidden(layer):
    """What the crop box cuts off is not on the page, and boxes count from the crop's corner."""
    found = layer(
        prose,
        lambda page: page.insert_text((60, 700), "cut off"),
        lambda page: page.set_cropbox(pymupdf.Rect(50, 50, 595, 600)),
    )
    assert found.hidden_chars == 6
    assert found.lines[0].text == PROSE[0]
    box = found.lines[0].box
    assert box is not None
    assert box.x0 == pytest.approx(10, abs=1)


def test_text_under_a_box_or_an_image_is_hidden(layer):
    """Text that is painted over cannot be read, whatever covers it."""
    found = layer(
        prose,
        lambda page: page.insert_text((60, 400), "blacked out"),
        lambda page: page.draw_rect(pymupdf.Rect(50, 380, 300, 410), color=None, fill=(0, 0, 0)),
        lambda page: page.insert_text((60, 500), "behind an image"),
        lambda page: page.insert_image(pymupdf.Rect(50, 480, 300, 510), stream=_noise(), keep_proportion=False),
    )
    assert found.hidden_chars == len("blackedout") + len("behindanimage")
    assert found.text == "\n".join(PROSE)


def test_white_text_on_a_dark_ground_is_seen(layer):
    """White print on black, drawn or a photograph, is text like any other."""
    found = layer(
        lambda page: page.draw_rect(pymupdf.Rect(0, 380, 300, 420), color=None, fill=(0, 0, 0.3)),
        lambda page: page.insert_text((60, 400), "White on blue", color=(1, 1, 1)),
        lambda page: page.insert_text((60, 500), "Light gray", color=(0.75, 0.75, 0.75)),
    )
    assert found.text == "White on blue\nLight gray"
    assert found.hidden_chars == 0


def test_an_ocr_layer_is_not_what_a_person_sees(layer):
    """The invisible text of an OCR program over a scan is counted, and the model reads the picture."""
    found = layer(
        scan,
        lambda page: [page.insert_text((60, 60 + 17 * row), "what a program once guessed", render_mode=3) for row in range(40)],
    )
    assert (found.verdict, found.text) == ("empty", "")
    assert found.hidden_chars == 40 * len("whataprogramonceguessed")
    assert "hidden" in (found.reason or "")


def test_a_stamp_on_a_scan_is_not_the_page(layer):
    """A few words beside a picture full of print are not the page's text."""
    found = layer(scan, lambda page: page.insert_text((60, 30), "Case 1:15-cv-00041 Document 7 Filed 12/16/15", fontsize=9))
    assert found.verdict == "empty"
    assert "images cover" in (found.reason or "")


def test_a_page_without_text_is_empty(layer):
    """No layer is no reason to trust one."""
    found = layer(lambda page: page.draw_line((10, 10), (200, 200)))
    assert (found.verdict, found.reason, found.lines) == ("empty", "no text", ())


def test_two_columns_are_read_one_after_the_other(layer):
    """Whatever order they are drawn in, columns are read from top to bottom, below their heading and above their foot."""
    left = [f"left column, line number {row} of it" for row in range(12)]
    right = [f"right column, line number {row} of it" for row in range(12)]

    def columns(page: pymupdf.Page) -> None:
        page.insert_text((150, 60), "A heading over both of the columns of this page", fontsize=14)
        for row in range(12):
            page.insert_text((320, 100 + 15 * row), right[row], fontsize=10)
            page.insert_text((60, 100 + 15 * row), left[row], fontsize=10)
        page.insert_text(
            (60, 320), "A foot that runs below both columns, from the left side of the page to the right one.", fontsize=11
        )

    found = layer(columns)
    assert [line.text for line in found.lines][1:-1] == left + right
    assert found.text.startswith("A heading")
    assert found.lines[-1].text.startswith("A foot")


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_turned_page_is_read_as_it_is_seen(layer, rotation):
    """/Rotate turns the boxes with the page, and lines are read in the order in which a person sees them."""

    def turned(page: pymupdf.Page) -> None:
        page.set_rotation(rotation)
        for row, word in enumerate(("first", "second", "third")):
            page.insert_text(pymupdf.Point(40, 80 + 30 * row) * page.derotation_matrix, word, fontsize=12, rotate=rotation)

    found = layer(turned, width=400, height=300)
    assert [line.text for line in found.lines] == ["first", "second", "third"]
    boxes = [line.box for line in found.lines]
    assert all(box is not None and box.x0 == pytest.approx(40, abs=2) and box.width > box.height for box in boxes)
    assert boxes[2] is not None
    assert boxes[2].y0 < 140 < boxes[2].y1 < 150


def test_ligatures_and_hyphens(layer):
    """Ligatures are the letters they join; a hyphen at a line's end stays where it is seen."""

    def joined(page: pymupdf.Page) -> None:
        writer = pymupdf.TextWriter(page.rect)
        writer.append((60, 100), "the ef\ufb01cient of\ufb01ce of-", font=pymupdf.Font("helv"))
        writer.append((60, 115), "fers an affi-davit", font=pymupdf.Font("helv"))
        writer.write_text(page)

    assert layer(joined).text == "the efficient office of-\nfers an affi-davit"


def test_print_that_runs_up_the_page_is_read(layer):
    """A line along the margin is one line, its box upright around it."""
    found = layer(prose, lambda page: page.insert_text((30, 500), "up the margin", rotate=90))
    (line,) = (line for line in found.lines if line.text == "up the margin")
    assert line.box is not None
    assert line.box.height > 4 * line.box.width


def test_tables_have_rows_columns_and_spans(layer):
    """Ruled cells become a table whose texts, spans and HTML are what is drawn; hidden text is in none of them."""

    def ruled(page: pymupdf.Page) -> None:
        for y in (100, 120, 140, 160):
            page.draw_line((100, y), (400, y))
        for x in (100, 200, 300, 400):
            page.draw_line((x, 120 if x in (200, 300) else 100), (x, 160))
        page.insert_text((110, 115), "Amounts & dates", fontsize=9)
        for row in range(2):
            for column in range(3):
                page.insert_text((110 + 100 * column, 135 + 20 * row), f"r{row}c{column}", fontsize=9)
        page.insert_text((150, 155), "ghost", fontsize=9, render_mode=3)

    (table,) = layer(ruled).tables
    assert (table.table_index, table.n_rows, table.n_cols) == (0, 3, 3)
    assert table.html == (
        '<table><tr><td colspan="3">Amounts &amp; dates</td></tr><tr><td>r0c0</td><td>r0c1</td><td>r0c2</td></tr>'
        "<tr><td>r1c0</td><td>r1c1</td><td>r1c2</td></tr></table>"
    )
    cell = table.cells[-1]
    assert (cell.row_index, cell.col_index, cell.text) == (2, 2, "r1c2")
    assert cell.box is not None
    assert (cell.box.x0, cell.box.y1) == (pytest.approx(300, abs=1), pytest.approx(160, abs=1))


@pytest.mark.parametrize(
    ("name", "meaning", "verdict", "reason"),
    [
        ("true", lambda letter: letter, "trusted", ""),
        ("private", lambda letter: chr(0xE000 + ord(letter)), "nonsense", "private"),
        ("unknown", lambda _: "\ufffd", "nonsense", "private"),
        ("shifted", lambda letter: chr(ord(letter) + 7), "nonsense", "scrambled"),
        ("one letter", lambda _: "x", "nonsense", "the same"),
        ("Latin-1", lambda letter: chr(0xC0 + ord(letter) % 0x40), "nonsense", "Latin-1"),
    ],
)
def test_a_font_that_lies_is_found_out(layer, name, meaning, verdict, reason):
    """Glyphs that look right and mean something else, as broken ToUnicode tables have it, are not trusted."""

    def lying(page: pymupdf.Page) -> None:
        font = pymupdf.Font("helv")
        writer = pymupdf.TextWriter(page.rect)
        for row, line in enumerate(PROSE):
            writer.append((60, 100 + 16 * row), line, font=font, fontsize=9)
        writer.write_text(page)
        letters = sorted(set("".join(PROSE)) - {" "})
        table = "".join(f"<{font.has_glyph(ord(letter)):04x}> <{ord(meaning(letter)):04x}>\n" for letter in letters)
        blank = f"<{font.has_glyph(32):04x}> <0020>\n"
        document = page.parent
        (xref,) = (
            x
            for x in range(1, document.xref_length())
            if document.xref_is_stream(x) and b"begincmap" in document.xref_stream(x)
        )
        head = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        body = (
            f"1 begincodespacerange <0000> <ffff> endcodespacerange\n{len(letters) + 1} beginbfchar\n{blank}{table}endbfchar\n"
        )
        document.update_stream(xref, (head + body + "endcmap end end").encode())

    found = layer(lying)
    assert found.verdict == verdict, (name, found.text[:80])
    assert reason in (found.reason or "")


def _noise() -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((250, 30), 120).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("side", [5_000, 14_400, 100_000])
@pytest.mark.parametrize("size", [6, 10])
def test_print_on_a_large_page_is_seen(layer, side, size):
    """On a plan of 200 inches, or of 10^5 points, print is as small as elsewhere: all of it is text, and nothing but what is hidden is."""

    def scattered(page: pymupdf.Page) -> None:
        for row, line in enumerate(PROSE):
            page.insert_text((side * 0.3 * row + 60, side * 0.45 * row + 100), line, fontsize=size)
        page.insert_text((side * 0.7, side * 0.2), "white on white", fontsize=size, color=(1, 1, 1))
        page.insert_text((0, side * 0.75), "LARGE", fontsize=side * 0.2)

    found = layer(scattered, width=side, height=side)
    assert found.verdict == "trusted"
    assert sorted(found.text.splitlines()) == sorted(["LARGE", *PROSE])
    assert found.hidden_chars == len("whiteonwhite")


@pytest.mark.parametrize(("words", "is_blank"), [(True, False), (False, True)])
def test_a_large_page_is_blank_only_if_nothing_stands_on_it(tmp_path, words, is_blank):
    """Print that a picture of a whole page of 10^5 points does not show is looked for where something is drawn; white on white is nothing."""
    with pymupdf.open() as document:
        page = document.new_page(width=100_000, height=100_000)
        page.set_rotation(90)
        page.draw_rect(pymupdf.Rect(50_000, 50_000, 70_000, 60_000), color=None, fill=(1, 1, 1))
        page.insert_text((80_000, 90_000), PROSE[0], fontsize=9, color=(0, 0, 0) if words else (1, 1, 1))
        document.save(tmp_path / "a.pdf")
    opened = PdfDocument(tmp_path / "a.pdf", Limits(), ())
    assert opened.probe(0, text_layer=False).is_blank is is_blank
    opened.close()
