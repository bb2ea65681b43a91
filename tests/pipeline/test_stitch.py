"""Pages read in tiles are the pages, each line once: proved with a perfect reader on pages whose truth is known."""

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest
from PIL import Image
from rapidfuzz import fuzz

from jobs.synth.canvas import Canvas
from jobs.synth.document import generate, stream
from jobs.synth.scanner import Wear, picture, scanned
from pipeline.engines.reader import read as answer
from pipeline.framing import framed
from pipeline.pieces import Part
from pipeline.readings import read, record
from pipeline.stitch import stitched
from pipeline.tasks import ocr, spot
from pipeline.tasks.base import Ask, Reading
from schemas.box import Box, LabelledBox
from schemas.job import OcrTask, SpotTask
from schemas.page import Line
from schemas.truth import Glyphs, PageTruth
from schemas.view import Affine, Completion

OCR, SPOT = ocr.ask(OcrTask(type="ocr")), spot.ask(SpotTask(type="spot"))
WORDS = "The little old lighthouse stood high above the bay and its keeper looked out for boats that came late".split()
UPRIGHT = Affine(1, 0, 0, 1, 0, 0)


def columns(count: int) -> tuple[bytes, PageTruth]:
    """Draw a heading and columns of text, each line of its own words; return the PDF and the truth."""
    with pymupdf.open() as document:
        page = document.new_page()
        lines, places = [], []
        printed = [("A heading over the whole of the page", 60.0, 60.0, 16.0)]
        step, size = 480 / count, (6.5 if count == 3 else 9.0)
        for column in range(count):
            for row in range(46):
                words = f"{column}.{row} " + " ".join(WORDS[(row + index) % len(WORDS)] for index in range(18))
                while pymupdf.get_text_length(words, fontsize=size) > step - 24:
                    words = words.rsplit(" ", 1)[0]
                printed.append((words, 60 + column * step, 100 + 14.0 * row, size))
        for text, start, y, size_pt in printed:
            page.insert_text((start, y), text, fontsize=size_pt)
            x = start
            for character in text:
                wide = pymupdf.get_text_length(character, fontsize=size_pt)
                if character != " ":
                    places += [round(100 * n) for n in (x, y - 0.75 * size_pt, x + wide, y + 0.25 * size_pt)]
                x += wide
            lines.append(Line(text=text, box=Box(x0=start, y0=y - 0.75 * size_pt, x1=x, y1=y + 0.25 * size_pt)))
        glyphs = Glyphs(text="".join("".join(line.text for line in lines).split()), places=tuple(places))
        truth = PageTruth(page_index=0, width_pt=595, height_pt=842, lines=tuple(lines), glyphs=glyphs)
        return document.tobytes(), truth


def scan(data: bytes, truth: PageTruth, degrees: float, turn: int, path: Path) -> PageTruth:
    """Write the page as an image, askew and turned by quarters; return the truth of that."""
    canvas = Canvas(truth.width_pt, truth.height_pt)
    wear = replace(Wear.draw(stream("stitch", str(degrees))), degrees=degrees)
    with pymupdf.open(stream=data) as document:
        image = scanned(picture(document, 0, 144).convert("L"), canvas, wear, stream("stitch", turn))
    image.rotate(-turn, expand=True).save(path, dpi=(144, 144))
    skewed = wear.skew(truth.width_pt, truth.height_pt).truth(truth)
    width, height = truth.width_pt, truth.height_pt
    to = {
        0: UPRIGHT,
        90: Affine(0, 1, -1, 0, height, 0),
        180: Affine(-1, 0, 0, -1, width, height),
        270: Affine(0, -1, 1, 0, 0, width),
    }[turn]

    def moved(box: Box) -> Box:
        return to.box(box.x0, box.y0, box.x1, box.y1)

    boxes = [moved(skewed.glyphs.box(index)) for index in range(len(skewed.glyphs.text))]
    places = tuple(round(100 * n) for box in boxes for n in (box.x0, box.y0, box.x1, box.y1))
    return skewed.model_copy(
        update={
            "lines": tuple(line.model_copy(update={"box": moved(line.box)}) for line in skewed.lines if line.box),
            "glyphs": Glyphs(text=skewed.glyphs.text, places=places),
        }
    )


def read_page(child, page: PageTruth, ask: Ask, tiling: str, resolution: int = 448) -> Reading:
    """Read the open document's first page as the machine does, by a reader whose only mistakes are glyphs that an edge tears."""
    regions = framed(child.regions(page.page_index, tiling, resolution), [ask], resolution)
    completions = [
        Completion(answer(page, region.affine, ask.key, torn=True, frame=region.frame) or "", (), (), "stop")
        for region in regions
    ]
    return read(ask, [record(ask, region, 0, said) for region, said in zip(regions, completions, strict=True)])


def words_of(lines) -> list[str]:
    return [" ".join(line.text.split()) for line in lines]


