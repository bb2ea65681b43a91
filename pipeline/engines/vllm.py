"""The engine for production: vLLM with PaliGemma's true mask, on a GPU or, for fidelity rather than speed, on a CPU.

vLLM's asynchronous engine lives on a thread of its own; callers from several threads hand their requests over and wait. Token ids and
pixels are made here, so vLLM's tokenizer and image processor have no say. How vLLM is set up is in vllm_plan.py, its mask in
prefix_mask.py, what must hold while it runs in vllm_guard.py; whether it computes what the reference computes is for parity.py to find out.
"""

import asyncio
import itertools
import math
import os
import threading
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError
from tempfile import gettempdir
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.sockets import folder_for

# vLLM reads these when it is imported. A fork of a process with threads, as a Ray worker is, can hang: spawn.
os.environ["VLLM_WORKER_MULTIPROC_METHOD"] = "spawn"
os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("VLLM_LOGGING_STREAM", "ext://sys.stderr")
os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
os.environ.setdefault("VLLM_RPC_BASE_PATH", folder_for(f"/{UUID(int=0)}", gettempdir(), setting="VLLM_RPC_BASE_PATH"))

import vllm
from vllm import SamplingParams
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.exceptions import VLLMError
from vllm.inputs.engine import MultiModalInput, mm_input
from vllm.logprobs import Logprob
from vllm.multimodal.inputs import PlaceholderRange
from vllm.outputs import RequestOutput
from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.engine.exceptions import EngineDeadError

from pipeline.engines.description import Description
from pipeline.engines.refusal import accepted, failed
from pipeline.engines.transformers import pixels as pixels_of
from pipeline.engines.vllm_guard import Preemptions, faults
from pipeline.engines.vllm_image import ViewImage
from pipeline.engines.vllm_plan import engine_args, plan
from pipeline.engines.vllm_process import announce
from pipeline.engines.vocabulary import Vocabulary
from pipeline.engines.weights import checkpoint_hash
from pipeline.errors import CheckpointError, EngineDied, ParityError
from schemas.job import Model
from schemas.view import Completion, Form, Request

Result = TypeVar("Result")
# Requests handed to vLLM at once, as a multiple of what it runs at once: it is never without work, and holds few images in waiting.
_AHEAD = 2
_LOOK_AGAIN_S = 1.0
_FAREWELL_S = 10.0  # what is cancelled as the engine is closed has so long to end
# The lead, a difference of logarithms, of a token that is the only one that a form allows.
_ALONE = 30.0
_GONE = "vLLM's engine process is gone: its last words are above"
_CLOSED = "the engine was closed"


