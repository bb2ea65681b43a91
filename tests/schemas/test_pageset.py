"""Pages of a document as a person writes them."""

import json

import pytest
from pydantic import ValidationError

from schemas.job import AnswerField
from schemas.pageset import holds, holds_any


def meant(pages, page_count):
    field = AnswerField.model_validate_json(json.dumps({"name": "n", "question": "q?", "pages": pages}), strict=True)
    return [index + 1 for index in range(page_count) if holds(field.pages, index, page_count)]


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([], [1, 2, 3, 4, 5]),
        ("first", [1]),
        ("last", [5]),
        (3, [3]),
        ("3", [3]),
        ("2-4", [2, 3, 4]),
        ("4-last", [4, 5]),
        ("first-2", [1, 2]),
        ("first-last", [1, 2, 3, 4, 5]),
        (["first", 3, "5"], [1, 3, 5]),
        (["4 - 9"], [4, 5]),
        ("7", []),
        ("6-last", []),
    ],
)
def test_pages_are_meant_as_written(pages, expected):
    """They count from 1; one range needs no list, and what lies behind the last page is no page."""
    assert meant(pages, 5) == expected


def test_one_page_is_first_and_last():
    """An image has one page, and both words mean it."""
    assert meant("first", 1) == meant("last", 1) == [1]


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("pages", [(), ("first",), ("last",), ("3",), ("3-last",), ("2-4", "9")])
def test_a_document_has_some_of_them_or_none(pages, count):
    """Whether any page is meant agrees with asking page by page."""
    assert holds_any(pages, count) == any(holds(pages, index, count) for index in range(count))


def test_of_unknown_length_any_page_may_be_the_last():
    """Rather one question too many than a value that nobody looked for."""
    assert holds(("last",), 7, None)
    assert not holds(("2",), 7, None)


@pytest.mark.parametrize("wrong", ["0", "-1", "second", "5-2", "last-2", "last-last", "1,2", "", True, 1.5, [["1"]]])
def test_what_names_no_pages_is_refused(wrong):
    """With the words that would do."""
    with pytest.raises(ValidationError):
        meant(wrong, 5)


def test_it_says_what_to_write():
    """A range that goes backwards is told the way round."""
    with pytest.raises(ValidationError, match="write 2-5"):
        meant("5-2", 5)
    with pytest.raises(ValidationError, match="first, last, a number"):
        meant("p. 3", 5)
