"""A key-value cache that grows in place. transformers' own copies all keys and values at every token."""

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

_STEP = 128


def growing_cache(layers: int) -> Cache:
    """Return an empty cache for a model of so many layers, none of which slides a window."""
    return Cache(layers=[_GrowingLayer() for _ in range(layers)])


class _GrowingLayer(DynamicLayer):  # type: ignore[misc]  # transformers' annotations are left alone
    """Keys and values in a buffer with room to spare; what is handed out is a view of its filled part."""

    keys: Tensor
    values: Tensor

    def __init__(self) -> None:
        super().__init__()
        self._buffers: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *_: object, **__: object) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        filled: int = self.get_seq_length()
        length = filled + key_states.shape[2]
        if self._buffers is None or self._buffers[0].shape[2] < length:
            self._buffers = (_roomier(self.keys, key_states, length), _roomier(self.values, value_states, length))
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, filled:length] = states
        self.keys, self.values = (buffer[:, :, :length] for buffer in self._buffers)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        super().batch_select_indices(indices)
        self._buffers = None


def _roomier(kept: Tensor, states: Tensor, length: int) -> Tensor:
    rows, heads, _, width = states.shape
    buffer = torch.empty((rows, heads, length + _STEP, width), dtype=states.dtype, device=states.device)
    if kept.numel():
        buffer[:, :, : kept.shape[2]] = kept
    return buffer