def near(found: Reading, page: PageTruth, apart: float) -> float:
    """Return the share of lines whose box has no side further from the truth's than so many points."""
    truth: dict[str, list[Box]] = {}
    for line in page.lines:
        truth.setdefault(" ".join(line.text.split()), []).append(line.box)
    close = 0
    for line in found.lines:
        assert line.box is not None
        one = line.box
        close += any(
            max(abs(one.x0 - box.x0), abs(one.y0 - box.y0), abs(one.x1 - box.x1), abs(one.y1 - box.y1)) <= apart
            for box in truth[line.text]
        )
    return close / len(found.lines)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(("degrees", "turn"), [(0.0, 0), (3.0, 0), (-2.0, 90), (1.0, 180), (-0.7, 270)])
def test_columns_are_read_in_their_order(tmp_path: Path, children, count, degrees, turn):
    """One to three columns, askew to 3 degrees and turned either way: the text is the page's, in every tiling, and boxes lie on the lines."""
    data, clean = columns(count)
    path = tmp_path / "a.png"
    page = scan(data, clean, degrees, turn, path)
    child = children[1]
    child.open(path)
    for ask, tiling in ((OCR, "whitespace"), (OCR, "grid"), (SPOT, "whitespace"), (SPOT, "grid")):
        found = read_page(child, page, ask, tiling)
        assert words_of(found.lines) == words_of(page.lines), (ask.key, tiling)
        assert found.text == "\n".join(words_of(page.lines))
        assert near(found, page, 6.0) > 0.95, (ask.key, tiling)


@pytest.mark.parametrize("kind", ["invoice", "receipt", "letter", "form", "statement", "article"])
@pytest.mark.parametrize("finish", ["pdf", "scan"])
def test_every_kind_of_page_is_read_whole(tmp_path: Path, children, kind, finish):
    """Each line of a made-up document is read once, tables cell by cell, however it is tiled, and its box is near."""
    data, truth = generate(kind, 902, finish)
    (tmp_path / "a.pdf").write_bytes(data)
    child, page = children[1], truth.pages[0]
    child.open(tmp_path / "a.pdf")
    for ask, tiling in ((OCR, "whitespace"), (SPOT, "whitespace"), (SPOT, "grid"), (OCR, "grid"), (OCR, "layout")):
        found = read_page(child, page, ask, tiling)
        assert Counter(words_of(found.lines)) == Counter(words_of(page.lines)), (ask.key, tiling)
        if ask is SPOT:
            assert near(found, page, 8.0) > 0.9, tiling


def err(text: str, key: str) -> str:
    """Return an answer with a letter in twenty read as another, and a line in eight said once more, with other letters wrong."""
    chance = stream("err", key)

    def read_wrongly(line: str) -> str:
        place, words = line[: line.rfind(">") + 1], line[line.rfind(">") + 1 :]
        return place + "".join(chance.choice("aeimnrtuo") if c.isalpha() and chance.random() < 0.05 else c for c in words)

    return "\n".join(read_wrongly(line) for line in text.splitlines() for _ in range(1 + (chance.random() < 0.125)))


@pytest.mark.parametrize("kind", ["invoice", "statement"])
def test_a_reader_who_errs_says_no_line_twice(tmp_path: Path, children, kind):
    """Each view is read with other letters wrong, and loses its place now and then: every line is there once, as far as it was read."""
    data, truth = generate(kind, 902, "scan")
    (tmp_path / "a.pdf").write_bytes(data)
    child, page = children[1], truth.pages[0]
    child.open(tmp_path / "a.pdf")
    for ask, tiling in ((OCR, "whitespace"), (SPOT, "grid"), (OCR, "grid")):
        regions = framed(child.regions(0, tiling, 448), [ask], 448)
        said = [
            err(answer(page, region.affine, ask.key, torn=True, frame=region.frame) or "", f"{kind} {region.name}")
            for region in regions
        ]
        found = read(
            ask, [record(ask, region, 0, Completion(each, (), (), "stop")) for region, each in zip(regions, said, strict=True)]
        )
        # of a letter or two nothing tells that they were said before
        longer = [line for line in words_of(found.lines) if len(line) > 3]
        true = [line for line in words_of(page.lines) if len(line) > 3]
        assert len(longer) == len(true), (ask.key, tiling)
        assert all(max(fuzz.ratio(line, each) for each in longer) > 60 for line in true), (ask.key, tiling)
        assert found.text == "\n".join(line.text for line in found.lines)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["invoice", "receipt", "letter", "form", "statement", "article"])
def test_many_pages_are_read_whole(tmp_path: Path, children, kind):
    """Over many seeds, drawn and scanned, hardly a page has a word lost or doubled: most where a grid tears glyphs and the model says no places."""
    lost: Counter[str] = Counter()
    for seed in range(10):
        for finish in ("pdf", "scan"):
            data, truth = generate(kind, 2000 + seed, finish)
            (tmp_path / "a.pdf").write_bytes(data)
            children[1].open(tmp_path / "a.pdf")
            for ask, tiling in ((OCR, "whitespace"), (OCR, "grid"), (SPOT, "grid")):
                found = read_page(children[1], truth.pages[0], ask, tiling)
                if Counter(words_of(found.lines)) != Counter(words_of(truth.pages[0].lines)):
                    lost[f"{ask.key} on {tiling}"] += 1
    # Of 20 pages each. Measured in November 2026: at most 1, 0 and 1, and none for most kinds.
    assert lost["ocr on whitespace"] <= 1, lost
    assert lost["spot on grid"] <= 1, lost
    assert lost["ocr on grid"] <= 2, lost


