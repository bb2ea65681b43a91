"""Tasks caption, question and raw: answers in words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.tasks.asks import asks
from schemas.job import CaptionTask, QuestionTask, RawTask
from schemas.view import Affine, Completion

AFFINE = Affine(1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
ASKS = {
    "caption": asks(CaptionTask(type="caption"))[0],
    "question": asks(QuestionTask(type="question", answer="12.50"))[0],
    "raw": asks(RawTask(type="raw", name="toc", prompt="list the chapters"))[0],
}


def read(name: str, text: str, finish_reason: str = "stop"):
    return ASKS[name].decode(Completion(text, (), (), finish_reason), AFFINE)


@pytest.mark.parametrize(
    ("task", "prompt"),
    [
        (CaptionTask(type="caption"), "caption en"),
        (CaptionTask(type="caption", style="describe", lang="de"), "describe de"),
        (CaptionTask(type="caption", box=(0.5, 0.0, 1.0, 0.25)), "caption <loc0000><loc0512><loc0256><loc1023>"),
        (CaptionTask(type="caption", prompt="what is it, in {lang}?"), "what is it, in en?"),
        (QuestionTask(type="question", answer="12.50 {lang}"), "question en 12.50 {lang}"),
        (RawTask(type="raw", name="toc", prompt="list {chapters}"), "list {chapters}"),
    ],
)
def test_the_prompts(task, prompt):
    """Styles, languages, regions (y first) and the job's own words make the prompts."""
    assert asks(task)[0].prompt == prompt


def test_the_keys():
    """A raw answer stands under its name."""
    assert {name: ask.key for name, ask in ASKS.items()} == {"caption": "caption", "question": "question", "raw": "raw.toc"}


@pytest.mark.parametrize("box", [(0.5, 0.0, 0.5, 1.0), (0.0, 0.0, 1.5, 1.0), (0.0, 0.9, 1.0, 0.1)])
def test_a_region_must_lie_on_the_page(box):
    """A region off the page is an error of the job file."""
    with pytest.raises(ValidationError, match="fractions of the page"):
        CaptionTask(type="caption", box=box)


@pytest.mark.parametrize("name", ASKS)
def test_words_are_taken(name):
    """An answer in words is the value."""
    assert read(name, "two cats").text == "two cats"


@pytest.mark.parametrize(("name", "verdict"), [("caption", "reject"), ("question", "reject"), ("raw", "absent")])
def test_saying_nothing_is_no_value(name, verdict):
    """Where words were asked for silence is a reject; of a raw prompt nobody knows what silence means."""
    assert (read(name, " ").verdict, read(name, "").code) == (verdict, "empty")


def test_only_raw_keeps_tokens():
    """A raw answer is kept as it is; elsewhere tokens among words are damage."""
    assert read("raw", " <loc0001><seg001> a\n").text == " <loc0001><seg001> a\n"
    assert read("caption", "<loc0001> a cat").code == "malformed"
    assert read("question", "who? <seg001>").code == "malformed"


@pytest.mark.parametrize("name", ASKS)
@pytest.mark.parametrize(
    ("text", "finish_reason", "code"),
    [
        ("half a", "length", "cut_off"),
        ("round and round it goes " * 20, "stop", "loop"),
        ("Sorry, as a base VLM I am not trained to answer this question.", "stop", "refusal"),
    ],
)
def test_what_is_no_answer_is_kept_out(name, text, finish_reason, code):
    """Cut-off, stuck and refused answers are rejects of every task."""
    assert (read(name, text, finish_reason).verdict, read(name, text, finish_reason).code) == ("reject", code)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.sampled_from(sorted(ASKS)), st.sampled_from(["stop", "length"]))
def test_any_string_has_a_verdict(text, name, finish_reason):
    """Decoding never raises, and only a value has text."""
    reading = read(name, text, finish_reason)
    assert (reading.text is not None) == (reading.verdict == "value")
