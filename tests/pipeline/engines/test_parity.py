"""The gate's own logic, and its stored reference, with the transformers engine; the real vLLM is put before it in test_vllm.py."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checkpoints.build import build
from pipeline.engines import exam, parity, reference
from pipeline.engines.description import Description, describe
from pipeline.engines.transformers import TransformersEngine
from pipeline.errors import ParityError
from schemas.job import Model
from schemas.view import Completion


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Description:
    return describe(build(tmp_path_factory.mktemp("checkpoint") / "tiny", resolution=224))


@pytest.fixture(scope="module")
def wanted(tiny: Description) -> reference.Reference:
    return reference.work_out(_model(tiny), tiny)


def test_the_exam_is_the_same_everywhere() -> None:
    """The pages are arithmetic alone: their pixels, and so the stored answers, are good on every machine."""
    assert exam.digest(224) == "0af71e5ea56951eccfb3f109703c702ca2f449cd27e22475e6901b4c5e4d9cdd"


@pytest.mark.parametrize("resolution", [224, 448, 896])
def test_the_pages_have_something_to_see(resolution: int) -> None:
    """Each page is of the checkpoint's resolution and has ink and paper; questions on one page share one view."""
    asked = exam.requests(resolution)
    assert len({id(request.view) for request in asked}) == 2
    for request in asked:
        assert request.view.image.shape == (resolution, resolution, 3)
        assert np.ptp(request.view.image) > 150


def test_the_same_weights_agree(tiny: Description, wanted: reference.Reference) -> None:
    """The reference engine passes its own gate."""
    engine = TransformersEngine(_model(tiny), tiny)
    parity.require(engine, wanted)
    assert parity.examine(engine, wanted).agrees


def test_other_weights_are_refused_with_what_differs(wanted: reference.Reference, tmp_path: Path) -> None:
    """The error names the engine, the tolerance, each question and both texts."""
    other = describe(build(tmp_path / "other", resolution=224, seed=1))
    with pytest.raises(ParityError) as refused:
        parity.require(TransformersEngine(_model(other), other), wanted)
    shown = str(refused.value)
    assert "transformers" in shown
    assert "within 0.001" in shown
    for number, (answer, (_, prompt)) in enumerate(zip(wanted.answers, exam.PROMPTS, strict=True)):
        assert f"question {number} ({prompt!r}), token" in shown
        assert repr(answer.text) in shown


def test_a_difference_of_log_probability_is_seen_in_float32(wanted: reference.Reference) -> None:
    """One token's log-probability off by two thousandths is a difference, at its position; half a thousandth is none."""
    assert parity.differences(wanted, _said(wanted)) == []
    assert parity.differences(wanted, _said(wanted, 1, lambda c: _shift(c, 3, 0.0005))) == []
    (found,) = parity.differences(wanted, _said(wanted, 1, lambda c: _shift(c, 3, 0.002)))
    assert (found.question, found.position) == (1, 3)
    assert "differs by 0.0020" in found.reason


@settings(max_examples=50)
@given(question=st.integers(0, 3), position=st.integers(0, 15), dtype=st.sampled_from(["float32", "bfloat16"]))
def test_a_number_that_is_none_is_a_difference(question: int, position: int, dtype: Literal["float32", "bfloat16"]) -> None:
    """NaN never passes for agreement, at any position and in any dtype."""
    wanted = _made_up(dtype, logprob=-0.2)
    (found,) = parity.differences(wanted, _said(wanted, question, lambda c: _shift(c, position, math.nan)))
    assert (found.question, found.position) == (question, position)


def test_a_failed_or_shortened_answer_is_a_difference(wanted: reference.Reference) -> None:
    """An error and an answer that ends early are shown for what they are."""
    (failed,) = parity.differences(wanted, _said(wanted, 2, lambda _: Completion("", (), (), "error", "no room")))
    assert "no room" in failed.reason
    (short,) = parity.differences(
        wanted, _said(wanted, 2, lambda c: replace(c, token_ids=c.token_ids[:5], logprobs=c.logprobs[:5]))
    )
    assert short.position == 5
    assert short.served_logprob is None


@pytest.mark.parametrize(
    ("dtype", "lead", "served_lead", "parts"),
    [
        ("bfloat16", 0.1, 0.5, True),
        ("bfloat16", 0.7, 0.1, False),
        ("bfloat16", 0.1, 0.7, False),
        ("bfloat16", 0.1, math.nan, False),
        ("bfloat16", 0.1, None, False),
        ("float32", 0.0, 0.0, False),
    ],
)
def test_in_bfloat16_only_a_tie_may_part(
    dtype: Literal["float32", "bfloat16"], lead: float, served_lead: float | None, parts: bool
) -> None:
    """Another token passes where the reference and the engine find theirs hardly likelier than the next best; none does in float32."""
    made_up = _made_up(dtype, -1.2, lead)
    margins = () if served_lead is None else (served_lead,) * 16
    for by in (0.0, -0.4):  # how likely two different tokens are says nothing
        other = _said(
            made_up,
            0,
            lambda c, by=by: _shift(replace(c, token_ids=(*c.token_ids[:4], 999, *c.token_ids[5:]), margins=margins), 4, by),
        )
        assert (parity.differences(made_up, other) == []) == parts


def _model(description: Description) -> Model:
    return Model(checkpoint=str(description.folder), engine="vllm", dtype="float32")


def _made_up(dtype: str, logprob: float, lead: float = 1.0) -> reference.Reference:
    answer = reference.Answer("text", tuple(range(16)), (logprob,) * 16, (lead,) * 16)
    return reference.Reference("0" * 64, "5", "2", "cpu", dtype, "1" * 64, (answer,) * len(exam.PROMPTS))


def _said(
    wanted: reference.Reference, question: int = 0, change: Callable[[Completion], Completion] = lambda completion: completion
) -> list[Completion]:
    said = [Completion(answer.text, answer.token_ids, answer.logprobs, "length") for answer in wanted.answers]
    said[question] = change(said[question])
    return said


def _shift(completion: Completion, position: int, by: float) -> Completion:
    logprobs = list(completion.logprobs)
    logprobs[position] += by
    return replace(completion, logprobs=tuple(logprobs))
