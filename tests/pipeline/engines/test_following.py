"""Which token may come next in an answer that keeps to a form."""

import pytest

from pipeline.engines.following import Following, has_form
from schemas.view import Form

PIECES = ["<eos>", "1", "2", "yes", "ye", "s", "no", "", "�", " EUR", "."]
EOS = 0


def text(ids) -> str:
    return "".join(PIECES[token] for token in ids if token != EOS)


def following(form: Form) -> Following:
    return Following(form, text, [EOS])


@pytest.mark.parametrize(
    ("form", "written", "may"),
    [
        (Form(choices=("yes", "no")), [], {"yes", "ye", "no"}),
        (Form(choices=("yes", "no")), ["ye"], {"s"}),
        (Form(choices=("yes", "no")), ["yes"], {"<eos>"}),
        (Form(expression=r"[0-9]+(\.[0-9]+)?( EUR)?"), ["1"], {"<eos>", "1", "2", " EUR", "."}),
        (Form(expression=r"[0-9]+(\.[0-9]+)?( EUR)?"), ["1", "."], {"1", "2"}),
        (Form(expression=r"[0-9]+(\.[0-9]+)?( EUR)?"), ["1", " EUR"], {"<eos>"}),
        (Form(choices=("a.b",)), [], set()),
    ],
)
def test_only_what_the_form_can_go_on_with(form, written, may) -> None:
    """The end comes only after a whole answer, and nothing that writes no letter: such tokens could come for ever."""
    ids = [PIECES.index(piece) for piece in written]
    found = {PIECES[token] for token in range(len(PIECES)) if following(form).first(ids, [token]) is not None}
    assert found == may


def test_the_likeliest_that_may_come_is_taken() -> None:
    """Candidates are tried in the order in which they are given."""
    wanted = following(Form(choices=("yes", "no")))
    assert wanted.first([], [PIECES.index(piece) for piece in ("1", "no", "yes")]) == PIECES.index("no")
    assert wanted.first([], []) is None


def test_choices_are_words_and_no_expressions() -> None:
    """A dot in a choice is a dot."""
    assert has_form(Form(choices=("a.b",)), "a.b")
    assert not has_form(Form(choices=("a.b",)), "axb")
