"""How far confidence can be trusted: figures held against counts by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.evaluate.calibrate import calibrated, held_out
from jobs.evaluate.reliability import Judged, reliability
from pipeline.confidence import SPEAK_FOR, confidence
from pipeline.errors import JobError
from schemas.field import FieldRow
from schemas.signals import Signals

ROW = dict.fromkeys(("field_id", "page_id", "source_id", "source_uri", "name", "question", "task_fingerprint", "run_id"), "x")


def answer(number: int, *, is_right: bool, **signals: float) -> Judged:
    row = FieldRow.model_validate(
        ROW
        | {
            "status": "ok",
            "value_text": "x",
            "page_index": 0,
            "processed_at": "2026-01-01T00:00:00Z",
            "signals": Signals(**signals),
        }
    )
    return Judged(f"document {number}", row, Signals(**signals), is_right)


def answers(n: int = 200) -> list[Judged]:
    """Return answers that are right as often as their least token says."""
    return [
        answer(
            n % 20,
            is_right=n % 10 != 0 if n % 2 else n % 4 == 0,
            least_logprob=-0.01 if n % 2 else -1.0,
            layer=float(n % 10 == 0),
        )
        for n in range(n)
    ]


def test_figures_are_those_of_a_count_by_hand():
    """Of five answers, two wrong: pairs in order, distances of bins, and what is wrong among the surest."""
    found = reliability([0.95, 0.85, 0.75, 0.45, 0.15], [True, True, False, True, False])
    assert (found.answers, found.wrong) == (5, 2)
    assert found.auc == pytest.approx(5 / 6)  # of six pairs, only 0.45 and 0.75 stand the wrong way round
    assert found.calibration_error == pytest.approx((0.05 + 0.15 + 0.75 + 0.55 + 0.15) / 5)
    assert found.right_at_80 == pytest.approx(3 / 4)
    assert [(risk.coverage, round(risk.wrong, 3)) for risk in found.risks][-3:] == [(0.6, 0.333), (0.8, 0.25), (1.0, 0.4)]


def test_equally_sure_answers_are_in_no_order():
    """Where all have one confidence, it finds nothing: AUC one half, and any part of them is as wrong as all."""
    found = reliability([0.5] * 4, [True, False, False, True])
    assert (found.auc, found.right_at_80, found.calibration_error) == (0.5, 0.5, 0.0)


def test_what_cannot_be_told_is_left_out():
    """Without a wrong answer there is no AUC, and without any answer no figure."""
    assert reliability([0.9, 0.8], [True, True]).auc is None
    assert reliability([], []).calibration_error is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=60))
def test_figures_keep_to_their_bounds(pairs):
    """Whatever the answers, every figure is from 0 to 1, and all answers together are as wrong as they are."""
    found = reliability([sure for sure, _ in pairs], [is_right for _, is_right in pairs])
    figures = [found.auc, found.calibration_error, found.right_at_80, *(risk.wrong for risk in found.risks)]
    assert all(-1e-9 <= figure <= 1 + 1e-9 for figure in figures if figure is not None)
    assert found.risks[-1].wrong == pytest.approx(found.wrong / len(pairs))


def test_weights_are_fitted_to_what_was_right():
    """Fitted confidence is near the share that is right, and no witness counts against what it confirms."""
    given_ = answers()
    model = calibrated(given_)
    means = [
        sum(confidence(each.signals, each.value, model) for each in mine) / len(mine)
        for mine in ([each for each in given_ if (each.signals.least_logprob > -0.1) is kind] for kind in (True, False))
    ]
    shares = [
        sum(each.is_right for each in mine) / len(mine)
        for mine in ([each for each in given_ if (each.signals.least_logprob > -0.1) is kind] for kind in (True, False))
    ]
    assert means == pytest.approx(shares, abs=0.02)
    assert all(weight >= 0 for name, weight in model.weights.items() if name in SPEAK_FOR)
    assert "layer" not in model.weights or model.weights["layer"] >= 0
    assert (model.fitted_on.answers, model.fitted_on.documents) == (200, 20)


def test_an_answer_is_held_out_with_its_document():
    """A document whose answers alone are wrong is not known to be when it is weighed."""
    odd = [answer(100, is_right=False, least_logprob=-0.01) for _ in range(20)]
    sure = held_out([*answers(), *odd], seed=0)
    assert min(sure[-20:]) > 0.7


@pytest.mark.parametrize(
    ("given_", "said"), [(answers(40), "too few"), ([answer(n, is_right=True) for n in range(200)], "0 are wrong")]
)
def test_too_little_teaches_nothing(given_, said):
    """Few answers, or all right, are refused with the numbers that are needed."""
    with pytest.raises(JobError, match=said):
        held_out(given_, seed=0)
