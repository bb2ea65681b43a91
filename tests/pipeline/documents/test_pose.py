"""How scans lie is found on made-up scans whose turn is known, undone for the model, and boxes stay with the page."""

import io
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from jobs.synth.canvas import Canvas
from jobs.synth.document import generate, stream
from jobs.synth.scanner import Wear, scanned
from pipeline.documents.ink import darkest
from pipeline.documents.pose import Pose, find_pose
from pipeline.documents.tiles import whole_page

A4 = (595.0, 842.0)
KINDS = ("invoice", "receipt", "letter", "form", "statement", "article")


@cache
def sheet(kind: str, seed: int) -> Image.Image:
    """Return a clean page at 110 dots an inch, gray."""
    data, _ = generate(kind, seed)
    with pymupdf.open(stream=data) as document:
        return Image.open(io.BytesIO(document[0].get_pixmap(dpi=110, colorspace="gray").tobytes("png"))).convert("L")


def worn(kind: str, seed: int, degrees: float, turn: int = 0) -> Image.Image:
    """Return the page as a poor scanner gives it, askew by so many degrees clockwise and then turned by quarters."""
    clean = sheet(kind, seed)
    canvas = Canvas(clean.width * 72 / 110, clean.height * 72 / 110)
    rng = stream("pose", kind, seed)
    image = scanned(clean, canvas, replace(Wear.draw(rng), degrees=degrees), rng)
    return image.rotate(-turn, expand=True)


def posed(image: Image.Image) -> Pose:
    small = np.asarray(image.convert("RGB").resize((896, 896), Image.Resampling.BICUBIC))
    return find_pose(darkest(small), image.width * 72 / 110, image.height * 72 / 110)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("turn", [0, 90, 270])
