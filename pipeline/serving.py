"""The engine as a worker uses it: started at the first request, started again when it dies, and no page brings down another.

A worker whose pages all have a text layer never loads a model.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.engines.base import Engine
from pipeline.engines.start import start
from pipeline.errors import EngineDied
from schemas.job import Model
from schemas.view import Completion, Request


@dataclass(slots=True)
class Meter:
    """What a group of units cost the engine."""

    requests: int = 0
    tokens: int = 0
    seconds: float = 0.0
    restarts: int = 0


class Serving:
    """One engine, shared by the threads of a worker."""

    def __init__(self, model: Model, resolution: int, start: Callable[[Model, int], Engine] = start) -> None:
        self._model, self._resolution, self._start = model, resolution, start
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine | None:
        """Return the engine, if any request has started one."""
        return self._engine

    def generate(self, requests: Sequence[Request], meter: Meter) -> list[Completion]:
        """Return one completion a request, in order. A request on which the engine dies every time completes as an error."""
        if not requests:
            return []
        self._started()
        started = time.monotonic()  # loading the model is no page's cost
        completions = self._generate(requests, meter)
        meter.requests += len(requests)
        meter.tokens += sum(len(completion.token_ids) for completion in completions)
        meter.seconds += time.monotonic() - started
        return completions

    def close(self) -> None:
        with self._lock:
            if self._engine is not None:
                self._engine.close()
            self._engine = None

    def _generate(self, requests: Sequence[Request], meter: Meter) -> list[Completion]:
        engine = self._started()
        try:
            return engine.generate(requests)
        except EngineDied as error:
            meter.restarts += 1
            self._discard(engine)
            if len(requests) == 1:
                return [Completion("", (), (), "error", f"the engine died of this request: {error}")]
        middle = len(requests) // 2
        return [*self._generate(requests[:middle], meter), *self._generate(requests[middle:], meter)]

    def _started(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._start(self._model, self._resolution)
            return self._engine

    def _discard(self, dead: Engine) -> None:
        with self._lock:
            if self._engine is dead:
                self._engine = None
        dead.close()
