"""An interrupt that neither gets lost nor passes for something else.

Python forgets an exception that is raised while a finalizer or a weak reference's callback runs. Signal handlers run between any two
instructions, so Ctrl-C, SIGTERM and a deadline meet such a callback now and then (Ray keeps many). What is forgotten there is shown to
`sys.unraisablehook`, and that is where it is sent once more. DuckDB raises an error of its own instead, in the midst of a query and where it
asks Python for something.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_QUERY_INTERRUPTED = "Query interrupted"
_AGAIN_S = 0.05  # by then the callback has returned, or the same happens again


@contextmanager
def kept() -> Iterator[None]:
    """Interrupt the main thread anew, as Ctrl-C does, whenever a KeyboardInterrupt is forgotten inside."""
    before = sys.unraisablehook

    def hook(forgotten: "UnraisableHookArgs") -> None:
        if not issubclass(forgotten.exc_type, KeyboardInterrupt):
            before(forgotten)
            return
        again = threading.Timer(_AGAIN_S, _interrupt)
        again.daemon = True
        again.start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


@contextmanager
def named() -> Iterator[None]:
    """Raise KeyboardInterrupt where DuckDB raises an error of its own instead."""
    try:
        yield
    except Exception as error:
        if not _is_interrupt(error):
            raise
        raise KeyboardInterrupt from error


def _is_interrupt(error: Exception) -> bool:
    if type(error).__module__.endswith("duckdb"):  # it says what Python raised where DuckDB had asked it
        return KeyboardInterrupt.__name__ in str(error)
    return isinstance(error, RuntimeError) and str(error) == _QUERY_INTERRUPTED


@contextmanager
def outlasted(interrupts: int = 1) -> Iterator[list[int]]:
    """Let what is inside outlast so many interrupts, and end it at the next; yields the signals that came.

    Whoever handles them hears of each as ever; only the KeyboardInterrupt that it raises is held back.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # where no signal is ever handled
        yield came
        return

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        with suppress(KeyboardInterrupt) if len(came) <= interrupts else nullcontext():
            before[number](number, frame)

    before = {int(number): each for number in (signal.SIGINT, signal.SIGTERM) if callable(each := signal.getsignal(number))}
    for number in before:
        signal.signal(number, note)
    try:
        yield came
    finally:
        for number, each in before.items():
            signal.signal(number, each)


def _interrupt() -> None:
    """Send the main thread what Ctrl-C sends, so that it wakes where it waits; not where nobody handles it, as then it would kill."""
    if callable(signal.getsignal(signal.SIGINT)):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
