"""The scripted engine says what a perfect reader would say of exactly the view it is given."""

import hashlib
import json

import numpy as np
import pytest

from jobs.synth.document import generate
from pipeline.engines.reader import read
from pipeline.engines.scripted import ScriptedEngine
from pipeline.errors import CheckpointError, EngineDied
from pipeline.tasks import table
from pipeline.tasks.unanswerable import UNANSWERABLE
from schemas.box import Box, LabelledBox
from schemas.field import FieldValue
from schemas.page import Line
from schemas.table import Cell, Table
from schemas.truth import DocumentTruth, FieldTruth, Glyphs, PageTruth
from schemas.view import Affine, Completion, Region, Request, View

SIDE = 224
DOCUMENT = hashlib.sha256(b"a document").hexdigest()
WHOLE = Box(x0=0, y0=0, x1=200, y1=100)
TOTAL = "what is the total?"


def page(*lines: str) -> PageTruth:
    """Return a page 200 points wide: each character 10 wide, each line 20 high, from the top left."""
    places, boxes = [], []
    for row, line in enumerate(lines):
        boxes.append(Line(text=line, box=Box(x0=0, y0=20 * row, x1=10 * len(line), y1=20 * row + 20)))
        for column, character in enumerate(line):
            if character != " ":
                places += [1000 * column, 2000 * row, 1000 * column + 1000, 2000 * row + 2000]
    inked = "".join("".join(lines).split())
    return PageTruth(
        page_index=0,
        width_pt=200,
        height_pt=100,
        lines=tuple(boxes),
        glyphs=Glyphs(text=inked, places=tuple(places)),
        fields=(
            FieldTruth(
                name="total",
                question=TOTAL,
                type="string",
                value=FieldValue(status="ok", value_text="12.50"),
                box=Box(x0=60, y0=20, x1=110, y1=40),
            ),
            FieldTruth(name="due", question="when is it due?", type="date", value=FieldValue(status="absent")),
        ),
        tables=(
            Table(
                table_index=0,
                n_rows=1,
                n_cols=2,
                html="",
                cells=(
                    Cell(row_index=0, col_index=0, text="total", box=Box(x0=0, y0=20, x1=50, y1=40)),
                    Cell(row_index=0, col_index=1, text="12.50", box=Box(x0=60, y0=20, x1=110, y1=40)),
                ),
            ),
        ),
        boxes=(
            LabelledBox(label="total", box=Box(x0=60, y0=20, x1=110, y1=40)),
            LabelledBox(label="title", box=Box(x0=0, y0=0, x1=80, y1=20)),
        ),
    )


@pytest.fixture
def engine(tmp_path) -> ScriptedEngine:
    known = page("My paper", "total 12.50", "bye now")
    truth = DocumentTruth(
        document_id=DOCUMENT,
        kind="letter",
        finish="born",
        split="test",
        seed=1,
        media_type="application/pdf",
        language="en",
        pages=(known,),
    )
    (tmp_path / "a.truth.json").write_text(truth.model_dump_json(exclude_defaults=True))
    return ScriptedEngine(tmp_path, SIDE)


def ask(engine: ScriptedEngine, prompt: str, box: Box = WHOLE, max_tokens: int = 500, document: str = DOCUMENT) -> Completion:
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    view = View(document_id=document, page_index=0, region=Region("tile", Affine.of_box(box)), image=image)
    return engine.generate([Request(view, prompt, max_tokens)])[0]


def test_a_page_is_read_whole(engine) -> None:
    """Ocr of the whole page is its text, line by line, and ends with eos."""
    answer = ask(engine, "ocr")
    assert (answer.text, answer.finish_reason) == ("My paper\ntotal 12.50\nbye now", "stop")


def test_a_tile_has_what_lies_in_it(engine) -> None:
    """Half a word is read as half a word, other lines not at all; of a glyph that the edge cuts, a stroke is left."""
    assert ask(engine, "ocr", Box(x0=0, y0=20, x1=80, y1=40)).text == "total 12"
    assert ask(engine, "ocr", Box(x0=0, y0=20, x1=85, y1=40)).text == "total 12l"
    assert ask(engine, "ocr", Box(x0=0, y0=30, x1=80, y1=40)).text == "----- --"
    assert ask(engine, "ocr", Box(x0=0, y0=34, x1=80, y1=40)).text == ""
    assert ask(engine, "ocr", Box(x0=120, y0=60, x1=200, y1=100)).text == ""


def test_views_that_share_an_edge_share_no_glyph() -> None:
    """Where edges do not tear, every glyph is read once, however a page is cut in two."""
    known = page("My paper", "total 12.50", "bye now")
    for cut in np.random.default_rng(5).uniform(1, 199, 50).tolist():
        left, right = Box(x0=0, y0=0, x1=cut, y1=100), Box(x0=cut, y0=0, x1=200, y1=100)
        both = "".join(read(known, Affine.of_box(box), "ocr") or "" for box in (left, right))
        assert sorted("".join(both.split())) == sorted("Mypapertotal12.50byenow")


def test_a_turned_view_is_read_where_it_lies(engine) -> None:
    """The affine map decides what is seen, not the region's name: the page upside down is still that page."""
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    upside_down = Region("page", Affine(-200, 0, 0, -100, 200, 100))
    answers = engine.generate([Request(View(DOCUMENT, 0, upside_down, image), "ocr", 500)])
    assert answers[0].text.startswith("My paper")


