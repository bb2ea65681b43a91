"""Error rates and likeness of text, against examples counted by hand and what must hold of any text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.evaluate.text import character_errors, likeness, plain, same, word_errors

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=30)


@pytest.mark.parametrize(
    ("said", "true", "characters", "words"),
    [
        ("invoice 12", "invoice 12", (0, 10), (0, 2)),
        ("invoise 12", "invoice 12", (1, 10), (1, 2)),  # one letter changed
        ("invoice", "invoice 12", (3, 10), (1, 2)),  # a space and two figures left out
        ("the invoice 12", "invoice 12", (4, 10), (1, 2)),  # a word too many
        ("", "invoice 12", (10, 10), (2, 2)),
        ("noise", "", (5, 0), (1, 0)),
        ("", "", (0, 0), (0, 0)),
        ("a\n b", "a b", (0, 3), (0, 2)),  # where lines break is layout
        ("e\u0301", "\u00e9", (0, 1), (0, 1)),  # the same letter, composed and not
    ],
)
def test_edits_are_counted(said, true, characters, words):
    """Edits and true lengths are those that a person counts."""
    assert character_errors(said, true) == characters
    assert word_errors(said, true) == words


@given(TEXT, TEXT)
@settings(max_examples=60, deadline=None)
def test_a_rate_is_zero_of_the_truth_alone(said, true):
    """The same text has no error, another has; edits are the same both ways."""
    assert character_errors(true, true)[0] == word_errors(true, true)[0] == 0
    edits = character_errors(said, true)[0]
    assert (edits == 0) == (plain(said) == plain(true))
    assert edits == character_errors(true, said)[0]


@pytest.mark.parametrize(
    ("said", "answers", "value"),
    [
        ("Acme Ltd", ["acme ltd"], 1.0),  # case aside
        ("Acme", ["Acne"], 0.75),
        ("ab", ["ax"], 0.5),  # one half still counts
        ("abc", ["axy"], 0.0),  # a third does not
        ("1998", ["98", "1998"], 1.0),  # any answer will do
        ("", ["x"], 0.0),
        ("x", [], 0.0),
    ],
)
def test_likeness_is_anls(said, answers, value):
    """One answer's part of ANLS is 1 − distance over the longer, cut off below one half."""
    assert likeness(said, answers) == pytest.approx(value)


@given(TEXT, TEXT)
@settings(max_examples=60, deadline=None)
def test_likeness_is_symmetric_and_bounded(one, other):
    """Likeness is 1 of the same text, symmetric, and either 0 or at least one half."""
    assert likeness(one, [one]) == 1.0
    value = likeness(one, [other])
    assert value == pytest.approx(likeness(other, [one]))
    assert value == 0 or 0.5 <= value <= 1


def test_same_is_letter_for_letter():
    """A match is exact but for white space: case and points count."""
    assert same(" a  b ", ["a b"])
    assert not same("A b", ["a b"])
    assert not same("a b.", ["a b"])
