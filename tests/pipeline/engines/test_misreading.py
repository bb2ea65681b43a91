"""A reader who errs as often as told."""

from statistics import mean

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engines.misreading import UNANSWERABLE, misread
from pipeline.engines.scripted import pixels_per_point
from schemas.view import Affine, Region, View

PIECES = ("INV", "-", "2026", "00", "42")


def reads(rate, n=400, others=(), pieces=PIECES):
    return [misread(pieces, others, rate, f"page {index}", f"page {index} total") for index in range(n)]


@given(st.lists(st.text(max_size=4), max_size=6), st.floats(0, 1))
def test_every_token_has_its_probability(pieces, rate):
    """Whatever is read, there is one log-probability a token, none above 0; the same seeds give the same."""
    found = misread(pieces, (("other",),), rate, "page", "asked")
    assert len(found.pieces) == len(found.logprobs)
    assert all(logprob <= 0 for logprob in found.logprobs)
    assert found == misread(pieces, (("other",),), rate, "page", "asked")


def test_nothing_is_misread_at_rate_0():
    """Then it is a perfect reader."""
    assert {found.pieces for found in reads(0.0, others=(("other",),))} == {PIECES}


def test_letters_are_misread_about_as_often_as_told():
    """Over many pages, legible and not; at twice the rate about twice as many are wrong."""
    wrong = [mean("".join(found.pieces) != "".join(PIECES) for found in reads(rate)) for rate in (0.01, 0.02)]
    assert 0.05 < wrong[0] < 0.25
    assert 1.4 * wrong[0] < wrong[1] < 2.6 * wrong[0]


def test_wrong_tokens_are_less_likely_but_not_always():
    """Their probabilities tell of errors, though some wrong ones are sure and some right ones are not."""
    tokens = [
        (read != true, logprob)
        for found in reads(0.05)
        for read, true, logprob in zip(found.pieces, PIECES, found.logprobs, strict=True)
    ]
    wrong, right = ([logprob for is_wrong, logprob in tokens if is_wrong is kind] for kind in (True, False))
    assert mean(wrong) < mean(right)
    assert max(wrong) > min(right)


def test_other_answers_are_given_in_good_faith():
    """Now and then another field's value stands in the place of the right one, and something where there is nothing."""
    said = {"".join(found.pieces) for found in reads(0.1, others=(("12", " May"), ("99.00",)))}
    made_up = {"".join(found.pieces) for found in reads(0.1, others=(("12", " May"),), pieces=UNANSWERABLE)}
    assert {"12 May", "99.00", "unanswerable"} <= said
    assert "12 May" in made_up


def test_that_there_is_no_answer_is_never_misspelt():
    """It is one word that a model was taught whole: said, or not."""
    found = reads(0.2, pieces=UNANSWERABLE)
    assert {each.pieces for each in found} == {UNANSWERABLE}
    assert len({each.logprobs for each in found}) > 1


def test_a_view_is_as_sharp_as_its_longer_side():
    """Pixels of a point of the page, where it has fewer; a view that lies askew has those that it has upright."""
    image = np.zeros((448, 448, 3), np.uint8)
    views = [
        View("d", 0, Region("page", affine), image)
        for affine in (Affine(300, 0, 0, 448, 0, 0), Affine(0, 448, -300, 0, 300, 0))
    ]
    assert [pixels_per_point(view) for view in views] == [1.0, 1.0]
