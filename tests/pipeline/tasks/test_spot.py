"""Task spot: lines and their places."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tasks import spot
from pipeline.tasks.asks import asks
from schemas.box import Box
from schemas.job import SpotTask
from schemas.page import Line
from schemas.view import Affine, Completion

AFFINE = Affine(1023.0, 0.0, 0.0, 2046.0, 0.0, 0.0)
(SPOT,) = asks(SpotTask(type="spot"))
FIRST, SECOND = "<loc0010><loc0020><loc0030><loc0400>", "<loc0040><loc0020><loc0060><loc0400>"


def read(text: str, finish_reason: str = "stop"):
    return SPOT.decode(Completion(text, (), (), finish_reason), AFFINE)


def test_the_ask():
    """The prompt is `spot` unless the job has its own."""
    assert (SPOT.key, SPOT.prompt) == ("spot", "spot")
    assert asks(SpotTask(type="spot", prompt="read {x}"))[0].prompt == "read {x}"


@pytest.mark.parametrize(
    "text",
    [
        f"{FIRST} Invoice; no. 12\n{SECOND} Total < 5",
        f"{FIRST}Invoice; no. 12{SECOND}Total < 5",
        f"Invoice; no. 12 {FIRST} Total < 5 {SECOND}",
        f"Invoice; no. 12{FIRST}\nTotal < 5{SECOND}",
    ],
)
def test_place_or_text_may_come_first(text):
    """Both orders are read, with or without line breaks; semicolons and brackets are text."""
    reading = read(text)
    assert reading.text == "Invoice; no. 12\nTotal < 5"
    assert [line.text for line in reading.lines] == ["Invoice; no. 12", "Total < 5"]
    boxes = [(line.box.x0, line.box.y0, line.box.x1, line.box.y1) for line in reading.lines]
    assert boxes == [pytest.approx((20, 20, 400, 60)), pytest.approx((20, 80, 400, 120))]


def test_nothing_read_is_absence():
    """A view without text is a result."""
    assert (read("").verdict, read(" ").code) == ("absent", "empty")


@pytest.mark.parametrize(
    "text",
    [
        "Invoice",
        f"{FIRST}",
        f"{FIRST} Invoice {SECOND}",
        f"Invoice {FIRST} Total",
        f"{FIRST}{SECOND} Invoice",
        "<loc0010><loc0020><loc0030> Invoice",
        f"{FIRST}<loc0001> Invoice",
        f"{FIRST} Inv<loc0001>oice",
        f"{FIRST} Invoice <seg001>",
        "<loc0030><loc0020><loc0010><loc0400> Invoice",
        "<loc0010><loc0020><loc0030><loc1024> Invoice",
        f"{FIRST} Invoice <loc00",
    ],
)
def test_damage_rejects_the_whole_answer(text):
    """A place without text, text without a place, and broken tokens leave nothing behind."""
    reading = read(text)
    assert (reading.verdict, reading.code, reading.lines, reading.text) == ("reject", "malformed", (), None)


SOUP = st.lists(
    st.sampled_from([FIRST, SECOND, "<loc0001>", "<loc1024>", "<loc", "<seg001>", " ", "\n", "Total", "5 < 6", ";", "<eos>"]),
    max_size=10,
).map("".join)


@settings(max_examples=120, deadline=None)
@given(SOUP | st.text(max_size=60), st.sampled_from(["stop", "length"]))
def test_any_string_has_a_verdict(text, finish_reason):
    """Decoding never raises; each line of a value has words and a box."""
    reading = read(text, finish_reason)
    assert bool(reading.lines) == (reading.verdict == "value")
    assert all(line.text.strip() and line.box for line in reading.lines)


WORDS = (
    st.text(alphabet="abcÄß仪1.,;:()<>&\"'/%€ ", min_size=1, max_size=12).map(lambda text: " ".join(text.split())).filter(bool)
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(WORDS, st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 22), st.integers(1, 22)),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_encoded_is_decoded(things):
    """Lines written as a training target come back in order, with their words, within a bin."""
    lines = [
        Line(text=f"{number} {text}", box=Box(x0=x, y0=2 * y, x1=x + width, y1=2 * (y + height)))
        for number, (text, x, y, width, height) in enumerate(things)
    ]
    again = read(spot.encode(lines, AFFINE)).lines
    assert [line.text for line in again] == [line.text for line in lines]
    for line, was in zip(again, lines, strict=True):
        assert (line.box.x0, line.box.x1) == pytest.approx((was.box.x0, was.box.x1), abs=1)
        assert (line.box.y0, line.box.y1) == pytest.approx((was.box.y0, was.box.y1), abs=2)


@pytest.mark.parametrize("line", [Line(text="no box"), Line(text=" ", box=Box(x0=0, y0=0, x1=9, y1=9))])
def test_a_line_without_box_or_words_cannot_be_taught(line):
    """A training target needs both."""
    with pytest.raises(ValueError, match="needs a box and plain words"):
        spot.encode([line], AFFINE)
