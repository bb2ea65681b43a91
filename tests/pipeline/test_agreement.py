"""Two readings of one place agree where they may be parts of one line, whatever edges cut of either."""

import pytest

from pipeline.agreement import Said, agreement
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
