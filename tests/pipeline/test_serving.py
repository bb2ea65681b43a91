"""The engine as a worker uses it: what dies, what is asked again, and who must not suffer from it."""

import threading

import numpy as np
import pytest

from pipeline.errors import EngineDied, RunError
from pipeline.serving import Meter, Serving
from schemas.job import Model
from schemas.view import Affine, Completion, Region, Request, View


def _request(page_index: int) -> Request:
    image = np.zeros((448, 448, 3), np.uint8)
    return Request(View("d", page_index, Region("page", Affine(1, 0, 0, 1, 0, 0)), image), "ocr", 8)


class Engines:
    """Starts engines that answer a page's number, and die of the pages that are named."""

    def __init__(self, machine, deadly=()):
        self.machine, self.deadly, self.started = machine, set(deadly), 0

    def __call__(self, _model, resolution):
        self.started += 1
        return self.machine.TinyEngine(self._say, resolution)

    def _say(self, request: Request) -> Completion:
        if request.view.document_id == "d" and request.view.page_index in self.deadly:
            raise EngineDied("as told")
        return self.machine.said(str(request.view.page_index))


def test_no_request_starts_no_engine(machine):
    """An engine is started by the first request, and once."""
    engines = Engines(machine)
    serving = Serving(Model(engine="scripted"), 448, engines)
    assert serving.generate([], Meter()) == []
    assert (engines.started, serving.engine) == (0, None)
    serving.generate([_request(0)], Meter())
    serving.generate([_request(1)], Meter())
    assert engines.started == 1
    serving.close()


@pytest.mark.parametrize("deadly", [{0}, {7}, {3, 4}, set(range(8))])
def test_an_engine_that_dies_costs_only_the_requests_it_dies_of(machine, deadly):
    """Of a group with deadly requests, just those complete as errors, also when all of them are deadly; the rest are answered in order."""
    engines, meter = Engines(machine, deadly), Meter()
    serving = Serving(Model(engine="scripted"), 448, engines)
    completions = serving.generate([_request(number) for number in range(8)], meter)
    assert [c.text if c.error is None else "died" for c in completions] == [
        "died" if number in deadly else str(number) for number in range(8)
    ]
    assert meter.restarts == engines.started - 1
    assert serving.engine is not None
    serving.close()


def test_an_engine_that_dies_of_everything_ends_the_run(machine):
    """A broken engine makes no page a failed one: the run ends, and says why."""

    def start(_model, resolution):
        def say(_request):
            raise EngineDied("no memory on the GPU")

        return machine.TinyEngine(say, resolution)

    serving = Serving(Model(engine="scripted"), 448, start)
    with pytest.raises(RunError, match="no memory on the GPU"):
        serving.generate([_request(0), _request(1)], Meter())


def test_an_engine_that_cannot_be_started_ends_the_run():
    """Whatever a driver or a library raises as the engine starts is no page's fault: the run ends, and says what it was."""

    def start(_model, _resolution):
        raise NotImplementedError("no device")

    serving = Serving(Model(engine="scripted"), 448, start)
    with pytest.raises(RunError, match="cannot be started: NotImplementedError: no device"):
        serving.generate([_request(0)], Meter())


class Shared:
    """An engine that dies for all who are asking when it is asked of page 99."""

    name, resolution, checkpoint_hash = "shared", 448, "x"

    def __init__(self, machine):
        self._machine, self._dead = machine, threading.Event()

    def generate(self, requests):
        if self._dead.is_set() or any(request.view.page_index == 99 for request in requests):
            self._dead.set()
            raise EngineDied("of page 99")
        if self._dead.wait(0.02):
            raise EngineDied("beside page 99")
        return [self._machine.said(str(request.view.page_index)) for request in requests]

    def close(self):
        self._dead.set()


def test_other_threads_do_not_pay_for_a_deadly_request(machine):
    """Requests that were in flight when another thread's killed the engine are asked again and answered."""
    serving = Serving(Model(engine="scripted"), 448, lambda _model, _resolution: Shared(machine))
    answers, deadly = {}, {(0, 1), (1, 3)}

    def ask(number: int) -> None:
        for turn in range(5):
            page = 99 if (number, turn) in deadly else number
            (answers[number, turn],) = serving.generate([_request(page)], Meter())

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key for key, completion in answers.items() if completion.error} == deadly
    assert all(completion.text == str(number) for (number, _), completion in answers.items() if not completion.error)
    serving.close()
