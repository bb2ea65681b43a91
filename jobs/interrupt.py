"""Ctrl-C and SIGTERM: the first asks a run to end cleanly, the second ends it at once. Either way the next run goes on from there."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import TextIO

_ASKED = "ending: what is at work is committed first; once more to end at once\n"


@contextmanager
def stop_requests(stream: TextIO) -> Iterator[Event]:
    """Give an event that is set by the first Ctrl-C or SIGTERM; the second raises KeyboardInterrupt. For the main thread only."""
    asked = Event()

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        stream.write(_ASKED)
        stream.flush()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
