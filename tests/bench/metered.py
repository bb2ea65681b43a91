"""The engine of production, taking notes: of its answers, of its scheduler's requests and of its worker's steps, by one monotonic clock.

Imported by its name in Ray's workers: its folder has to be on PYTHONPATH.
"""

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.engines.start import prepare
from pipeline.engines.vllm import AsyncEngineArgs, AsyncLLM, VllmEngine
from pipeline.engines.vllm_guard import Preemptions
from pipeline.engines.vllm_image import ViewImage
from pipeline.serving import Serving
from pipeline.worker import Worker
from schemas.job import Job, Model
from schemas.view import Completion, Request

MOST_TOKENS = 512


class MeteredWorker(Worker):
    """The worker of a run, with an engine that takes notes."""

    def __init__(self, job: Job, run_id: str, passwords: Sequence[str], notes: Path, total: int) -> None:
        super().__init__(job, run_id, passwords, Serving(job.model, 448, lambda model, _: MeteredEngine(model, notes, total)))


class MeteredEngine(VllmEngine):
    """Writes its notes into a folder when it has answered `total` requests; one that fails ends the measurement.

    vLLM's engine computes in its own process, as it does with one GPU: on a CPU it would have a second one, and each would wait for the
    other by spinning on the core that they share.
    """

    def __init__(self, model: Model, notes: Path, total: int) -> None:
        self._notes, self._total = notes, total
        self._answered: list[float] = []
        self._scheduled, self._lock = Scheduled(), threading.Lock()
        super().__init__(*prepare(model), MOST_TOKENS)
        self.ask_workers("watch_vision")
        self.ask_workers("watch_steps")

    def generate(self, requests: Sequence[Request]) -> list[Completion]:
        completions = super().generate(requests)
        if errors := [completion.error for completion in completions if completion.error]:
            raise RuntimeError(errors[0])
        with self._lock:
            if len(self._answered) >= self._total:
                self._write()
        return completions

    def _arguments(self, model: Model) -> AsyncEngineArgs:
        from vllm.v1.executor.uniproc_executor import UniProcExecutor  # not before pipeline.engines.vllm has set vLLM up

        arguments = super()._arguments(model)
        arguments.worker_extension_cls = "steps.TimedProbe"
        arguments.distributed_executor_backend = UniProcExecutor
        return arguments

    async def _open(self, model: Model) -> AsyncLLM:
        self._preempted = self._scheduled
        return await super()._open(model)

    async def _answer(self, request: Request, image: ViewImage) -> Completion:
        completion = await super()._answer(request, image)
        self._answered.append(time.monotonic())
        return completion

    def _write(self) -> None:
        seen = {
            "answered": self._answered,
            "scheduled": self._scheduled.seen,
            "fill": self._plan.max_sequences,
            "encoded": self.ask_workers("encoded_images")[0],
            "spans": self.ask_workers("spans")[0],
        }
        (self._notes / "engine.json").write_text(json.dumps(seen))


class Scheduled(Preemptions):
    """Notes how many requests the scheduler has, running or waiting, after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[float, int]] = []

    def record(self, scheduler_stats: Any, *arguments: Any, **named: Any) -> None:
        super().record(scheduler_stats, *arguments, **named)
        if scheduler_stats is not None:
            self.seen.append((time.monotonic(), scheduler_stats.num_running_reqs + scheduler_stats.num_waiting_reqs))
