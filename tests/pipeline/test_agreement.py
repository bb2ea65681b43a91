"""Two readings of one place agree where they may be parts of one line, whatever edges cut of either."""

import pytest

from pipeline.agreement import Said, agreement, alike, perhaps_alike
from pipeline.widths import between, width_of


def at(text: str, x0: float) -> Said:
    return Said(text, x0, x0 + 5 * width_of(text))


def test_parts_of_a_line_agree() -> None:
    """The same words, and a beginning and an end that share a few characters, of which an edge has torn one, agree: in their place."""
    whole = at("The committee met twice", 100)
    assert agreement(whole, whole) == 1
    rest = Said(f"l{whole.text[-6:]}", whole.x1 - 5 * width_of("ltwice") - 2, whole.x1)
    assert agreement(whole, rest) == agreement(rest, whole) > 0.5
    assert agreement(whole, Said(rest.text, 100, 100 + rest.x1 - rest.x0)) < 0.1


@pytest.mark.parametrize(
    ("one", "other"),
    [("Signature", "APPROVED"), ("l", "Children"), ("l", "l"), ("Yes", "No"), ("", "Town"), ("----- -------", "Alice Plithcu")],
)
def test_chance_is_little(one: str, other: str) -> None:
    """Words that have nothing in common do not agree, and a single letter says nothing."""
    assert agreement(at(one, 50), at(other, 50)) == agreement(at(other, 50), at(one, 50)) == 0


def test_texts_side_by_side_say_nothing_of_one_another() -> None:
    """What shares no print cannot agree."""
    assert agreement(Said("same", 0, 20), Said("same", 20, 40)) == 0


@pytest.mark.parametrize("text", ["", "l", "Wide words and little ones"])
def test_a_text_is_the_sum_of_its_parts(text: str) -> None:
    """What stands before and after a point of a text's width are together the text."""
    for part in (0.0, 0.3, 0.77, 1.0):
        assert between(text, 0, part - 1e-9) + between(text, part, 1) == text


@pytest.mark.parametrize(
    ("one", "other"), [("Doppel Bürse X12", "Doppel BBrse X12"), ("13,63", "13,63"), ("Walid from", "Valid from")]
)
def test_one_line_read_twice_is_alike(one: str, other: str) -> None:
    """A letter in six may be wrong in either reading."""
    assert alike(one, other)
    assert perhaps_alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("Item 1 12.00", "Item 2 12.00"), ("155,20", "135,20"), ("V77 Oak shelf", "V74 Oak shelf")]
)
def test_rows_that_differ_in_a_figure_are_alike_only_perhaps(one: str, other: str) -> None:
    """A figure may be wrong, but is more often another row's."""
    assert not alike(one, other)
    assert perhaps_alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("Unit", "Units"), ("Yes", "No"), ("1", "1"), ("Oak shelf", "Large clamp"), ("12", "13")]
)
def test_other_words_are_not_alike(one: str, other: str) -> None:
    """Short words differ by one letter, and a single one says nothing."""
    assert not alike(one, other)
