"""Which names a pattern takes."""

import fnmatch
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import JobError
from pipeline.globs import matcher

TAKEN = [
    ("*.pdf", "a.pdf"), ("*.pdf", ".pdf"), ("*.pdf", "A.PDF"), ("**/*.pdf", "a.pdf"), ("**/*.pdf", "x/y/a.pdf"), ("**/*.pdf", "a b#%+?.pdf"),
    ("in/**", "in/a"), ("in/**", "in/a/b"), ("in/**/x", "in/x"), ("in/**/x", "in/a/b/x"), ("**", "a/b"), ("**", "a"), ("/a", "a"), ("?", "é"),
    ("[ab].pdf", "b.pdf"), ("[!ab].pdf", "c.pdf"), ("[0-9][0-9]", "42"), ("[]]", "]"), ("[!]]", "x"), ("a[", "a["), ("[]", "[]"), ("a.c", "a.c"),
    ("{a,b}", "{a,b}"), ("a+(b)|c", "a+(b)|c"), ("**/請求書*", "x/請求書1.pdf"), ("a**b", "axxb"),
    ("x*\n", "xy\n"), ("*", "a\nb"), ("[^a]", "^"), ("[a\\]", "\\"),
]  # fmt: skip
LEFT = [
    ("*.pdf", "x/a.pdf"), ("*.pdf", "a.pdf.bak"), ("*.pdf", "apdf"), ("**/*.pdf", "x/apdf"), ("in/**", "in"), ("in/**", "int/a"),
    ("in/**/x", "in/ax"),
    ("?", "ab"), ("?", "/"), ("[!a]", "/"), ("[!ab].pdf", "a.pdf"), ("a.c", "abc"), ("", "a"), ("a**b", "a/b"), ("*/*", "a"),
    ("*/*", "a/b/c"), ("a", "a\n"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "name"), TAKEN)
def test_names_that_a_pattern_takes(pattern: str, name: str) -> None:
    """The pattern's words mean what the module says of them; upper and lower case are the same, and nothing else is special."""
    assert matcher([pattern])(name)


@pytest.mark.parametrize(("pattern", "name"), LEFT)
def test_names_that_a_pattern_leaves(pattern: str, name: str) -> None:
    """Stars and question marks never cross a slash, and a pattern is about the whole name."""
    assert not matcher([pattern])(name)


def test_any_of_several_patterns_is_enough() -> None:
    """A name is taken if one pattern takes it; no pattern takes none."""
    assert matcher(["*.tif", "*.pdf"])("a.pdf")
    assert not matcher(["*.tif", "*.png"])("a.pdf")
    assert not matcher([])("a.pdf")


def test_a_range_that_runs_backwards_is_refused() -> None:
    """The error names the pattern."""
    with pytest.raises(JobError, match=r"\[z-a\]"):
        matcher(["*.pdf", "[z-a]"])


@given(st.text(alphabet="ab.*?[]!-/\\^", max_size=8), st.text(alphabet="ab.[]!-\\^", max_size=6))
@settings(max_examples=200)
def test_any_pattern_can_be_asked(pattern: str, name: str) -> None:
    """Every pattern has a meaning, or is refused as one whose range runs backwards.

    Within one folder, and without our own reading of odd brackets, it means what fnmatch says.
    """
    try:
        taken = matcher([pattern])(name)
    except JobError as exc:
        assert "range" in str(exc)  # noqa: PT017 (either way is right)
        return
    if "/" not in pattern and not re.search(r"[\[\]]", pattern) and pattern != "**":
        assert taken == fnmatch.fnmatchcase(name.lower(), pattern.lower())
