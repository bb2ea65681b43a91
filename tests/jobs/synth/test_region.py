"""What a view of a part of a page shows of its text."""

from jobs.synth import generate
from jobs.synth.region import lines_within
from schemas.box import Box


def page_and_sheet():
    page = generate("letter", 1)[1].pages[0]
    return page, Box(x0=0, y0=0, x1=page.width_pt, y1=page.height_pt)


def test_the_whole_page_shows_all_lines():
    """A region as large as the page has every line, with the same text."""
    page, sheet = page_and_sheet()
    assert [line.text for line in lines_within(page, sheet)] == [line.text for line in page.lines]


def test_words_that_the_edge_cuts_are_left_out():
    """Of the longest line, cut within a word, whole words remain, and each box lies in the region."""
    page, sheet = page_and_sheet()
    longest = max(page.lines, key=lambda line: len(line.text))
    assert longest.box is not None
    region = sheet.model_copy(update={"x1": (longest.box.x0 + longest.box.x1) / 2})
    shown = lines_within(page, region)
    kept = next(line for line in shown if longest.text.startswith(line.text) and abs(line.box.y0 - longest.box.y0) < 0.01)
    assert 0 < len(kept.text) < len(longest.text)
    assert longest.text[len(kept.text)] == " "
    assert all(line.box.x1 <= region.x1 for line in shown)


def test_an_empty_corner_shows_nothing():
    """Where no whole word is, there is no line."""
    page, _ = page_and_sheet()
    assert lines_within(page, Box(x0=0, y0=0, x1=4, y1=4)) == ()
