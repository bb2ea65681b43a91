"""The engine as a worker uses it: started at the first request, started again when it dies, and no page brings down another.

A worker whose pages all have a text layer never loads a model.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType

import numpy as np

from pipeline.engines.base import Engine
from pipeline.engines.start import start
from pipeline.errors import EngineDied, PagemillError, RunError
from schemas.job import Model
from schemas.view import Affine, Completion, Region, Request, View


@dataclass(slots=True)
class Meter:
    """What a group of units cost the engine; `rungs` are the requests of each rung, `verified` those of them that read again."""

    requests: int = 0
    rungs: list[int] = field(default_factory=list)
    verified: int = 0
    tokens: int = 0
    seconds: float = 0.0
    restarts: int = 0


class Serving:
    """One engine, shared by the threads of a worker."""

    def __init__(self, model: Model, resolution: int, start: Callable[[Model, int], Engine] = start) -> None:
        self._model, self._resolution, self._start = model, resolution, start
        self._engine: Engine | None = None
        self._latest: Engine | None = None
        self._lock = threading.Lock()
        self._turns, self._busy = _Turns(), _Busy()
        self._died_of = ""

    @property
    def engine(self) -> Engine | None:
        """Return the engine that answered last, to be named in rows, if any request has started one."""
        return self._latest

    @property
    def busy_s(self) -> float:
        """Return for how long the engine has had anything to do, whichever thread asked."""
        return self._busy.total_s

    @property
    def is_up(self) -> bool:
        """Return whether the engine is started."""
        return self._engine is not None

    def start(self) -> None:
        """Start the engine, unless it is. Raises RunError where it cannot be started."""
        self._started()

    def generate(self, requests: Sequence[Request], meter: Meter) -> list[Completion]:
        """Return one completion a request, in order. A request that the engine dies of, and of no other, completes as an error.

        Raises RunError where the engine dies whatever it is asked, or cannot be started.
        """
        if not requests:
            return []
        self._started()
        started = time.monotonic()  # loading the model is no page's cost
        with self._busy:
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
        with self._turns.together():
            completions = self._try(requests, meter)
        if completions is not None:
            return completions
        with self._turns.alone():  # what the engine dies of now, it dies of no other thread's request
            return self._by_halves(requests, meter)

    def _by_halves(self, requests: Sequence[Request], meter: Meter) -> list[Completion]:
        """Ask again in two halves, and halve what the engine dies of; what is left of that is one request, or several."""
        middle = len(requests) // 2
        done: list[Completion] = []
        for some in filter(None, (requests[:middle], requests[middle:])):
            completions = self._try(some, meter)
            if completions is None:
                completions = self._by_halves(some, meter) if len(some) > 1 else [self._guilty(meter)]
            done += completions
        return done

    def _try(self, requests: Sequence[Request], meter: Meter) -> list[Completion] | None:
        """Return the completions, or None where the engine died; the next call starts another."""
        engine = self._started()
        try:
            return engine.generate(requests)
        except EngineDied as error:
            meter.restarts += 1
            self._died_of = str(error)
            self._discard(engine)
            return None

    def _guilty(self, meter: Meter) -> Completion:
        """Return the error of the request that the engine has just died of, once it is sure that it was the request."""
        reason = self._died_of
        white = np.full((self._resolution, self._resolution, 3), 255, np.uint8)
        harmless = Request(View("", 0, Region("page", Affine(1, 0, 0, 1, 0, 0)), white), "ocr", 1)
        if self._try([harmless], meter) is None:
            raise RunError(f"the engine dies of whatever it is asked: {reason}; see to it, and run again to go on")
        return Completion("", (), (), "error", f"the engine died of this request: {reason}")

    def _started(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._latest = self._begun()
            return self._engine

    def _begun(self) -> Engine:
        try:
            return self._start(self._model, self._resolution)
        except PagemillError:
            raise
        except Exception as error:  # vLLM, torch and drivers raise what they like as they start, and no page has any part in it
            message = f"the engine cannot be started: {type(error).__name__}: {error}; see to it, and run again to go on"
            raise RunError(message) from error

    def _discard(self, dead: Engine) -> None:
        with self._lock:
            if self._engine is dead:
                self._engine = None
        dead.close()


class _Busy:
    """The time during which at least one thread is inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside, self._since = 0, 0.0
        self.total_s = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._since = time.monotonic()
            self._inside += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._lock:
            self._inside -= 1
            now = time.monotonic()
            self.total_s, self._since = self.total_s + now - self._since, now


class _Turns:
    """Many at once, or one alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._many, self._is_one = 0, False

    @contextmanager
    def together(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._is_one)
            self._many += 1
        try:
            yield
        finally:
            with self._changed:
                self._many -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._is_one)
            self._is_one = True
            self._changed.wait_for(lambda: not self._many)
        try:
            yield
        finally:
            with self._changed:
                self._is_one = False
                self._changed.notify_all()
