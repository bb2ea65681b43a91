"""A view as vLLM takes it: its pixels, in the form in which vLLM's own processor would have handed them on, and their name."""

import hashlib
from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BatchFeature
from vllm.multimodal.inputs import MultiModalFieldConfig, MultiModalKwargsItems


class ViewImage:
    """Made when the first question on a view is asked, and shared by the others."""

    def __init__(self, image: NDArray[np.uint8], pixels_of: Callable[[NDArray[np.uint8]], torch.Tensor]) -> None:
        """Take RGB of shape (side, side, 3), and what makes of it the tower's pixels."""
        self._image = image
        self._pixels_of = pixels_of

    @cached_property
    def digest(self) -> str:
        """The name under which vLLM keeps what its vision tower made of these pixels."""
        return hashlib.sha256(self._pixels.numpy().data).hexdigest()

    @cached_property
    def kwargs(self) -> MultiModalKwargsItems:
        batch = BatchFeature({"pixel_values": self._pixels})
        return MultiModalKwargsItems.from_hf_inputs(batch, {"pixel_values": MultiModalFieldConfig.batched("image")})

    @cached_property
    def _pixels(self) -> torch.Tensor:
        return self._pixels_of(self._image).contiguous()
