"""Loops: what a stuck model writes, and what pages legitimately repeat."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tasks.loops import looping

SHARED = Path(os.environ.get("PAGEMILL_SHARED", Path(__file__).parents[4] / "shared"))

LEGITIMATE = {
    "a table of zeros": "\n".join(["0 0 0 0 0 0 0 0"] * 40),
    "dot leaders": "\n".join(f"{number}. Chapter {number} {'.' * 60} {number * 7}" for number in range(1, 12)),
    "spaced dot leaders": "Introduction " + ". " * 80 + "3",
    "rules": ("-" * 80 + "\n" + "=" * 80 + "\n") * 6,
    "blanks of a form": "Name: " + "_ " * 60,
    "repeated prices": "\n".join(["12.50"] * 60),
    "prices with a unit": "\n".join(f"{amount:.2f} EUR" for amount in [9.5] * 4 + [7.0, 8.25] * 3),
    "a row of n/a": "Service January February March April May June " + "n/a " * 12 + "total due at the end of the whole year",
    "a table's column": "\n".join(f"item {number} of stock: yes" for number in range(40)),
    "one word": "Walla Walla",
    "empty": "",
}
STUCK = {
    "a word for ever": "the total is " + "the " * 60,
    "a phrase for ever": "Dear sir, " + "we thank you for your order and " * 20,
    "a stuck line": "Invoice 12\n" + "Please pay within thirty days of receipt.\n" * 12,
    "two lines in turn": "Heading\n" + "first line of words here\nsecond line of words here\n" * 15,
    "a line between others": "\n".join(f"Terms and conditions apply here\n{number}" for number in range(20)),
    "a short answer": "nick nick nick nick nick nick nick",
    "places for ever": "<loc0001><loc0002><loc0003><loc0004> stamp ; " * 12,
}


@pytest.mark.parametrize("name", LEGITIMATE)
def test_pages_may_repeat_themselves(name):
    """Figures, leaders, rules and repeated cells of an answer that ended are no loop."""
    assert not looping(LEGITIMATE[name], cut_off=False)


@pytest.mark.parametrize("name", STUCK)
@pytest.mark.parametrize("cut_off", [True, False])
def test_a_stuck_model_is_found(name, cut_off):
    """Words, phrases and lines that repeat beyond what pages do are a loop, whether or not the answer ended."""
    assert looping(STUCK[name], cut_off=cut_off)


@pytest.mark.parametrize("tail", ["0 " * 30, "." * 40, "12.50\n" * 20, "仪器法" * 10, "<loc0001>" * 40])
def test_any_cycle_at_the_end_counts_once_cut_off(tail):
    """An answer that was cut off while it repeated itself was stuck, whatever it repeated."""
    assert looping("Some true text first. " + tail, cut_off=True)


def test_an_ordinary_cut_is_no_loop():
    """A long text that ran out of tokens is cut off, not stuck."""
    assert not looping("The quick brown fox jumps over the lazy dog and then rests in the shade of the tre", cut_off=True)


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet="abcdefghij 0123.", min_size=0, max_size=80),
    st.lists(st.sampled_from(["red", "green", "blue", "one", "two", "three"]), min_size=3, max_size=8, unique=True),
)
def test_a_phrase_repeated_for_long_is_always_found(before, phrase):
    """Whatever came before, forty rounds of a phrase are a loop."""
    assert looping(before + " " + " ".join(phrase * 40), cut_off=False)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.booleans())
def test_any_text_is_judged(text, cut_off):
    """Judging never raises."""
    assert looping(text, cut_off=cut_off) in {True, False}


def test_real_pages_are_no_loops():
    """The text layers of real documents, read in either order, are not taken for loops."""
    pymupdf = pytest.importorskip("pymupdf")
    folder = SHARED / "corpus" / "pdfplumber"
    if not folder.is_dir():
        pytest.skip(f"no real documents at {folder} (set PAGEMILL_SHARED)")
    names = [
        "WARN-Report-for-7-1-2015-to-03-25-2016",
        "nics-background-checks-2015-11",
        "senate-expenditures",
        "pr-138-example",
    ]
    paths = [path for name in names for path in folder.rglob(f"{name}.pdf")]
    assert paths
    for path in paths:
        with pymupdf.open(path) as document:
            for page in document.pages(0, min(15, document.page_count)):
                for sort in (True, False):
                    assert not looping(page.get_text(sort=sort), cut_off=False), (path.name, page.number)
