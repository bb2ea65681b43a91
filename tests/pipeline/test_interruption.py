"""Interrupts that meet a finalizer are not lost."""

import signal
import sys
import time
import weakref

import pytest

from pipeline.interruption import kept


class _Thing:
    """Something to refer to weakly."""


def _interrupted(reference: object) -> None:
    del reference
    raise KeyboardInterrupt


@pytest.fixture
def _interruptible():
    """Have Ctrl-C interrupt, whatever other tests have left of it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before or signal.SIG_DFL)


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupt_in_a_weak_references_callback_comes_again():
    """Python forgets what is raised there; the main thread is interrupted a moment later all the same."""
    with kept(), pytest.raises(KeyboardInterrupt):
        _outlive_a_callback_that_is_interrupted()


def _outlive_a_callback_that_is_interrupted() -> None:
    thing = _Thing()
    reference = weakref.ref(thing, _interrupted)
    del thing
    assert reference() is None
    for _ in range(600):
        time.sleep(0.1)


def test_other_forgotten_errors_are_told_as_before(monkeypatch):
    """Only interrupts are sent again; the hook that was there hears of the rest, and comes back."""
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    before = sys.unraisablehook
    thing = _Thing()
    reference = weakref.ref(thing, lambda _: 1 / 0)
    with kept():
        del thing
    assert reference() is None
    assert [each.exc_type for each in told] == [ZeroDivisionError]
    assert sys.unraisablehook == before
