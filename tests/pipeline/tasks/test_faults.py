"""What is no answer, whatever the task."""

import pytest

from pipeline.tasks.faults import fault, is_echo, is_refusal
from schemas.view import Completion


def said(text: str, finish_reason: str = "stop", error: str | None = None) -> Completion:
    return Completion(text, (), (), finish_reason, error)


@pytest.mark.parametrize(
    "text",
    [
        "Sorry, as a base VLM I am not trained to answer this question.",
        "sorry, as a base VLM I am not trained to answer this question",
        "Sorry, as a base VLM I am not trained\u00a0to answer this question.",
        "As an AI language model, I cannot read images.",
        "I'm sorry, but I can't assist with that.",
        "I’m sorry, I cannot answer that.",
        "I am not able to see the document.",
        "Sorry, I am unable to process this image",
    ],
)
def test_refusals_are_known(text):
    """The mix checkpoints' refusal and its kin are refusals, however spaced or punctuated."""
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "Sorry we missed you",
        "Dear Ms Lee,\nI am sorry, but I cannot attend the meeting.\nYours, T. Grey",
        "As a large bank we care for our customers",
        "As an AI company we build robots",
        "Sorry, as a base VLM I am not trained to answer this question. " * 5,
        "I see",
        "",
    ],
)
def test_pages_may_be_sorry(text):
    """Letters and slogans that sound like refusals are text; so is what is too long to be one."""
    assert not is_refusal(text)


def test_an_echo_is_the_prompt_again():
    """The prompt itself is an echo; a word that begins like a short prompt is not."""
    assert is_echo("OCR", "ocr")
    assert is_echo("detect  a ; b", "detect a ; b")
    assert is_echo("answer en what is it? 12", "answer en what is it?")
    assert not is_echo("ocr-vqa results", "ocr")
    assert not is_echo("12", "answer en what is it?")
    assert not is_echo("", "ocr")


@pytest.mark.parametrize(
    ("completion", "code"),
    [
        (said("", "error", "CUDA out of memory"), "engine_error"),
        (said("half \ud800"), "malformed"),
        (said("so it goes " * 30, "length"), "loop"),
        (said("half a sen", "length"), "cut_off"),
        (said("", "length"), "cut_off"),
        (said("Sorry, as a base VLM I am not trained to answer this question."), "refusal"),
        (said("caption en"), "echo"),
    ],
)
def test_each_fault_has_its_code(completion, code):
    """Every fault is a reject with its own stable code, a message and no value."""
    reading = fault(completion, "caption en")
    assert (reading.verdict, reading.code, reading.text) == ("reject", code, None)
    assert reading.message


def test_the_engine_s_words_are_passed_on():
    """An engine error's message says what the engine said."""
    assert "CUDA out of memory" in fault(said("", "error", "CUDA out of memory"), "ocr").message


def test_a_good_answer_has_no_fault():
    """An ordinary answer, and an empty one, are left to the task."""
    assert fault(said("two cats on a sofa"), "caption en") is None
    assert fault(said(""), "caption en") is None
