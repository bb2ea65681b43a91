"""Task detect, and refer asked as one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tasks import detect
from pipeline.tasks.asks import asks
from schemas.box import Box, LabelledBox
from schemas.job import DetectTask, ReferTask
from schemas.view import Affine, Completion

AFFINE = Affine(1023.0, 0.0, 0.0, 2046.0, 100.0, 0.0)
LABELS = ("signature", "Company Stamp")
(DETECT,) = asks(DetectTask(type="detect", labels=LABELS))
SOUP = st.lists(
    st.sampled_from(["<loc0001>", "<loc0100>", "<loc1023>", "<loc1024>", "<loc12>", "<seg001>", " ", " ; ", ";", "signature", "stamp",
                     "company  stamp", "<eos>", "\n", "x", "<", ">", "²", "<loc٠٠٠١>"]),
    max_size=14,
).map("".join)  # fmt: skip


def read(text: str, finish_reason: str = "stop"):
    return DETECT.decode(Completion(text, (), (), finish_reason), AFFINE)


def test_the_ask():
    """All labels are asked for at once; a prompt of the job's own has a place for them."""
    assert (DETECT.key, DETECT.prompt) == ("detect", "detect signature ; Company Stamp")
    assert asks(DetectTask(type="detect", labels=LABELS, prompt="find {labels}"))[0].prompt == "find signature ; Company Stamp"


def test_labels_are_part_of_what_an_answer_depends_on():
    """Two tasks with other labels differ in their settings even where their prompts do not."""
    one, other = (asks(DetectTask(type="detect", labels=(label,), prompt="find it"))[0] for label in ("a", "b"))
    assert one.settings != other.settings


def test_boxes_come_in_page_points():
    """Y stands before x in the answer; boxes are on the page, with the job's own spelling of their labels."""
    reading = read("<loc0010><loc0020><loc0030><loc0040> signature ; <loc0000><loc0000><loc1023><loc1023> company  stamp")
    assert reading.verdict == "value"
    assert [item.label for item in reading.boxes] == ["signature", "Company Stamp"]
    first, second = (item.box for item in reading.boxes)
    assert (first.x0, first.y0, first.x1, first.y1) == pytest.approx((120, 20, 140, 60))
    assert (second.x0, second.y0, second.x1, second.y1) == pytest.approx((100, 0, 1123, 2046))


def test_nothing_found_is_a_result():
    """An empty answer says that the page has none of the labels."""
    assert (read("").verdict, read(" ").code) == ("absent", "nothing_found")


def test_the_same_thing_twice_counts_once():
    """A repeated part adds no box."""
    part = "<loc0010><loc0020><loc0030><loc0040> signature"
    assert len(read(f"{part} ; {part}").boxes) == 1


@pytest.mark.parametrize(
    "text",
    [
        "<loc0010><loc0020><loc0030> signature",
        "<loc0010><loc0020><loc0030><loc0040><loc0050> signature",
        "<loc0010><loc0020><loc0030><loc1024> signature",
        "<loc0030><loc0020><loc0010><loc0040> signature",
        "<loc0010><loc0020><loc0030><loc0020> signature",
        "<loc0010><loc0020><loc0030><loc0040> logo",
        "<loc0010><loc0020><loc0030><loc0040>",
        "<loc0010><loc0020><loc0030><loc0040> signature ;",
        "<loc0010><loc0020><loc0030><loc0040> signature ; gibberish",
        "signature",
        "signature <loc0010><loc0020><loc0030><loc0040>",
        "<loc0010><loc0020><loc0030><loc0040>" + "<seg001>" * 16 + " signature",
        "unanswerable",
    ],
)
def test_damage_rejects_the_whole_answer(text):
    """Missing or unknown tokens, corners out of order, foreign labels and broken parts leave no box behind."""
    reading = read(text)
    assert (reading.verdict, reading.code, reading.boxes) == ("reject", "malformed", ())
    assert reading.message


def test_a_cut_off_list_is_not_a_list():
    """An answer that ran out of tokens may lack boxes, so it is a reject."""
    assert read("<loc0010><loc0020><loc0030><loc0040> signature", "length").code == "cut_off"


@settings(max_examples=150, deadline=None)
@given(SOUP | st.text(max_size=60), st.sampled_from(["stop", "length"]))
def test_any_string_has_a_verdict(text, finish_reason):
    """Decoding never raises; boxes come with values alone, in order and with labels that were asked for."""
    reading = read(text, finish_reason)
    assert bool(reading.boxes) == (reading.verdict == "value")
    for item in reading.boxes:
        assert item.label in LABELS
        assert item.box.x0 < item.box.x1
        assert item.box.y0 < item.box.y1


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(LABELS), st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 22), st.integers(1, 22)),
        min_size=1,
        max_size=5,
        unique_by=lambda item: item[1:3],
    )
)
def test_what_is_encoded_is_decoded(things):
    """Boxes written as a training target come back with their labels, in order, within a bin."""
    boxes = [
        LabelledBox(label=label, box=Box(x0=100.0 + x, y0=2.0 * y, x1=100.0 + x + width, y1=2.0 * (y + height)))
        for label, x, y, width, height in things
    ]
    again = read(detect.encode(boxes, AFFINE)).boxes
    assert [item.label for item in again] == [item.label for item in boxes]
    for item, was in zip(again, boxes, strict=True):
        assert (item.box.x0, item.box.x1) == pytest.approx((was.box.x0, was.box.x1), abs=1)
        assert (item.box.y0, item.box.y1) == pytest.approx((was.box.y0, was.box.y1), abs=2)


def test_a_phrase_is_asked_as_a_detection():
    """`refer` asks for one thing under a key made of its phrase."""
    (ask,) = asks(ReferTask(type="refer", phrase="the box at the Top-left"))
    assert (ask.key, ask.prompt) == ("refer.the-box-at-the-top-left", "detect the box at the Top-left")
    reading = ask.decode(Completion("<loc0010><loc0020><loc0030><loc0040> the box at the top-left", (), (), "stop"), AFFINE)
    assert [item.label for item in reading.boxes] == ["the box at the Top-left"]


def test_a_sole_phrase_need_not_be_repeated():
    """Fine-tunes for one phrase answer with the place alone."""
    (ask,) = asks(ReferTask(type="refer", phrase="the logo", prompt="{phrase}"))
    assert ask.prompt == "the logo"
    assert len(ask.decode(Completion("<loc0010><loc0020><loc0030><loc0040>", (), (), "stop"), AFFINE).boxes) == 1


def test_phrases_of_any_script_have_keys_that_differ():
    """Long phrases and phrases without letters still get keys of their own."""
    phrases = ["→", "↑", "a" * 60, "a" * 61, "подпись", "sign here"]
    keys = [asks(ReferTask(type="refer", phrase=phrase))[0].key for phrase in phrases]
    assert len(set(keys)) == len(keys)
    assert all(key.startswith("refer.") and len(key) < 80 and len(key) > 6 for key in keys)
    assert keys[4:] == ["refer.подпись", "refer.sign-here"]
