"""Trainings run in bfloat16 where that is faster."""

import pytest
import torch

from jobs.train.precision import takes_bfloat16


@pytest.mark.parametrize(
    ("device", "capabilities", "faster"),
    [("cuda", {}, True), ("cpu", {"amx_bf16": True}, True), ("cpu", {"avx512_bf16": True}, False), ("cpu", {}, False)],
)
def test_bfloat16_is_for_gpus_and_matrix_units(device, capabilities, faster, monkeypatch) -> None:
    """A CPU that knows bfloat16 but has no matrix units is faster in float32."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert takes_bfloat16(torch.device(device)) is faster
