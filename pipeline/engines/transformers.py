"""The reference engine: Hugging Face transformers, on a CPU or one CUDA device.

It owns batching, and that one bad request spoils nothing else; the decoding loop is in greedy.py.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration

from pipeline.engines import attention
from pipeline.engines.description import Description
from pipeline.engines.following import Following
from pipeline.engines.greedy import Row, decode, image_features
from pipeline.engines.refusal import accepted, failed
from pipeline.engines.vocabulary import Vocabulary
from pipeline.engines.weights import checkpoint_hash
from pipeline.errors import CheckpointError, EngineDied
from schemas.job import Model
from schemas.view import Completion, Form, Request

# More rows at once hardly help a CPU, and hold up the answers that are ready.
_MOST_ROWS = {"cpu": 8, "cuda": 64}
_CPU_MEMORY = 2 * 10**9
_VIEWS_KEPT = 32


class TransformersEngine:
    """A checkpoint in this process. One batch at a time: callers from several threads take turns."""

    def __init__(self, model: Model, description: Description, batch_size: int | None = None) -> None:
        """Load the weights. Raises CheckpointError on what this engine does not serve.

        `batch_size` is how many requests are decoded together: what the memory at hand affords, where None.
        """
        _refuse_what_is_not_served(model, description)
        self._description = description
        self._vocabulary = Vocabulary.load(description)
        self._hash = checkpoint_hash(description.folder)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model: PaliGemmaForConditionalGeneration | None = _load(model, description, self._device)
        self._batch_size = batch_size or _affordable_rows(self._model, description, self._device)
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return f"transformers {transformers.__version__}"

    @property
    def resolution(self) -> int:
        return self._description.resolution

    @property
    def checkpoint_hash(self) -> str:
        return self._hash

    def generate(self, requests: Sequence[Request]) -> list[Completion]:
        answers: list[Completion | None] = [None] * len(requests)
        pending = []
        for index, request in enumerate(requests):
            try:
                pending.append(self._accept(index, request))
            except ValueError as exc:
                answers[index] = failed(str(exc))
        # Answers of like length are decoded together, and questions on one view one after the other, so that it is encoded once.
        first = {id(item.image): item.index for item in reversed(pending)}
        pending.sort(key=lambda item: (item.max_tokens, first[id(item.image)], len(item.text_prefix)))
        with self._lock:
            if self._model is None:
                raise EngineDied("the engine was closed")
            views = _Views(self._model, self._device)
            for start in range(0, len(pending), self._batch_size):
                for item, answer in self._answer(pending[start : start + self._batch_size], self._model, views):
                    answers[item.index] = answer
        return [answer for answer in answers if answer is not None]

    def close(self) -> None:
        with self._lock:
            self._model = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _accept(self, index: int, request: Request) -> "_Pending":
        """Return the request in the model's terms, or raise ValueError with what is wrong with it."""
        taken = accepted(request, self._description, self._vocabulary.prefix, self._description.max_positions)
        text_prefix = taken.prefix[self._description.image_tokens :]
        return _Pending(index, request.view.image, text_prefix, taken.max_tokens, request.form)

    def _answer(
        self, batch: list["_Pending"], model: PaliGemmaForConditionalGeneration, views: "_Views"
    ) -> list[tuple["_Pending", Completion]]:
        """Answer a batch; one that fails is halved, until what fails stands alone."""
        rows = [
            Row(item.text_prefix, item.max_tokens, self._following(item.form).first if item.form else None) for item in batch
        ]
        try:
            decode(model, self._description, views.features([item.image for item in batch]), rows)
        except torch.AcceleratorError as exc:
            raise EngineDied(f"the device gave up: {exc}") from exc
        except (RuntimeError, ArithmeticError) as exc:
            if len(batch) == 1:
                return [(batch[0], failed(str(exc)))]
            middle = len(batch) // 2
            return self._answer(batch[:middle], model, views) + self._answer(batch[middle:], model, views)
        return [(item, self._completion(row)) for item, row in zip(batch, rows, strict=True)]

    def _following(self, form: Form) -> Following:
        return Following(form, self._vocabulary.text, self._description.eos_ids)

    def _completion(self, row: Row) -> Completion:
        return Completion(
            text=self._vocabulary.text(row.token_ids),
            token_ids=tuple(row.token_ids),
            logprobs=tuple(row.logprobs),
            finish_reason="stop" if row.ended else "length",
            margins=tuple(row.margins),
            pieces=self._vocabulary.pieces(row.token_ids),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Pending:
    index: int
    image: NDArray[np.uint8]
    text_prefix: list[int]
    max_tokens: int
    form: Form | None


class _Views:
    """Image features of the views last seen, by the identity of their arrays: good for one call, which keeps the arrays alive."""

    def __init__(self, model: PaliGemmaForConditionalGeneration, device: torch.device) -> None:
        self._model = model
        self._device = device
        self._kept: OrderedDict[int, torch.Tensor] = OrderedDict()

    def features(self, images: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
        """Return the features of the images, (n, image tokens, text width); what is not at hand is encoded in one go."""
        new = {id(image): image for image in images if id(image) not in self._kept}
        if new:
            encoded = image_features(self._model, pixels(list(new.values()), self._device))
            self._kept.update(zip(new, encoded, strict=True))
        found = torch.stack([self._kept[id(image)] for image in images])
        for image in images:
            self._kept.move_to_end(id(image))
        while len(self._kept) > _VIEWS_KEPT:
            self._kept.popitem(last=False)
        return found


def pixels(images: Sequence[NDArray[np.uint8]], device: torch.device) -> torch.Tensor:
    """Return RGB images of shape (n, side, side, 3) as the tower wants them: (n, 3, side, side), from -1 to 1."""
    stacked = torch.from_numpy(np.stack(images)).to(device)
    return stacked.permute(0, 3, 1, 2).float().div(127.5).sub(1.0)


def _refuse_what_is_not_served(model: Model, description: Description) -> None:
    if model.adapter is not None:
        raise CheckpointError("the transformers engine takes no adapter: merge it into the checkpoint first")
    if model.quantization is not None:
        raise CheckpointError(
            f"the transformers engine does not quantise to {model.quantization}: it is the reference, in full precision"
        )
    if description.quantization is not None:
        raise CheckpointError(
            f"{description.folder} holds {description.quantization} weights, which the transformers engine does not read"
        )
    if model.tensor_parallel > 1:
        raise CheckpointError("the transformers engine runs on one device: `tensor_parallel` goes with `engine: vllm`")


def _load(model: Model, description: Description, device: torch.device) -> PaliGemmaForConditionalGeneration:
    transformers.utils.logging.disable_progress_bar()
    attention.register()
    try:
        loaded, report = PaliGemmaForConditionalGeneration.from_pretrained(
            description.folder,
            config=_configuration(description),
            dtype=getattr(torch, model.dtype),
            attn_implementation={"text_config": attention.NAME, "vision_config": "sdpa"},
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as exc:
        raise CheckpointError(f"transformers cannot load {description.folder}: {exc}") from exc
    wrong = sorted(report["missing_keys"]) + sorted(report["mismatched_keys"])
    if wrong:
        raise CheckpointError(
            f"{description.folder} lacks weights that its configuration promises: {', '.join(map(str, wrong[:5]))} …"
        )
    return loaded.eval().requires_grad_(False).to(device)


def _configuration(description: Description) -> PaliGemmaConfig:
    """Return the checkpoint's configuration, without Gemma 2's sliding window.

    PaliGemma 2 was trained without one; at 896 px, where alone it would reach, the end of an answer could not see the page's top.
    vLLM is set up the same way (vllm_plan.py), and could not reproduce a window that spares the prefix, as transformers' does.
    """
    configuration = PaliGemmaConfig.from_pretrained(description.folder, local_files_only=True)
    if description.family == "paligemma2":
        configuration.text_config.layer_types = ["full_attention"] * configuration.text_config.num_hidden_layers
    return configuration


def _affordable_rows(model: PaliGemmaForConditionalGeneration, description: Description, device: torch.device) -> int:
    """Return how many rows fit: keys and values of a full context, and what the widest layer of a prefill holds at once."""
    text = model.config.text_config
    width = next(model.parameters()).element_size()
    prefix = description.image_tokens + 128
    kept = 2 * text.num_hidden_layers * text.num_key_value_heads * text.head_dim * (prefix + 512) * width
    passing = prefix * (3 * text.intermediate_size + 6 * text.hidden_size) * width
    free = torch.cuda.mem_get_info(device)[0] * 0.6 if device.type == "cuda" else _CPU_MEMORY
    return max(1, min(_MOST_ROWS[device.type], int(free // (kept + passing))))
