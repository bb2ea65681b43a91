"""Ctrl-C and SIGTERM: both are one interrupt, and the handlers that were there before come back."""

import io
import os
import signal

import pytest

from jobs.interrupt import interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_an_interrupt_that_says_what_happens_now(number):
    """The first says that it ends cleanly; a second interrupts again, without saying it twice."""
    out = io.StringIO()
    with interruptible(out):
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), number)
    assert out.getvalue().count("ending: what is done is kept and published") == 1


def test_the_handlers_come_back():
    """What a signal did before, it does afterwards."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with interruptible(io.StringIO()):
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
