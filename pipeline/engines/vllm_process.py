"""Ties vLLM's engine process to the worker that started it, as a `vllm.general_plugins` entry point.

vLLM ends it when it is asked to; a worker that is killed (by the kernel for its memory, or by Ray) cannot ask, and its engine would keep
the GPU's memory for ever. vLLM's own workers do end with its engine process.
"""

import ctypes
import os
import signal

_STARTED_BY = "PAGEMILL_ENGINE_STARTED_BY"
_PR_SET_PDEATHSIG = 1


def announce() -> None:
    """Let the processes that this one starts know it; to be called before vLLM starts any."""
    os.environ[_STARTED_BY] = str(os.getpid())


def register_end_with_worker() -> None:
    """End this process when the worker's thread that started it ends; does nothing in any other process that loads vLLM."""
    if os.environ.get(_STARTED_BY) == str(os.getppid()):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
