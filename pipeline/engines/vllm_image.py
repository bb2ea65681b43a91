"""A view as vLLM takes it: its pixels, in the form in which vLLM's own processor would have handed them on, and their name."""

import asyncio
import hashlib
from collections.abc import Callable

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
        self._made: asyncio.Task[tuple[str, MultiModalKwargsItems]] | None = None

    async def made(self) -> tuple[str, MultiModalKwargsItems]:
        """Return the name under which vLLM keeps what its vision tower makes of the pixels, and the pixels.

        They are made on another thread: 4 ms of a core at 448 and 16 at 896, in which answers would wait for the loop.
        """
        if self._made is None:
            self._made = asyncio.create_task(asyncio.to_thread(self._make))
        return await asyncio.shield(self._made)

    def _make(self) -> tuple[str, MultiModalKwargsItems]:
        pixels = self._pixels_of(self._image).contiguous()
        fields = {"pixel_values": MultiModalFieldConfig.batched("image")}
        digest = hashlib.sha256(pixels.numpy().data).hexdigest()
        return digest, MultiModalKwargsItems.from_hf_inputs(BatchFeature({"pixel_values": pixels}), fields)
