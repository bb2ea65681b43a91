# ruff: noqa: S311 - seeds are to be repeated, not kept secret
"""Garbled answers, for a bounded time: whatever a model says, its decoder makes a reading of it that can be written as a row."""

import os
import random
import time

import pytest

from pipeline.tasks.asks import page_asks
from schemas.job import (
    AnswerField,
    AnswerTask,
    CaptionTask,
    DetectTask,
    OcrTask,
    QuestionTask,
    RawTask,
    ReferTask,
    SegmentTask,
    SpotTask,
    TableTask,
)
from schemas.view import Affine, Completion

SECONDS = float(os.environ.get("PAGEMILL_FUZZ_SECONDS", "90")) / 6
SEED = int(os.environ.get("PAGEMILL_FUZZ_SEED", "1"))
KINDS = ("string", "integer", "decimal", "money", "date", "boolean")
FIELDS = tuple(AnswerField(name=kind, question=f"what is the {kind}?", type=kind, locale="de_DE") for kind in KINDS)
CHOICES = AnswerField(name="choice", question="which?", type="enum", choices=("paid", "open"))
TASKS = (
    OcrTask(type="ocr"), SpotTask(type="spot"), AnswerTask(type="answer", fields=(*FIELDS, CHOICES)), TableTask(type="table"),
    DetectTask(type="detect", labels=("stamp", "logo")), SegmentTask(type="segment", labels=("stamp",)), ReferTask(type="refer", phrase="the logo"),
    CaptionTask(type="caption"), QuestionTask(type="question", answer="42"), RawTask(type="raw", name="r", prompt="toc"),
)  # fmt: skip
ANSWERS = (
    "first line\nsecond line", "<loc0010><loc0020><loc0030><loc0900> total 1.234,50 €\n<loc0100><loc0020><loc0130><loc0900> paid",
    "1.234,50 EUR", "31.12.2026", "12. März 2026", "ja", "unanswerable",
    "<loc0000><loc0000><loc1023><loc1023> stamp ; <loc0100><loc0100><loc0200><loc0300> logo",
    "<loc0100><loc0100><loc0200><loc0300>" + "".join(f"<seg{number:03d}>" for number in range(0, 128, 8)) + " stamp",
    "<table><tr><td colspan=2>a</td></tr><tr><td>b</td><td rowspan=3>c</td></tr></table>", "",
)  # fmt: skip


@pytest.mark.fuzz
def test_no_answer_is_too_odd_for_its_decoder(mutate, pytestconfig):
    """Decoders return a value, an absence or a reject with a code, and everything they return can be stored as text."""
    asks, deadline, number = page_asks(TASKS, None), time.monotonic() + SECONDS, 0
    area = Affine(200, 0, 0, 300, 10, 20)
    while time.monotonic() < deadline:
        number += 1
        rng = random.Random(f"{SEED}:{number}")
        text = mutate.garbled(rng.choice(ANSWERS), rng)
        completion = Completion(text, tuple(range(len(text) + 1)), (-0.1,) * (len(text) + 1), rng.choice(("stop", "length")))
        for ask in asks:
            try:
                reading = ask.decode(completion, area)
            except Exception as error:
                raise AssertionError(f"{ask.key} on answer {number} of seed {SEED}: {text!r}") from error
            assert reading.verdict != "reject" or reading.code, (ask.key, text)
            repr(reading).encode()
    pytestconfig.stash[mutate.told].append(f"decoders: {number} answers of seed {SEED}, each to {len(asks)} decoders")
    assert number > 100
