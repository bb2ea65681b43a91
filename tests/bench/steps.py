"""When vLLM's worker was computing: on a CPU, what a GPU's busy share is on a GPU. Loaded by vLLM's own processes, by its name."""

import functools
import time
from collections.abc import Callable
from typing import Any

from pipeline.engines.prefix_mask import WorkerProbe


class TimedProbe(WorkerProbe):
    """Notes the beginning and the end of all that the model's runner does, by the monotonic clock, which all processes share."""

    def watch_steps(self) -> None:
        """Begin to note them."""
        self._spans: list[tuple[float, float]] = []
        for name in ("execute_model", "sample_tokens"):
            setattr(self.model_runner, name, self._timed(getattr(self.model_runner, name)))

    def spans(self) -> list[tuple[float, float]]:
        """Return what was noted."""
        return self._spans

    def _timed(self, step: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(step)
        def timed(*arguments: Any, **named: Any) -> Any:
            began = time.monotonic()
            try:
                return step(*arguments, **named)
            finally:
                self._spans.append((began, time.monotonic()))

        return timed