def test_skew_and_quarter_turns_are_found(kind, turn):
    """On every kind of page the skew of its scan is found to 0.1 degrees, and on which side it lies."""
    degrees = Random(f"{kind}{turn}").uniform(-3, 3)  # noqa: S311 - an angle, no secret
    pose = posed(worn(kind, 3, degrees, turn))
    assert pose.turn_deg == turn
    assert pose.skew_deg == pytest.approx(degrees, abs=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_pages_of_text_on_their_heads_are_found(kind):
    """Letters' shapes tell a page of text that stands on its head from one that does not."""
    assert posed(worn(kind, 4, 0.8, 180)).turn_deg == 180
    assert posed(worn(kind, 4, 0.8)).turn_deg == 0


WORDS = {
    "Latin": "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience",
    "Cyrillic": "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα",
    "Hebrew": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם כולם חוננו בתבונה ובמצפון",
    "Arabic": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق وقد وهبوا عقلا وضميرا",
    "Georgian": "ყველა ადამიანი იბადება თავისუფალი და თანასწორი თავისი ღირსებითა და უფლებებით",
    "Devanagari": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है",
    "Chinese": "人人生而自由 在尊严和权利上一律平等 他们赋有理性和良心 并应以兄弟关系的精神相对待",
    "capitals": "ALL HUMAN BEINGS ARE BORN FREE AND EQUAL IN DIGNITY AND RIGHTS THEY ARE ENDOWED WITH REASON",
    "figures": "1,024.50 17.03.2024 5583 0043 19.90 21,007.13 88.16 4412 3.75 1999 6,250.00 47110815",
}


def written(script: str) -> Image.Image:
    """Return a scan of paragraphs in a script, with the fonts that MuPDF has."""
    words, rng = WORDS[script].split(), Random(script)  # noqa: S311
    side = "rtl" if script in ("Hebrew", "Arabic") else "ltr"
    paragraphs = "".join(f"<p>{' '.join(rng.choices(words, k=rng.randrange(12, 60)))}</p>" for _ in range(9))
    story = pymupdf.Story(f"<div dir='{side}' style='font-size: 11pt'>{paragraphs}</div>")
    file = io.BytesIO()
    writer = pymupdf.DocumentWriter(file)
    story.place(pymupdf.Rect(60, 60, 535, 780))
    story.draw(writer.begin_page(pymupdf.Rect(0, 0, *A4)))
    writer.end_page()
    writer.close()
    with pymupdf.open(stream=file.getvalue()) as document:
        clean = Image.open(io.BytesIO(document[0].get_pixmap(dpi=110, colorspace="gray").tobytes("png"))).convert("L")
    stained = stream("pose", script, 0)
    return scanned(clean, Canvas(*A4), replace(Wear.draw(stained), degrees=0.7), stained)


@pytest.mark.parametrize("script", WORDS)
def test_no_script_is_turned_on_its_head(script):
    """Letters that hang from their top line, hang below it or do neither are left as they are; Latin on its head is turned."""
    page = written(script)
    assert posed(page).turn_deg == 0
    if script == "Latin":
        assert posed(page.rotate(180)).turn_deg == 180


@pytest.mark.slow
def test_poses_over_many_seeds():
    """Of 288 scans skew is right to 0.1 degrees on all, orientation on 99 of 100, and no upright page is turned."""
    wrong = {0: 0, 90: 0, 180: 0, 270: 0}
    for seed in range(12):
        for kind in KINDS:
            degrees = Random(f"{seed}{kind}").uniform(-4, 4)  # noqa: S311
            for turn in wrong:
                pose = posed(worn(kind, 100 + seed, degrees, turn))
                assert pose.skew_deg == pytest.approx(degrees, abs=0.1), (kind, seed, turn)
                wrong[turn] += pose.turn_deg != turn
                assert turn or pose.turn_deg == 0, (kind, seed)
    assert wrong[0] == 0
    assert sum(wrong.values()) <= 0.01 * 12 * len(KINDS) * 4, wrong


def test_what_is_no_text_is_left_alone():
    """White, noise, a photograph's gradients, a circle and a drawing of a few strokes have no pose but upright."""
    noise = np.random.default_rng(1).integers(0, 255, (896, 896, 3)).astype(np.uint8)
    ramp = np.broadcast_to(np.linspace(0, 255, 896).astype(np.uint8)[:, None, None], (896, 896, 3))
    with pymupdf.open() as document:
        page = document.new_page()
        page.draw_circle((300, 300), 120)
        page.draw_line((100, 700), (500, 640))
        drawn = page.get_pixmap(matrix=pymupdf.Matrix(896 / 595, 896 / 842))
        strokes = np.frombuffer(drawn.samples, dtype=np.uint8).reshape(drawn.height, drawn.width, 3)[:896, :896]
    for picture in (np.full((896, 896, 3), 255, np.uint8), noise, ramp, strokes):
        assert find_pose(darkest(np.ascontiguousarray(picture)), *A4).turn_deg == 0
    for picture in (np.full((896, 896, 3), 255, np.uint8), noise, ramp):
        assert find_pose(darkest(np.ascontiguousarray(picture)), *A4).is_upright


@given(
    turn=st.sampled_from([0, 90, 180, 270]),
    skew=st.floats(-6, 6),
    width=st.floats(10, 2000),
    height=st.floats(10, 2000),
)
def test_the_upright_page_holds_the_whole_page(turn, skew, width, height):
    """Turned back, each corner of the page lies on the upright page, each side of which one of them touches; lengths stay."""
    pose = Pose(width, height, turn, skew)
    across, down = pose.upright_size_pt
    corners = [pose.to_page.fraction(x, y) for x in (0, width) for y in (0, height)]
    assert min(x for x, _ in corners) == pytest.approx(0, abs=1e-6)
    assert max(x for x, _ in corners) == pytest.approx(across, abs=1e-6)
    assert min(y for _, y in corners) == pytest.approx(0, abs=1e-6)
    assert max(y for _, y in corners) == pytest.approx(down, abs=1e-6)
    x0, y0 = pose.to_page.point(0, 0)
    x1, y1 = pose.to_page.point(3, 4)
    assert (x1 - x0) ** 2 + (y1 - y0) ** 2 == pytest.approx(25)


def test_an_upright_page_is_seen_as_it_is():
    """Without a turn the view of the page is the very one that it always was."""
    region = whole_page(*A4)
    assert Pose(*A4).placed(region) is region
    assert Pose(*A4, turn_deg=90).upright_size_pt == (842.0, 595.0)


@pytest.mark.parametrize("form", ["pdf", "png"])
@pytest.mark.parametrize("turn", [0, 90])
def test_the_model_sees_scans_upright(tmp_path: Path, children, form, turn):
    """A scan's view is the clean page's, whichever way it was scanned; a PDF page of that image is no worse than the image itself."""
    image = worn("letter", 5, 2.5, turn)
    path = tmp_path / f"a.{form}"
    if form == "png":
        image.save(path, dpi=(110, 110))
    else:
        file = io.BytesIO()
        image.save(file, "PNG")
        with pymupdf.open() as document:
            page = document.new_page(width=image.width * 72 / 110, height=image.height * 72 / 110)
            page.insert_image(page.rect, stream=file.getvalue())
            document.save(path)
    child = children[1]
    child.open(path)
    probe = child.probe(0, text_layer=True)
    assert probe.turn_deg == turn
    assert probe.skew_deg == pytest.approx(2.5, abs=0.1)
    (region,) = child.regions(0, "none", 896)
    (seen,) = child.render(0, [region], 896)
    again = posed(Image.fromarray(seen).resize((image.size if turn == 0 else image.size[::-1]), Image.Resampling.BICUBIC))
    assert again.turn_deg == 0
    assert abs(again.skew_deg) <= 0.2


def test_a_page_with_a_text_layer_is_not_looked_at(tmp_path: Path, children):
    """Print that a PDF draws askew on purpose, with text that can be had, stays as it is."""
    with pymupdf.open() as document:
        page = document.new_page()
        for row in range(40):
            page.insert_text((60, 60 + 16 * row), "words that run along a line of some length", fontsize=11, rotate=0)
        page.set_rotation(90)
        document.save(tmp_path / "a.pdf")
    children[1].open(tmp_path / "a.pdf")
    probe = children[1].probe(0, text_layer=False)
    assert (probe.turn_deg, probe.skew_deg, probe.rotation) == (0, 0.0, 90)
