"""What is told of a checkpoint's answers, by kind of document."""

from jobs.train.measure import Measured, by_kind


def test_values_that_are_not_shown_are_told_apart() -> None:
    """Who always says `unanswerable` is right of what is not shown, and of nothing else."""
    answers = [
        Measured("receipt", "pdf", "answer", true, "unanswerable", ended=True, confidence=0.5)
        for true in ("12.50", "unanswerable", "unanswerable", "3 May")
    ]
    found = {kind: (score.value, score.count) for kind, _, score in by_kind(answers) if score.metric == "exact"}
    assert found == {"all": (0.5, 4), "receipt": (0.5, 4), "all, shown": (0.0, 2), "all, not shown": (1.0, 2)}


def test_text_is_told_for_all_and_for_each_kind() -> None:
    """Of text nothing is not shown: one line for all kinds, and one for each."""
    answers = [Measured(kind, "scan", "ocr", "ab", "ac", ended=True, confidence=0.5) for kind in ("form", "letter")]
    assert [(kind, score.value) for kind, _, score in by_kind(answers)] == [("all", 0.5), ("form", 0.5), ("letter", 0.5)]