def test_a_field_is_answered_where_it_can_be_seen(engine) -> None:
    """The question may stand in any prompt; what the page lacks or the view does not show is unanswerable."""
    assert ask(engine, f"answer en {TOTAL}").text == "12.50"
    assert ask(engine, TOTAL).text == "12.50"
    assert ask(engine, f"answer en {TOTAL}", Box(x0=0, y0=50, x1=200, y1=100)).text == "unanswerable"
    assert ask(engine, "answer en when is it due?").text == "unanswerable"
    assert ask(engine, "answer en who signed?").text == "unanswerable"


def test_things_are_found_in_the_view_s_own_coordinates(engine) -> None:
    """Detect answers with places of the view, y first, of the labels asked for alone."""
    assert ask(engine, "detect total").text == "<loc0205><loc0307><loc0409><loc0563> total"
    half = Box(x0=0, y0=0, x1=200, y1=50)
    assert ask(engine, "detect total ; logo", half).text == "<loc0409><loc0307><loc0818><loc0563> total"
    assert ask(engine, "detect logo").text == ""


def test_lines_are_spotted_with_their_places(engine) -> None:
    """Spot gives the visible part of each line and the box of that part."""
    assert ask(engine, "spot", Box(x0=0, y0=0, x1=20, y1=20)).text == "<loc0000><loc0000><loc1023><loc1023> My"


def test_a_table_is_written_as_far_as_it_can_be_seen(engine) -> None:
    """The answer decodes to the cells and their places; a view that cuts the table gives its part of it, one beside the table nothing."""
    reading = table.decode(ask(engine, "table"), Affine.of_box(WHOLE))
    assert [(cell.text, cell.col_index) for cell in reading.tables[0].cells] == [("total", 0), ("12.50", 1)]
    cut = Box(x0=30, y0=0, x1=80, y1=100)
    (part,) = table.decode(ask(engine, "table", cut), Affine.of_box(cut)).tables
    assert [(cell.text, cell.col_index) for cell in part.cells] == [("al", 0), ("12", 1)]
    assert ask(engine, "table", Box(x0=0, y0=0, x1=200, y1=18)).text == ""


def test_an_unknown_document_gets_an_answer_of_its_own(engine) -> None:
    """Without truth the answer changes with the picture and with the prompt, and is the same every time."""
    unknown = "0" * 64
    one = ask(engine, "ocr", document=unknown)
    assert one == ask(engine, "ocr", document=unknown)
    assert one.text != ask(engine, "spot", document=unknown).text
    white = View(unknown, 0, Region("page", Affine.of_box(WHOLE)), np.full((SIDE, SIDE, 3), 255, np.uint8))
    assert engine.generate([Request(white, "ocr", 500)])[0].text != one.text


def test_tokens_spell_the_text_and_can_run_out(engine) -> None:
    """With one token less than needed the answer says length; with just enough it says stop."""
    needed = len(ask(engine, "ocr").token_ids)
    cut = ask(engine, "ocr", max_tokens=needed - 1)
    assert (cut.finish_reason, len(cut.token_ids)) == ("length", needed - 1)
    assert ask(engine, "ocr", max_tokens=needed).finish_reason == "stop"


def test_the_hash_covers_the_truth(tmp_path) -> None:
    """Another truth is another checkpoint, so a ledger does not take old answers for its own."""
    before = ScriptedEngine(tmp_path, SIDE).checkpoint_hash
    (tmp_path / "scripted.json").write_text(json.dumps({"seconds_per_request": 0.001}))
    assert ScriptedEngine(tmp_path, SIDE).checkpoint_hash != before


@pytest.mark.usefixtures("engine")
def test_it_dies_where_it_is_told_to(tmp_path) -> None:
    """A page that kills the engine raises EngineDied, and no other page does."""
    (tmp_path / "scripted.json").write_text(json.dumps({"dies_on": [f"{DOCUMENT}/0"]}))
    deadly = ScriptedEngine(tmp_path, SIDE)
    with pytest.raises(EngineDied):
        ask(deadly, "ocr")
    assert ask(deadly, "ocr", document="0" * 64).text


@pytest.mark.parametrize(("name", "content"), [("scripted.json", '{"speed": 1}'), ("b.truth.json", "{}")])
def test_files_that_are_not_what_they_should_be_are_refused(tmp_path, name, content) -> None:
    """Settings with unknown keys and truth without an id are errors that name the file."""
    (tmp_path / name).write_text(content)
    with pytest.raises(CheckpointError, match=name):
        ScriptedEngine(tmp_path, SIDE)


@pytest.mark.parametrize("kind", ["invoice", "statement", "article"])
def test_the_generator_s_pages_are_read_without_a_mistake(kind: str) -> None:
    """Glyph places, lines and fields of the project's own documents fit together: the whole page gives all text and every field."""
    for known in generate(kind, 3, "pdf", "test")[1].pages:
        whole = Affine.of_box(Box(x0=0, y0=0, x1=known.width_pt, y1=known.height_pt))
        assert read(known, whole, "ocr") == "\n".join(" ".join(line.text.split()) for line in known.lines)
        for field in known.fields:
            expected = field.value.value_text if field.value.status == "ok" else UNANSWERABLE
            assert read(known, whole, f"answer en {field.question}") == expected
