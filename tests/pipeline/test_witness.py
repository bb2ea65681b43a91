"""The text layer as a witness: what both say, what one alone has, and sums over pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.witness import agreement, witnessed


def test_what_both_say_and_what_one_alone_has():
    """Letters in order, words in any order but as often as they stand; words of one side alone are named."""
    found = agreement("a b b c", "b  a\nd")
    assert (found.word_recall, found.word_precision, found.words) == (pytest.approx(2 / 3, abs=1e-6), 0.5, 3)
    assert (found.only_model, found.only_layer) == (("b", "c"), ("d",))
    assert (found.cer, found.characters) == (pytest.approx(4 / 5), 5)


def test_the_same_text_agrees_wholly():
    """However its lines break and its accents are stored; a blank layer is found by a blank text alone."""
    found = agreement("Cafe\u0301 au lait", "Caf\u00e9\nau lait")
    assert (found.cer, found.word_recall, found.word_precision) == (0, 1, 1)
    assert agreement("", "").cer == 0
    assert agreement("abc", "").cer == 3


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_texts_can_be_held_together(said, layer):
    """Shares keep to their bounds, and a text agrees with itself."""
    found = agreement(said, layer)
    assert 0 <= found.word_recall <= 1
    assert 0 <= found.word_precision <= 1
    assert found.cer >= 0
    assert agreement(said, said).cer == 0


def test_pages_count_by_their_letters():
    """A run's error rate is of all its letters, not the mean of its pages; pages without a layer are no witness."""
    total = witnessed([agreement("abcdefghij", "abcdefghij"), None, agreement("xy", "xx")])
    assert (total.pages, total.characters, total.words) == (2, 12, 2)
    assert total.cer == pytest.approx(1 / 12, abs=1e-6)
    assert total.word_recall == 0.5
    assert witnessed([]).word_recall == 1
