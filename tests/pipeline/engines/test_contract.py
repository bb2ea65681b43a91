"""What every engine does alike: one suite, run over each of them (over vLLM where it is installed)."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from pipeline.engines.base import Engine
from pipeline.engines.following import has_form
from pipeline.engines.start import start
from pipeline.errors import EngineDied
from schemas.job import Model
from schemas.view import Completion, Form, Request, View

SIDE = 224
PROMPTS = ("ocr", "answer en what is the total?", "detect signature ; stamp")
# What vLLM and torch warn of in their own code is theirs.
VLLM = pytest.param("vllm", marks=[pytest.mark.vllm, pytest.mark.filterwarnings("ignore")])
ENGINES = ("scripted", "transformers", VLLM)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, lively, tmp_path_factory) -> Iterator[Engine]:
    if request.param == "vllm":
        pytest.importorskip("vllm")
    if request.param == "scripted":
        checkpoint = tmp_path_factory.mktemp("truth")
        (checkpoint / "scripted.json").write_text(json.dumps({"seconds_per_request": 0.0}))
    else:
        checkpoint = lively("paligemma2", SIDE)
    started = start(Model(checkpoint=str(checkpoint), engine=request.param, dtype="float32"), SIDE)
    yield started
    started.close()


@pytest.fixture
def requests(view: Callable[[int, int], View]) -> list[Request]:
    """Return questions on three views, of several lengths, in no order that an engine would choose."""
    return [Request(view(SIDE, seed), prompt, 6 + 5 * seed) for seed in range(3) for prompt in PROMPTS]


def same(one: Completion, other: Completion) -> bool:
    """Return whether two completions are one answer; log-probabilities may differ by rounding."""
    alike = replace(one, logprobs=(), margins=()) == replace(other, logprobs=(), margins=())
    return alike and np.allclose(one.logprobs, other.logprobs, atol=1e-3) and np.allclose(one.margins, other.margins, atol=2e-3)


def test_answers_come_in_the_order_of_the_requests(engine: Engine, requests: list[Request]) -> None:
    """Each answer is the one that its request gets alone."""
    together = engine.generate(requests)
    alone = [engine.generate([request])[0] for request in requests]
    assert len(together) == len(requests)
    assert all(map(same, together, alone))
    assert len({answer.token_ids for answer in together}) > len(requests) // 2, "answers that are alike prove no order"


def test_no_requests_no_answers(engine: Engine) -> None:
    """An empty list is answered by an empty list."""
    assert engine.generate([]) == []


def test_the_answer_depends_on_picture_and_prompt(engine: Engine, view: Callable[[int, int], View]) -> None:
    """Another picture gets another answer, and so does another prompt."""
    asked = [Request(view(SIDE, 1), "ocr", 8), Request(view(SIDE, 2), "ocr", 8), Request(view(SIDE, 1), "spot", 8)]
    answers = engine.generate(asked)
    assert len({(answer.token_ids, answer.logprobs) for answer in answers}) == len(asked)


def test_the_same_question_gets_the_same_answer(engine: Engine, requests: list[Request]) -> None:
    """Two calls with the same requests give the same tokens and text."""
    assert all(map(same, engine.generate(requests), engine.generate(requests)))


FORMS = (Form(choices=("open", "paid in full", "unanswerable")), Form(expression=r"[0-9]{1,3}(\.[0-9]{2})? EUR|unanswerable"))


@pytest.mark.parametrize("form", FORMS, ids=["choices", "expression"])
def test_an_answer_keeps_to_the_form_that_is_asked_for(engine: Engine, view: Callable[[int, int], View], form: Form) -> None:
    """It has that form as a whole and ends there, one probability a token; the same question without it, beside it, is answered as ever."""
    free = [Request(view(SIDE, seed), "answer en what is the total?", 24) for seed in range(3)]
    alone = engine.generate(free)
    mixed = engine.generate([each for one in free for each in (one, replace(one, form=form))])
    assert all(map(same, alone, mixed[::2]))
    for answer in mixed[1::2]:
        assert has_form(form, answer.text), answer
        assert answer.finish_reason == "stop"
        assert len(answer.logprobs) == len(answer.margins) == len(answer.token_ids)
        assert all(logprob <= 0 for logprob in answer.logprobs)
    assert not any(has_form(form, answer.text) for answer in alone), "what says it anyhow proves nothing"


def test_threads_do_not_disturb_one_another(engine: Engine, requests: list[Request]) -> None:
    """Calls from several threads at once give what calls one after the other give."""
    expected = engine.generate(requests)
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda request: engine.generate([request])[0], requests))
    assert all(map(same, answers, expected))


def test_max_tokens_cuts_an_answer_off(engine: Engine, view: Callable[[int, int], View]) -> None:
    """An answer that max_tokens cut off has that many tokens and says so; it is the beginning of the longer one."""
    long, short = engine.generate([Request(view(SIDE, 1), "ocr", limit) for limit in (12, 3)])
    assert (short.finish_reason, len(short.token_ids)) == ("length", 3)
    assert long.token_ids[:3] == short.token_ids
    assert long.text.startswith(short.text)


def test_every_token_has_its_log_probability(engine: Engine, requests: list[Request]) -> None:
    """There is one log-probability a token, none above 0."""
    for answer in engine.generate(requests):
        assert len(answer.logprobs) == len(answer.token_ids) > 0
        assert max(answer.logprobs) <= 0
        assert len(answer.margins) == len(answer.token_ids)
        assert min(answer.margins) >= 0


@pytest.mark.parametrize("fault", ["small view", "floats", "two lines", "no tokens"])
def test_a_bad_request_fails_alone(engine: Engine, view: Callable[[int, int], View], fault: str) -> None:
    """A request that cannot be answered says error and why; its neighbours are answered as if it were not there."""
    good = Request(view(SIDE, 1), "ocr", 5)
    bad = {
        "small view": replace(good, view=view(SIDE // 2, 1)),
        "floats": replace(good, view=replace(good.view, image=good.view.image / np.float32(255))),
        "two lines": replace(good, prompt="ocr\nocr"),
        "no tokens": replace(good, max_tokens=0),
    }[fault]
    first, failed, last = engine.generate([good, bad, good])
    assert same(first, last)
    assert same(first, engine.generate([good])[0])
    assert (failed.finish_reason, failed.text, failed.token_ids, failed.logprobs) == ("error", "", (), ())
    assert failed.error


def test_an_engine_says_what_it_is(engine: Engine) -> None:
    """Rows can record name, resolution and the hash of the files."""
    assert engine.name.split()[0] in {"scripted", "transformers", "vllm"}
    assert engine.resolution == SIDE
    assert len(bytes.fromhex(engine.checkpoint_hash)) == 32


@pytest.mark.parametrize("kind", ["scripted", "transformers"])
def test_a_closed_engine_answers_nothing(kind: str, lively, view: Callable[[int, int], View]) -> None:
    """After close, EngineDied is raised."""
    checkpoint = "embedded" if kind == "scripted" else str(lively("paligemma2", SIDE))
    closed = start(Model(checkpoint=checkpoint, engine=kind, dtype="float32"), SIDE)
    closed.close()
    with pytest.raises(EngineDied):
        closed.generate([Request(view(SIDE, 1), "ocr", 5)])
