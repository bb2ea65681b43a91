"""The engine of production, taking notes: of its answers, of its scheduler's requests and of its worker's steps, by one monotonic clock.

Imported by its name in Ray's workers: its folder has to be on PYTHONPATH.
"""

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.cache import DocumentCache
from pipeline.desk import Desk
from pipeline.engines.start import prepare
from pipeline.engines.vllm import AsyncEngineArgs, AsyncLLM, VllmEngine
from pipeline.engines.vllm_guard import Preemptions
from pipeline.engines.vllm_image import ViewImage
from pipeline.questions import questions
from pipeline.serving import Serving
from pipeline.storage import open_store
from pipeline.worker import Worker
from schemas.job import Job, Model
from schemas.unit import Unit
from schemas.view import Completion, Request

MOST_TOKENS = 512


class MeteredWorker(Worker):
    """The worker of a run, with an engine that takes notes."""

    def __init__(self, job: Job, run_id: str, passwords: Sequence[str], units: Sequence[Unit], notes: Path) -> None:
        def begun(model: Model, _resolution: int) -> MeteredEngine:
            return MeteredEngine(model, ready(job, units), notes)

        super().__init__(job, run_id, passwords, Serving(job.model, 448, begun))


def ready(job: Job, units: Sequence[Unit]) -> list[Request]:
    """Return the very requests that the workers will make."""
    desk = Desk(job, DocumentCache(open_store(job.source.uri)), ())
    requests = []
    try:
        for unit in units:
            desk.lay(unit)
            asked = [question.ask for question in questions(job)]
            for view in desk.views(unit.document_id, desk.facts(0), job.render.ladder[0], asked):
                requests += [Request(view, ask.prompt, ask.max_tokens) for ask in asked]
    finally:
        desk.close()
    return requests


class MeteredEngine(VllmEngine):
    """Answers all requests at once by itself, then those of its worker, then all at once again, and writes its notes into a file.

    vLLM's engine computes in its own process, as it does with one GPU: on a CPU it would have a second one, and each would wait for the
    other by spinning on the core that they share.
    """

    def __init__(self, model: Model, requests: Sequence[Request], notes: Path) -> None:
        self._requests, self._notes = requests, notes
        self._answered: list[float] = []
        self._encoded: list[int] = []
        self._scheduled, self._lock = Scheduled(), threading.Lock()
        super().__init__(*prepare(model), MOST_TOKENS)
        self.ask_workers("watch_vision")
        self.ask_workers("watch_steps")

    def generate(self, requests: Sequence[Request]) -> list[Completion]:
        with self._lock:
            if not self._encoded:
                self._alone()
        completions = self._sound(requests)
        with self._lock:
            if len(self._answered) == 2 * len(self._requests):
                self._encoded += self.ask_workers("encoded_images")
                self._alone()
                self._write()
        return completions

    def _alone(self) -> None:
        self._sound(self._requests)
        self._encoded += self.ask_workers("encoded_images")

    def _sound(self, requests: Sequence[Request]) -> list[Completion]:
        completions = super().generate(requests)
        if errors := [completion.error for completion in completions if completion.error]:
            raise RuntimeError(errors[0])
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
            "encoded": self._encoded,
            "scheduled": self._scheduled.seen,
            "fill": self._plan.max_sequences,
            "spans": self.ask_workers("spans")[0],
        }
        self._notes.write_text(json.dumps(seen))


class Scheduled(Preemptions):
    """Notes how many requests the scheduler has, running or waiting, after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[float, int]] = []

    def record(self, scheduler_stats: Any, *arguments: Any, **named: Any) -> None:
        super().record(scheduler_stats, *arguments, **named)
        if scheduler_stats is not None:
            self.seen.append((time.monotonic(), scheduler_stats.num_running_reqs + scheduler_stats.num_waiting_reqs))