class VllmEngine:
    """A checkpoint that vLLM serves. Questions on one view that stand together in a call are asked together: it is encoded once."""

    def __init__(self, model: Model, description: Description, max_tokens: int, gpu_share: float = 1.0) -> None:
        """Start vLLM on a share of a GPU, ready for answers of up to `max_tokens`. Raises CheckpointError on what it does not serve as asked."""
        self._description = description
        self._vocabulary = Vocabulary.load(description)
        self._hash = checkpoint_hash(description.folder)
        self._plan = plan(model, description, max_tokens, gpu_share)
        self._numbers = itertools.count()
        self._preempted = Preemptions()
        self._loop = asyncio.new_event_loop()
        self._gate, self._is_closed = threading.Lock(), False
        self._thread = threading.Thread(target=self._loop.run_forever, name="vllm", daemon=True)
        self._thread.start()
        self._llm: AsyncLLM | None = None
        try:
            self._llm = self._run(self._open(model))
            self._run(self._assert_the_mask_holds())
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        return f"vllm {vllm.__version__}"

    @property
    def resolution(self) -> int:
        return self._description.resolution

    @property
    def checkpoint_hash(self) -> str:
        return self._hash

    def generate(self, requests: Sequence[Request]) -> list[Completion]:
        completions = self._run(self._answer_all(requests))
        if self._preempted.count:
            raise ParityError(
                f"vLLM preempted {self._preempted.count} requests: their answers were read again as if they were prompt. "
                "The KV cache was sized so that this cannot happen; please report it"
            )
        return completions

    def ask_workers(self, question: str) -> list[Any]:
        """Return what each of vLLM's workers answers to a method of prefix_mask.WorkerProbe."""
        return self._run(self._ask_workers(question))

    def close(self) -> None:
        """End vLLM. Whoever still waits for an answer, in another thread, gets EngineDied."""
        with self._gate:
            if self._is_closed:
                return
            self._is_closed = True
            ended = asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        ended.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on the engine's thread and wait for it. Nothing is begun once the engine is closed: it would wait for ever."""
        with self._gate:
            if self._is_closed:
                work.close()
                raise EngineDied(_CLOSED)
            begun = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return begun.result()
        except CancelledError as exc:
            raise EngineDied(_CLOSED) from exc

    async def _end(self) -> None:
        """Shut vLLM down, and end all that waits for it or works for it on this thread."""
        if self._llm is not None:
            llm, self._llm = self._llm, None
            llm.shutdown()
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=_FAREWELL_S)

    async def _open(self, model: Model) -> AsyncLLM:
        announce()
        self._slots = asyncio.Semaphore(_AHEAD * self._plan.max_sequences)
        try:
            return AsyncLLM.from_engine_args(
                self._arguments(model),
                stat_loggers=[self._preempted.logger],
            )
        except (RuntimeError, ValueError, OSError, VLLMError) as exc:
            raise CheckpointError(f"vLLM cannot serve {self._description.folder}: {exc}") from exc

    def _arguments(self, model: Model) -> AsyncEngineArgs:
        return engine_args(model, self._description, self._plan)

    async def _assert_the_mask_holds(self) -> None:
        """Raise CheckpointError where vLLM was set up so that the mask, or an answer after preemption, would be silently wrong."""
        wrong = faults(self._alive().vllm_config, self._plan)
        for layers, masked in await self._ask_workers("masked_layers"):
            if not 0 < layers == masked:
                wrong.append(
                    f"{masked} of {layers} attention layers have PaliGemma's mask: the plugin pagemill_prefix_mask was not loaded "
                    "(is pagemill installed where vLLM runs, and does VLLM_PLUGINS leave it in?)"
                )
        if wrong:
            raise CheckpointError("vLLM would not compute PaliGemma: " + "; ".join(wrong))

    async def _ask_workers(self, question: str) -> list[Any]:
        return list(await self._alive().collective_rpc(question))

    def _alive(self) -> AsyncLLM:
        if self._llm is None:
            raise EngineDied(_CLOSED)
        return self._llm

    async def _answer_all(self, requests: Sequence[Request]) -> list[Completion]:
        # Tasks start in the order they are made, so what stands together in the call is queued together.
        tasks = [
            asyncio.ensure_future(self._answer(request, image))
            for _, group in itertools.groupby(requests, key=lambda request: id(request.view))
            for together in [list(group)]
            for image in [ViewImage(together[0].view.image, self._pixels)]
            for request in together
        ]
        try:
            return await self._all(tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _all(self, tasks: "Sequence[asyncio.Future[Completion]]") -> list[Completion]:
        """Wait for all, or for the engine's death, of which vLLM does not tell a request that it was given at that very moment."""
        waiting = set(tasks)
        while waiting:
            done, waiting = await asyncio.wait(waiting, timeout=_LOOK_AGAIN_S, return_when=asyncio.FIRST_EXCEPTION)
            if any(task.cancelled() for task in done) or (waiting and self._alive().errored):
                raise EngineDied(_GONE)
            for task in done:
                task.result()
        return [task.result() for task in tasks]

    async def _answer(self, request: Request, image: ViewImage) -> Completion:
        try:
            async with self._slots:
                return self._completion(await self._ask(await self._input(request, image), request))
        except EngineDeadError as exc:
            raise EngineDied(_GONE) from exc
        except (VLLMError, ValueError) as exc:
            return failed(str(exc))

    async def _ask(self, prompt: MultiModalInput, request: Request) -> RequestOutput:
        settings = SamplingParams(
            temperature=0.0,
            max_tokens=request.max_tokens,
            structured_outputs=_structured(request.form),
            logprobs=2,  # the chosen token's and the next best's
            stop_token_ids=list(self._description.eos_ids),
            detokenize=False,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
        answers = [answer async for answer in self._alive().generate(prompt, settings, request_id=str(next(self._numbers)))]
        return answers[-1]

    async def _input(self, request: Request, image: ViewImage) -> MultiModalInput:
        """Return the request in vLLM's terms, already rendered. Raises ValueError with what is wrong with it."""
        taken = accepted(request, self._description, self._prefix, self._plan.max_model_len)
        digest, pixels = await image.made()
        return mm_input(
            taken.prefix,
            mm_kwargs=pixels,
            mm_hashes={"image": [digest]},
            mm_placeholders={"image": [PlaceholderRange(offset=0, length=self._description.image_tokens)]},
        )

    def _prefix(self, prompt: str) -> list[int]:
        return self._vocabulary.prefix(prompt)

    def _pixels(self, image: NDArray[np.uint8]) -> torch.Tensor:
        return pixels_of([image], torch.device("cpu"))

    def _completion(self, answer: RequestOutput) -> Completion:
        (output,) = answer.outputs
        token_ids = tuple(output.token_ids)
        logprobs = tuple(step[token].logprob for step, token in zip(output.logprobs or [], token_ids, strict=True))
        return Completion(
            text=self._vocabulary.text(token_ids),
            token_ids=token_ids,
            logprobs=logprobs,
            finish_reason="stop" if output.finish_reason == "stop" else "length",
            margins=tuple(_margin(step, token) for step, token in zip(output.logprobs or [], token_ids, strict=True)),
            pieces=self._vocabulary.pieces(token_ids),
        )


def _structured(form: Form | None) -> StructuredOutputsParams | None:
    """Return a form in vLLM's terms. vLLM writes what it fills in into the object, so that each request has its own."""
    if form is None:
        return None
    return (
        StructuredOutputsParams(regex=form.expression)
        if form.expression
        else StructuredOutputsParams(choice=list(form.choices))
    )


def _margin(step: Mapping[int, Logprob], token: int) -> float:
    """Return by how much a token was likelier than the next best; where a form leaves no other, vLLM tells none."""
    others = [other.logprob for number, other in step.items() if number != token]
    margin = float(step[token].logprob - max(others, default=-math.inf))
    return margin if math.isfinite(margin) else _ALONE
