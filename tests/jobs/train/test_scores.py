"""Scores of answers, held against numbers worked out by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from jobs.train.card import scores_table, terms_of, tuned_card
from jobs.train.curve import draw_curve
from jobs.train.scores import Score, anls, cells_f1, character_error_rate, detection_f1, distance, exact, score
from pipeline.checkpoints import EMBEDDED_FOLDER
from pipeline.engines.description import describe

BOX = "<loc0000><loc0000><loc0100><loc0100>"
MOST = "<loc0000><loc0000><loc0100><loc0080>"
ELSEWHERE = "<loc0500><loc0500><loc0600><loc0600>"


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
@settings(max_examples=100)
def test_the_distance_is_levenshteins(left, right) -> None:
    """It equals the textbook's recursion."""

    def plain(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        return min(plain(a[1:], b) + 1, plain(a, b[1:]) + 1, plain(a[1:], b[1:]) + (a[0] != b[0]))

    assert distance(left[:5], right[:5]) == plain(left[:5], right[:5])
    assert distance(left, right) == distance(right, left)


def test_each_metric_counts_what_it_says() -> None:
    """Error rates weigh characters, ANLS forgives small slips, F1 counts what is missing and what is made up."""
    assert character_error_rate([("abcd", "abcx"), ("", "ab")]) == pytest.approx(3 / 6)
    assert character_error_rate([("x" * 99, "ab")]) == 1
    assert exact([("a ", "a"), ("b", "c")]) == 0.5
    assert anls([("ABCD", "abcx"), ("zz", "ab")]) == pytest.approx(0.75 / 2)
    assert detection_f1([(f"{MOST} a", f"{BOX} a")]) == 1
    assert detection_f1([(f"{BOX} b", f"{BOX} a")]) == 0
    assert detection_f1([(f"{BOX} a ; {BOX} a", f"{BOX} a")]) == 1  # said twice, read once
    assert detection_f1([(f"{BOX} a ; {ELSEWHERE} a", f"{BOX} a")]) == pytest.approx(2 / 3)
    assert detection_f1([("", "")]) == 1
    assert detection_f1([("nonsense", f"{BOX} a")]) == 0
    row = "<table><tr><td>1</td><td>{}</td></tr></table>"
    assert cells_f1([(row.format(2), row.format(3))]) == 0.5
    assert cells_f1([("<table><tr>", row.format(3))]) == 0


def test_each_task_has_its_metrics() -> None:
    """Text is scored by characters, spotted text without its places, values by match, the rest by what was found."""
    assert [(found.metric, found.more_is_better) for found in score("ocr", [("a", "a")])] == [("character error rate", False)]
    assert score("spot", [(f"{ELSEWHERE} ab", f"{BOX} ab")])[0].value == 0
    assert [found.metric for found in score("answer", [("a", "a")])] == ["exact", "ANLS"]
    assert score("detect", [(f"{BOX} a", f"{BOX} a")])[0].metric == "F1 at IoU 0.5"


def test_a_card_carries_the_terms_of_its_origin(tmp_path) -> None:
    """A fine-tune of the embedded checkpoint is Apache-2.0, one of a published checkpoint under the Gemma terms, one of those again too."""
    terms = terms_of(describe(EMBEDDED_FOLDER), "embedded")
    assert terms.startswith("Apache-2.0")
    folder = tmp_path / "paligemma-3b-mix-448"
    folder.mkdir()
    for path in EMBEDDED_FOLDER.glob("*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    gemma = terms_of(describe(folder), "google/paligemma-3b-mix-448")
    assert "Gemma Terms" in gemma
    assert "research" in gemma
    assert "research" not in terms_of(describe(folder), "google/paligemma-3b-pt-448")
    written = tuned_card("google/paligemma-3b-mix-448", gemma, {"seed": "0"}, ())
    (folder / "MODEL_CARD.md").write_text(written)
    assert terms_of(describe(folder), "my/tuned") == gemma
    assert "No page was held out" in written
    both = (Score("ocr", "character error rate", 0.5, 7, False), Score("ocr", "character error rate", 0.25, 7, False))
    assert "| ocr | character error rate | 50.0% | 25.0% | 7 |" in scores_table([both])


@pytest.mark.parametrize("losses", [[], [2.0], [3.0, 2.0, 1.0, 0.5] * 40])
def test_a_curve_is_a_picture(tmp_path, losses) -> None:
    """Any number of losses can be drawn; a line is there once there are two."""
    draw_curve(losses, tmp_path / "loss.png", "test")
    with Image.open(tmp_path / "loss.png") as picture:
        assert picture.size == (960, 540)
        assert ((20, 90, 170) in {colour for _, colour in picture.getcolors(10**6)}) == (len(losses) > 1)
