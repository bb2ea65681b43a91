"""Makes vLLM compute PaliGemma's mask: image and prompt attend to one another in both directions, only the answer is causal.

Stock vLLM is causal throughout on a CPU, and on a GPU the image never sees the question. vLLM's own layer for prefix language
models is right; these functions put it where PaliGemma's text models make their attention. They are `vllm.general_plugins` entry
points (see pyproject.toml), because vLLM loads those in every process of its own. Nothing here knows requests or checkpoints.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def register_prefix_mask() -> None:
    """Give PaliGemma 1 and 2 the prefix mask; every other model that this vLLM serves keeps its own attention."""
    from vllm.model_executor.models.paligemma import PaliGemmaForConditionalGeneration

    stock = PaliGemmaForConditionalGeneration.__init__
    if hasattr(stock, "__wrapped__"):  # vLLM may call a plugin more than once
        return

    @functools.wraps(stock)
    def build(*args: object, **kwargs: object) -> None:
        with _prefix_attention():
            stock(*args, **kwargs)

    PaliGemmaForConditionalGeneration.__init__ = build


def register_siglip() -> None:
    """Let PaliGemma ask SigLIP itself for its sizes.

    vLLM finds that class by way of Pixtral's, whose import needs a torchvision that fits the installed torch; on a CPU there is none.
    """
    from vllm.model_executor.models import paligemma
    from vllm.model_executor.models.siglip import SiglipEncoderInfo

    paligemma.get_vision_encoder_info = SiglipEncoderInfo


class WorkerProbe:
    """What the engine asks vLLM's workers; vLLM mixes it into their class (`worker_extension_cls`)."""

    model_runner: Any

    def masked_layers(self) -> tuple[int, int]:
        """Return how many attention layers this worker's language model has, and how many of them have the prefix mask."""
        from vllm.model_executor.layers.attention import Attention, PrefillPrefixLMAttention

        layers = [module for module in self.model_runner.model.language_model.modules() if isinstance(module, Attention)]
        return len(layers), sum(isinstance(layer, PrefillPrefixLMAttention) for layer in layers)

    def watch_vision(self) -> None:
        """Begin to count the images that the vision tower encodes."""
        self._encoded = 0
        self.model_runner.model.vision_tower.register_forward_hook(self._count)

    def encoded_images(self) -> int:
        """Return how many images were encoded since `watch_vision`."""
        return self._encoded

    def _count(self, _module: object, inputs: tuple[Any, ...], _output: object) -> None:
        self._encoded += int(inputs[0].shape[0])


@contextmanager
def _prefix_attention() -> Iterator[None]:
    """Let Gemma and Gemma 2 be built with the prefix mask for as long as the context lasts."""
    from vllm.model_executor.layers.attention import PrefillPrefixLMAttention
    from vllm.model_executor.models import gemma, gemma2

    stock = gemma.Attention, gemma2.Attention
    gemma.Attention = gemma2.Attention = PrefillPrefixLMAttention
    try:
        yield
    finally:
        gemma.Attention, gemma2.Attention = stock
