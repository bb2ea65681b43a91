"""A job's engine is started, or refused with the cure."""

import importlib.util

import pytest

from pipeline.engines.start import start
from pipeline.errors import CheckpointError
from schemas.job import Model
from schemas.view import Request


def test_the_embedded_checkpoint_is_silent_until_it_is_trained(view) -> None:
    """It answers nothing, at once, whatever it is shown: no text is better than made-up text."""
    engine = start(Model(dtype="bfloat16"), 448)
    answers = engine.generate(
        [Request(view(448, seed), prompt, 50) for seed in (1, 2) for prompt in ("ocr", "answer en what?")]
    )
    assert [(answer.text, answer.finish_reason, len(answer.token_ids)) for answer in answers] == [("", "stop", 1)] * 4
    assert all(answer.logprobs[0] > -0.01 for answer in answers)


def test_a_resolution_that_the_checkpoint_does_not_have_is_refused() -> None:
    """Before any weights are loaded."""
    with pytest.raises(CheckpointError, match="448 px, not 224"):
        start(Model(), 224)


def test_the_scripted_engine_needs_a_folder_of_truth() -> None:
    """`embedded` means no truth; anything else has to be there."""
    assert start(Model(engine="scripted"), 896).resolution == 896
    with pytest.raises(CheckpointError, match="truth"):
        start(Model(engine="scripted", checkpoint="/no/such/folder"), 448)


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vLLM is installed here")
def test_vllm_that_is_not_installed_is_said_so() -> None:
    """Not an ImportError from somewhere inside."""
    with pytest.raises(CheckpointError, match="not installed"):
        start(Model(engine="vllm"), 448)
