"""Scores of answers, held against numbers worked out by hand."""

import pytest
from PIL import Image

from jobs.train.card import scores_table, terms_of, tuned_card
from jobs.train.curve import draw_curve
from jobs.train.scores import Score, score
from pipeline.checkpoints import EMBEDDED_FOLDER
from pipeline.engines.description import describe

BOX = "<loc0000><loc0000><loc0100><loc0100>"
MOST = "<loc0000><loc0000><loc0100><loc0080>"
ELSEWHERE = "<loc0500><loc0500><loc0600><loc0600>"


def _value(task: str, pairs: list[tuple[str, str]]) -> float:
    return score(task, pairs)[0].value


def test_each_metric_counts_what_it_says() -> None:
    """Error rates weigh characters and one loop does not drown the rest; values are matched, boxes found, tables compared as trees."""
    assert _value("ocr", [("abcd", "abcx"), ("", "ab")]) == pytest.approx(3 / 6)
    assert _value("ocr", [("x" * 99, "ab")]) == 1
    assert _value("spot", [(f"{ELSEWHERE} ab", f"{BOX} ab")]) == 0
    assert score("spot", [(f"{MOST} xy", f"{BOX} ab")])[1].value == 1
    assert score("spot", [(f"{ELSEWHERE} ab", f"{BOX} ab")])[1].value == 0
    assert _value("answer", [("a ", "a"), ("b", "c")]) == 0.5
    assert score("answer", [("ABCD", "abcx"), ("zz", "ab")])[1].value == pytest.approx(0.75 / 2)
    assert _value("detect", [(f"{MOST} a", f"{BOX} a")]) == 1
    assert _value("detect", [(f"{BOX} b", f"{BOX} a")]) == 0
    assert _value("detect", [("nonsense", f"{BOX} a"), (f"{BOX} a", f"{BOX} a")]) == pytest.approx(0.5, abs=0.02)
    assert _value("detect", [("", ""), (f"{BOX} a", "")]) == 0.5
    row = "<table><tr><td>1</td><td>{}</td></tr></table>"
    assert _value("table", [(row.format(2), row.format(2))]) == 1
    assert 0.5 < _value("table", [(row.format(2), row.format(3))]) < 1
    assert _value("table", [("<table><tr>", row.format(3))]) == 0


def test_each_task_has_its_metrics() -> None:
    """Text is scored by characters, values by match, the rest by what was found."""
    assert [(found.metric, found.more_is_better) for found in score("ocr", [("a", "a")])] == [("character error rate", False)]
    assert [found.metric for found in score("answer", [("a", "a")])] == ["exact", "ANLS"]
    assert [found.metric for found in score("spot", [("", "")])] == ["character error rate", "mAP of lines at IoU 0.5"]
    assert [found.metric for found in score("detect", [("", "")])] == ["mAP at IoU 0.5"]
    assert [found.metric for found in score("table", [("", "")])] == ["TEDS"]


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
    assert "states none" in terms_of(describe(folder), "/data/somebodys")
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