def part(box: Box, lines: tuple[Line, ...] = (), **more: object) -> Part:
    text = "\n".join(line.text for line in lines) or None
    reading = Reading(verdict="value", text=text, lines=lines, **more)
    return Part(reading, box, reading, Affine.of_box(box))


LEFT, RIGHT = Box(x0=0, y0=0, x1=100, y1=100), Box(x0=76, y0=0, x1=176, y1=100)


def test_a_thing_in_two_tiles_is_one():
    """A box that both tiles show counts once, whole; another label there, or a thing that only one shows, stands for itself."""
    seal = Box(x0=60, y0=40, x1=96, y1=70)
    cut = Box(x0=76, y0=40, x1=96, y1=70)
    alone = Box(x0=120, y0=10, x1=140, y1=20)
    found = stitched(
        [
            part(LEFT, boxes=(LabelledBox(label="seal", box=seal),)),
            part(
                RIGHT,
                boxes=(
                    LabelledBox(label="seal", box=cut),
                    LabelledBox(label="logo", box=cut),
                    LabelledBox(label="seal", box=alone),
                ),
            ),
        ]
    )
    assert [(thing.label, thing.box) for thing in found.boxes] == [("seal", seal), ("logo", cut), ("seal", alone)]


def test_a_last_letter_that_an_edge_cuts_is_read_beside_it():
    """A line reaches a point beyond a tile's edge, which tears its last letter: the tile beside, which shows that letter, is asked for it."""
    cut = Line(text="Folding buckel", box=Box(x0=30, y0=20, x1=100, y1=30))
    rest = Line(text="bucket", box=Box(x0=77, y0=20, x1=101, y1=30))
    found = stitched([part(LEFT, (cut,)), part(RIGHT, (rest,))])
    assert words_of(found.lines) == ["Folding bucket"]
    inside = Line(text="bucket", box=Box(x0=70, y0=20, x1=99, y1=30))
    whole = Line(text="Folding bucket", box=Box(x0=30, y0=20, x1=99, y1=30))
    assert words_of(stitched([part(LEFT, (whole,)), part(RIGHT, (inside,))]).lines) == ["Folding bucket"]


def test_without_places_words_decide():
    """Where neither the model nor the picture says where lines stand, lines that both tiles show are joined by what they say."""

    def unplaced(box: Box, *texts: str) -> Part:
        return part(box, tuple(Line(text=text) for text in texts))

    below = Box(x0=0, y0=76, x1=100, y1=176)
    found = stitched(
        [
            unplaced(LEFT, "short", "the quick bro", "one more line"),
            unplaced(RIGHT, "quick brown fox", "line to its end"),
            unplaced(below, "one more line to its end", "and the last"),
        ]
    )
    assert words_of(found.lines) == ["short", "the quick brown fox", "one more line to its end", "and the last"]


def test_without_places_lines_in_both_are_known_again():
    """Lines that two tiles show, of which each reads other letters wrongly, count once; rows that differ in a figure are two."""

    def unplaced(box: Box, *texts: str) -> Part:
        return part(box, tuple(Line(text=text) for text in texts))

    below = Box(x0=0, y0=76, x1=100, y1=176)
    found = stitched([unplaced(LEFT, "first", "Doppel Bürse X12"), unplaced(below, "Doppel BBrse X12", "last")])
    assert words_of(found.lines) == ["first", "Doppel Bürse X12", "last"]
    found = stitched([unplaced(LEFT, "first", "Item 1 12.00"), unplaced(below, "Item 2 12.00", "last")])
    assert words_of(found.lines) == ["first", "Item 1 12.00", "Item 2 12.00", "last"]


def test_a_mask_is_never_stretched():
    """Of a thing with masks in two tiles the larger one is kept with its own box."""
    small, large = Box(x0=80, y0=40, x1=96, y1=70), Box(x0=78, y0=40, x1=96, y1=72)
    found = stitched(
        [
            part(LEFT, boxes=(LabelledBox(label="seal", box=small, mask_rle="small"),)),
            part(RIGHT, boxes=(LabelledBox(label="seal", box=large, mask_rle="large"),)),
        ]
    )
    assert [(thing.box, thing.mask_rle) for thing in found.boxes] == [(large, "large")]


def test_pictures_keep_their_way_up(tmp_path: Path, children):
    """An image of two words is left as it is: too little to tell."""
    with pymupdf.open() as document:
        page = document.new_page(width=200, height=200)
        page.insert_text((20, 100), "Two words", fontsize=12)
        image = Image.open(io.BytesIO(page.get_pixmap(dpi=144).tobytes("png")))
    image.rotate(180).save(tmp_path / "a.png", dpi=(144, 144))
    children[1].open(tmp_path / "a.png")
    assert children[1].probe(0, text_layer=False).turn_deg == 0
