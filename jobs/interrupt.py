"""Ctrl-C and SIGTERM end a run: the first cleanly, keeping and publishing what is done; a second at once. The next run goes on."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO

_ENDING = "\npagemill: ending: what is done is kept and published; once more to end at once\n"


@contextmanager
def interruptible(stream: TextIO) -> Iterator[None]:
    """Raise KeyboardInterrupt at Ctrl-C and at SIGTERM, and say at the first what happens now. For the main thread only."""
    told = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal told
        del number, frame
        if not told:
            told = True
            stream.write(_ENDING)
            stream.flush()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
