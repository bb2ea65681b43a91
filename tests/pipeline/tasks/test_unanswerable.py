"""The word for a question that a page does not answer."""

import pytest

from pipeline.tasks.unanswerable import is_unanswerable


@pytest.mark.parametrize(
    ("answer", "says_so"),
    [("unanswerable", True), (" Unanswerable.\n", True), ("it is unanswerable", False), ("", False), ("unanswered", False)],
)
def test_the_word_is_known_in_whatever_case(answer, says_so) -> None:
    """Alone, with or without a full stop, it is no answer; amid other words it is one."""
    assert is_unanswerable(answer) is says_so
