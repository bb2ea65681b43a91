"""Interrupts that meet a finalizer are not lost."""

import signal
import sys
import threading
import time
import weakref

import duckdb
import pytest

from pipeline.interruption import kept, named, outlasted


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


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupt_in_the_midst_of_a_query_is_one():
    """DuckDB raises an error of its own then; whoever waits for Ctrl-C is told of Ctrl-C."""
    with duckdb.connect(config={"threads": 1}) as connection, pytest.raises(KeyboardInterrupt), named():
        _query_until_interrupted(connection)


def _query_until_interrupted(connection: duckdb.DuckDBPyConnection) -> None:
    soon = threading.Timer(0.5, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT))
    soon.start()
    # Of many small tasks, between which the one thread looks for signals (of two, the other may have the last of them, and nobody looks);
    # no core is done with it before it is interrupted, and each is done with it sooner or later.
    connection.execute("SELECT max(sqrt(range)) FROM range(20000000000)").fetchall()


class _Interrupting:
    """Something that DuckDB asks for its columns, and that is interrupted meanwhile."""

    def __arrow_c_schema__(self) -> object:
        raise KeyboardInterrupt

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        raise KeyboardInterrupt


def test_an_interrupt_while_duckdb_asks_python_is_one():
    """DuckDB tells what Python raised in an error of its own."""
    with duckdb.connect() as connection, pytest.raises(KeyboardInterrupt), named():
        connection.register("interrupting", _Interrupting())


def test_other_errors_stay_what_they_are():
    """Nothing else passes for an interrupt."""
    with pytest.raises(RuntimeError, match="out of order"), named():
        raise RuntimeError("out of order")


@pytest.mark.usefixtures("_interruptible")
def test_what_is_nearly_done_outlasts_one_interrupt_and_not_two():
    """The first is noted and heard of by whoever handles it, and raises nothing; the second does; then all is as before."""
    handler = signal.getsignal(signal.SIGINT)
    with outlasted() as came:
        signal.raise_signal(signal.SIGINT)
        assert came == [signal.SIGINT]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is handler


def test_in_other_threads_there_is_nothing_to_outlast():
    """Signals are the main thread's."""
    found = []

    def work() -> None:
        with outlasted() as came:
            found.append(came)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [[]]
