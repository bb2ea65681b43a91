"""What speaks for a value and against it."""

import pytest

from pipeline.readings import read, record, voices
from pipeline.signals import agreement, signals, standing_in
from pipeline.tasks.asks import asks
from schemas.field import FieldValue
from schemas.job import AnswerField, AnswerTask
from schemas.view import Affine, Completion, Region

FIELD = AnswerField(name="total", question="the total?", rephrased=("how much?",), type="integer")
(TOTAL,) = asks(AnswerTask(type="answer", fields=(FIELD,)))
PAGE = Region("page", Affine(600, 0, 0, 800, 0, 0))
TILES = [Region(f"tile-{n}", Affine(600, 0, 0, 400, 0, 400 * n)) for n in (0, 1)]


def said(text, *, region=PAGE, rung=0, prompt=TOTAL.prompt, logprobs=(-0.5,), margins=()):
    return record(TOTAL, region, rung, Completion(text, (1,), logprobs, "stop", margins=margins), prompt)


def found(*records, layer=None, text=None):
    heard = voices(TOTAL, records)
    value = FieldValue(status="ok", value_raw="42", value_text="42", value_number=42)
    return signals(TOTAL, heard, value, layer, text)


def ok(text, **typed):
    return FieldValue(status="ok", value_raw=text, value_text=text, **typed)


def test_the_tokens_of_the_answer_itself_count() -> None:
    """Of several tiles, those of the one that gave the value."""
    blind, seeing = said("unanswerable", region=TILES[0], logprobs=(-3.0,)), said("42", region=TILES[1], logprobs=(-0.1, -0.3))
    known = found(blind, seeing)
    assert (known.mean_logprob, known.least_logprob) == (pytest.approx(-0.2), -0.3)
    assert found(said("42", margins=(4.0, 0.25))).least_margin == 0.25
    assert found(said("42")).least_margin is None


def test_of_values_of_several_tiles_the_likeliest_counts() -> None:
    """One that does not show what it is asked for may guess; equally likely ones count in their order, and one that tells nothing last."""
    guess, known = said("41", region=TILES[0], logprobs=(-0.9,)), said("42", region=TILES[1], logprobs=(-0.1,))
    for records in ([guess, known], [known, guess]):
        value = read(TOTAL, records).value
        assert value is not None
        assert value.value_number == 42
        assert signals(TOTAL, voices(TOTAL, records), value, None, None).mean_logprob == -0.1
    alike = [said(text, region=tile) for text, tile in zip(("41", "42"), TILES, strict=True)]
    untold = [each.model_copy(update={"mean_logprob": None}) for each in alike]
    for records in (alike, untold, [untold[1], alike[0]]):
        value = read(TOTAL, records).value
        assert value is not None
        assert value.value_number == 41
    twice = [said("42", region=tile, logprobs=(logprob,)) for tile, logprob in zip(TILES, (-0.9, -0.2), strict=True)]
    assert found(*twice).mean_logprob == -0.2


def test_absence_is_as_sure_as_its_least_sure_view() -> None:
    """A tile that hardly knew whether the thing is there speaks against its absence."""
    views = [said("unanswerable", region=TILES[0], logprobs=(-0.01,)), said("unanswerable", region=TILES[1], logprobs=(-0.7,))]
    heard = voices(TOTAL, views)
    assert signals(TOTAL, heard, FieldValue(status="absent"), "42", None).least_logprob == -0.7


def test_others_agree_or_not() -> None:
    """Rungs before, other words and other tiles are each a witness; who was not asked is none."""
    assert (found(said("42")).rungs, found(said("42")).questions, found(said("42")).tiles) == (None, None, None)
    assert found(said("42"), said("42", rung=1)).rungs == 1.0
    assert found(said("41"), said("42", rung=1)).rungs == 0.0
    assert found(said("42"), said("40", prompt=TOTAL.prompts[1])).questions == 0.0
    assert found(said("42", region=TILES[0]), said("43", region=TILES[1])).tiles == 0.0


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        (ok("1,200.00", value_number=1200), ok("1200", value_number=1200), 1.0, 1.0),
        (ok("1200", value_number=1200), ok("1208", value_number=1208), 0.0, 0.0),
        (ok("INV-0042"), ok("inv-0042"), 1.0, 1.0),
        (ok("INV-0042"), ok("INV-0O42"), 0.8, 0.95),
        (ok("x"), FieldValue(status="absent"), 0.0, 0.0),
        (FieldValue(status="absent"), FieldValue(status="absent"), 1.0, 1.0),
    ],
)
def test_two_answers_agree_by_what_they_mean(one, other, least, most) -> None:
    """Typed values agree or do not; words agree by their letters."""
    assert least <= agreement(one, other) <= most


def test_a_value_stands_in_a_text_as_whole_words() -> None:
    """Part of a longer number, or a misread letter, is less than all of it; no text is no witness."""
    assert standing_in(ok("1,200.00"), "Total: 1,200.00.") == 1.0
    assert standing_in(ok("Ada Lovelace"), "to Ada\nLOVELACE,") == 1.0
    assert 0.5 < standing_in(ok("200"), "1200 5") < 1.0
    assert standing_in(ok("999"), "Total: 1,200") < 0.5
    assert standing_in(ok("1"), None) is None
    assert standing_in(FieldValue(status="absent"), "all of it") is None


def test_a_field_is_named_on_its_page_or_not() -> None:
    """By the share of its name's words that stand there, in the text layer or else in what the model read; of no text nothing is known."""
    (ask,) = asks(AnswerTask(type="answer", fields=(AnswerField(name="due_date", question="when is it due?"),)))
    item = record(ask, PAGE, 0, Completion("unanswerable", (1,), (-0.1,), "stop"))
    absent = FieldValue(status="absent")
    texts = [("Due date: tomorrow", None), ("Date", "due date"), (None, "nothing of it"), (None, None)]
    assert [signals(ask, voices(ask, [item]), absent, *each).named for each in texts] == [1.0, 0.5, 0.0, None]
