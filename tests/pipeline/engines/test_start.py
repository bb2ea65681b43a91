"""A job's engine is started, or refused with the cure."""

import importlib.util

import numpy as np
import pytest

from pipeline.engines.start import start
from pipeline.errors import CheckpointError
from schemas.job import Model
from schemas.view import Affine, Region, Request, View


def test_the_embedded_checkpoint_says_nothing_of_an_empty_page() -> None:
    """White paper has no text, and it makes none up."""
    engine = start(Model(dtype="float32"), 448)
    white = View("", 0, Region("page", Affine(1.0, 0.0, 0.0, 1.0, 0.0, 0.0)), np.full((448, 448, 3), 255, np.uint8))
    (answer,) = engine.generate([Request(white, "ocr", 50)])
    assert (answer.text, answer.finish_reason) == ("", "stop")


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
