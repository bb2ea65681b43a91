"""The vLLM engine and the gate before it, with the real vLLM: run by `make parity` in .venv-vllm, on whatever device is there.

PAGEMILL_PARITY_DTYPE=bfloat16 asks for bfloat16 (the GPU's suite); the default is float32, in which answers must agree token for token.
Each start of vLLM takes 20 s on two cores, so what can share an engine does.
"""

import asyncio
import functools
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from pipeline.checkpoints.build import build
from pipeline.cluster import CALLS_PER_GPU
from pipeline.engines import exam, parity, reference
from pipeline.engines.description import Description, describe
from pipeline.engines.start import prepare, start
from pipeline.errors import CheckpointError, EngineDied, ParityError
from pipeline.passes import UNITS_PER_GPU_BLOCK
from schemas.job import Model

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.filterwarnings("ignore"),  # what vLLM and torch warn of in their own code is theirs
]
DTYPE = os.environ.get("PAGEMILL_PARITY_DTYPE", "float32")
FAULTS = ["doubled newline", "other image processor", "other resize"]


@pytest.fixture(scope="module")
def describe_tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Description]:
    """Return a function that builds a lively tiny checkpoint, once, and describes it."""

    @functools.cache
    def built(family: Any, resolution: int) -> Description:
        return describe(build(tmp_path_factory.mktemp(family) / str(resolution), family=family, resolution=resolution))

    return built


@pytest.fixture(scope="module")
def tiny(describe_tiny: Callable[[str, int], Description]) -> Description:
    return describe_tiny("paligemma", 448)


@pytest.fixture(scope="module")
def work_out() -> Callable[[Description, str], reference.Reference]:
    """Return a function that asks transformers, once for each checkpoint and dtype."""

    @functools.cache
    def asked(folder: Path, dtype: Any) -> reference.Reference:
        description = describe(folder)
        return reference.work_out(model(description).model_copy(update={"dtype": dtype}), description)

    return lambda description, dtype: asked(description.folder, dtype)


@pytest.fixture(scope="module")
def wanted(tiny: Description, work_out: Callable[[Description, str], reference.Reference]) -> reference.Reference:
    return work_out(tiny, DTYPE)


@pytest.fixture(scope="module")
def engine(tiny: Description) -> Iterator[Any]:
    """Return a served tiny PaliGemma whose `fault` a test may plant."""
    served = faulty(model(tiny), tiny)
    yield served
    served.close()


def faulty(asked: Model, description: Description) -> Any:
    """Start an engine in which a fault can be planted."""
    from pipeline.engines.vllm import VllmEngine

    class Faulty(VllmEngine):
        fault: str | None = None

        def _prefix(self, prompt: str) -> list[int]:
            token_ids = super()._prefix(prompt)
            return [*token_ids, token_ids[-1]] if self.fault == "doubled newline" else token_ids

        def _pixels(self, image: Any) -> torch.Tensor:
            if self.fault == "other resize":
                larger = Image.fromarray(image).resize((500, 500), Image.Resampling.BILINEAR)
                image = np.asarray(larger.resize(image.shape[:2], Image.Resampling.BILINEAR))
            pixels = super()._pixels(image)
            if self.fault == "other image processor":  # ImageNet's mean and deviation, torchvision's usual ones
                mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
                return ((pixels + 1) / 2 - mean[:, None, None]) / deviation[:, None, None]
            return pixels

    return Faulty(asked, description, max_tokens=64)


def model(description: Description) -> Model:
    return Model(checkpoint=str(description.folder), engine="vllm", dtype=DTYPE)


def test_it_says_what_transformers_says(engine: Any, wanted: reference.Reference) -> None:
    """PaliGemma 1 at 448 agrees with the reference on every question of the exam."""
    parity.require(engine, wanted)


@pytest.mark.parametrize(("family", "resolution"), [("paligemma", 896), ("paligemma2", 448), ("paligemma2", 896)])
def test_so_do_the_other_family_and_resolution(
    describe_tiny: Callable[[str, int], Description],
    work_out: Callable[[Description, str], reference.Reference],
    family: str,
    resolution: int,
) -> None:
    """PaliGemma 1 at 896 and PaliGemma 2 at 448 and 896 agree with the reference on the exam, and each planted fault is refused there too."""
    description = describe_tiny(family, resolution)
    wanted = work_out(description, DTYPE)
    served = faulty(model(description), description)
    try:
        parity.require(served, wanted)
        for served.fault in FAULTS:
            with pytest.raises(ParityError):
                parity.require(served, wanted)
    finally:
        served.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_refused(engine: Any, wanted: reference.Reference, fault: str) -> None:
    """The gate can fail: each of these faults is refused, and the same engine passes once the fault is gone."""
    engine.fault = fault
    try:
        with pytest.raises(ParityError, match="does not compute what transformers") as refused:
            parity.require(engine, wanted)
    finally:
        engine.fault = None
    assert "question" in str(refused.value)
    assert "reference" in str(refused.value)
    parity.require(engine, wanted)


@pytest.mark.parametrize("family", ["paligemma", "paligemma2"])
def test_in_bfloat16_too(
    describe_tiny: Callable[[str, int], Description], work_out: Callable[[Description, str], reference.Reference], family: str
) -> None:
    """In bfloat16 a sound engine passes, its tokens parting only at ties, and each planted fault is refused."""
    description = describe_tiny(family, 448)
    asked = model(description).model_copy(update={"dtype": "bfloat16"})
    wanted = work_out(description, "bfloat16")
    served = faulty(asked, description)
    try:
        parity.require(served, wanted)
        for served.fault in FAULTS:
            with pytest.raises(ParityError):
                parity.require(served, wanted)
    finally:
        served.close()


@pytest.mark.parametrize(
    ("family", "resolution", "dtype"),
    sorted(
        {("paligemma", 448, "bfloat16"), *((family, px, DTYPE) for family in ("paligemma", "paligemma2") for px in (448, 896))}
    ),
)
def test_the_stock_mask_is_refused(
    describe_tiny: Callable[[str, int], Description],
    work_out: Callable[[Description, str], reference.Reference],
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    resolution: int,
    dtype: str,
) -> None:
    """Where VLLM_PLUGINS leaves the mask's plugin out, the engine refuses to start; and the gate alone would have refused it too."""
    from pipeline.engines.vllm import VllmEngine

    class Unguarded(VllmEngine):
        async def _assert_the_mask_holds(self) -> None:
            try:
                await super()._assert_the_mask_holds()
            except CheckpointError as error:
                self.refusal = str(error)

    tiny = describe_tiny(family, resolution)
    asked = model(tiny).model_copy(update={"dtype": dtype})
    wanted = work_out(tiny, dtype)
    monkeypatch.setenv("VLLM_PLUGINS", "pagemill_siglip")
    served = Unguarded(asked, tiny, max_tokens=64)
    try:
        assert "0 of 2 attention layers have PaliGemma's mask" in served.refusal
        with pytest.raises(ParityError):
            parity.require(served, wanted)
    finally:
        served.close()


def test_an_image_is_encoded_once_for_all_its_questions(engine: Any) -> None:
    """Six questions on one view cost one pass of the vision tower; a second view costs one more."""
    engine.ask_workers("watch_vision")
    first, *_, last = exam.requests(448)
    views = [replace(first.view, image=np.roll(request.view.image, 7, axis=0)) for request in (first, last)]
    asked = [replace(first, view=view, prompt=f"answer en {number}", max_tokens=4) for view in views for number in range(6)]
    assert all(completion.finish_reason != "error" for completion in engine.generate(asked))
    assert engine.ask_workers("encoded_images") == [2]


def test_one_bad_request_fails_alone(engine: Any) -> None:
    """Another size, a prompt that spells a control token, one too long, and more tokens than there is room for: errors, in their places."""
    good = exam.requests(448)[0]
    small = replace(good, view=replace(good.view, image=good.view.image[:224, :224]))
    bad = [small, replace(good, prompt="<image>"), replace(good, prompt="x" * 2000), replace(good, max_tokens=1000)]
    completions = engine.generate([bad[0], good, *bad[1:], good])
    assert [completion.finish_reason == "error" for completion in completions] == [True, False, True, True, True, False]
    assert completions[1] == completions[5]
    assert "shape (224, 224, 3)" in str(completions[0].error)


def test_calls_from_several_threads_get_their_own_answers(engine: Any) -> None:
    """Answers do not depend on what else is asked at the time: four threads get what one after the other gets."""
    asked = [[replace(request, prompt=f"{request.prompt} {n}") for request in exam.requests(448)] for n in range(4)]
    alone = [engine.generate(requests) for requests in asked]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(engine.generate, asked))
    texts = [[completion.text for completion in completions] for completions in together]
    if DTYPE == "float32":
        assert texts == [[completion.text for completion in completions] for completions in alone]
    assert [len(completions) for completions in together] == [4] * 4


def test_a_completion_is_whole(engine: Any, tiny: Description) -> None:
    """A log-probability a token, eos among the ids and not in the text, and `stop` only where there is one."""
    for completion in engine.generate([replace(request, max_tokens=64) for request in exam.requests(448)]):
        assert len(completion.token_ids) == len(completion.logprobs)
        assert (completion.token_ids[-1] in tiny.eos_ids) == (completion.finish_reason == "stop")
        assert "<eos>" not in completion.text


def test_set_ups_that_would_be_silently_wrong_are_named(engine: Any) -> None:
    """Prefix caching, chunked prefill, a small token budget and a KV cache in which requests could be preempted are each refused."""
    from pipeline.engines.vllm_guard import faults

    assert faults(engine._llm.vllm_config, engine._plan) == []
    length, sequences = engine._plan.max_model_len, engine._plan.max_sequences
    planted = SimpleNamespace(
        cache_config=SimpleNamespace(enable_prefix_caching=True, kv_cache_size_tokens=length * sequences - 1),
        scheduler_config=SimpleNamespace(
            enable_chunked_prefill=True, max_num_batched_tokens=length - 1, max_num_seqs=sequences
        ),
        model_config=SimpleNamespace(max_model_len=length),
    )
    named = " ".join(faults(planted, engine._plan))
    for words in ("prefix caching is on", "chunked prefill is on", "token budget is smaller", "no request is ever preempted"):
        assert words in named


def test_a_preempted_request_is_an_error(engine: Any) -> None:
    """An answer that vLLM read again as prompt is wrong: the count is watched, and any ends the run."""
    from vllm.v1.metrics.stats import IterationStats

    stats = IterationStats()
    stats.num_preempted_reqs = 1
    engine._preempted.record(None, stats)
    try:
        with pytest.raises(ParityError, match="preempted 1"):
            engine.generate(exam.requests(448)[:1])
    finally:
        engine._preempted.count = 0


def test_a_worker_asks_for_more_than_vllm_answers_at_once() -> None:
    """On a GPU one question a page fills the engine, also while a third of the worker's calls draw pages."""
    from pipeline.engines.vllm_plan import _MOST_SEQUENCES

    assert _MOST_SEQUENCES["gpu"] <= CALLS_PER_GPU * UNITS_PER_GPU_BLOCK * 2 // 3


def test_engines_that_share_a_gpu_share_its_memory(tiny: Description, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each asks for so many answers at once as its part has room for, and wants no more free than that; for none, it says what to change."""
    from pipeline.engines import vllm_plan

    class Gpu:
        """A platform of one GPU."""

        total = 100 * 2**30

        def __getattr__(self, name: str) -> Any:
            answers = {"is_unspecified": False, "is_cpu": False, "device_count": 1, "get_device_total_memory": self.total}
            return lambda: answers[name]

    gpu = Gpu()
    monkeypatch.setattr(vllm_plan, "current_platform", gpu)
    monkeypatch.setattr(vllm_plan, "_MOST_SEQUENCES", {"gpu": 10**9})
    whole, half = (vllm_plan.plan(model(tiny), tiny, 64, share) for share in (1.0, 0.5))
    assert half.memory_share == whole.memory_share / 2 < 0.5
    assert vllm_plan.engine_args(model(tiny), tiny, half).gpu_memory_utilization == half.memory_share
    for planned in (whole, half):
        taken = planned.kv_bytes + 8 * 2**30
        assert 0.99 < taken / (planned.memory_share * gpu.total) <= 1
    gpu.total = 12 * 2**30
    assert vllm_plan.plan(model(tiny), tiny, 64).max_sequences > 0
    with pytest.raises(CheckpointError, match=r"no room for one answer .* give a worker more of a GPU with `gpus_per_worker`"):
        vllm_plan.plan(model(tiny), tiny, 64, 0.5)


def test_what_cannot_be_served_is_refused_with_the_reason(tiny: Description) -> None:
    """An adapter, forms of quantisation that change answers, and more GPUs than there are, are refused before vLLM starts."""
    from pipeline.engines.vllm_plan import refuse_what_is_not_served

    for settings, gpus, reason in [
        ({"adapter": "x"}, 0, "merged into the checkpoint"),
        ({"quantization": "int8"}, 0, "int8 is not served"),
        ({"quantization": "int4", "dtype": "bfloat16"}, 0, "was not rounded to int4"),
        ({"tensor_parallel": 2}, 0, "runs on a CPU"),
        ({"tensor_parallel": 4}, 2, "there are 2 here"),
    ]:
        with pytest.raises(CheckpointError, match=reason):
            refuse_what_is_not_served(model(tiny).model_copy(update=settings), tiny, gpus)


def test_four_bits_are_the_rounded_weights_and_nothing_else(
    describe_tiny: Callable[[str, int], Description], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bfloat16 vLLM says with the packed weights what it says with the same weights written out; the ones before rounding say another.

    On a CPU that vLLM has no such product for, that is said before anything starts.
    """
    from pipeline.engines.vllm import VllmEngine

    monkeypatch.setenv("PAGEMILL_CACHE", str(tmp_path))
    base = describe_tiny("paligemma2", 448)
    asked = model(base).model_copy(update={"dtype": "bfloat16", "quantization": "int4"})
    prepared, description = prepare(asked)
    if not (torch.cuda.is_available() or torch.cpu._is_avx512_supported()):
        with pytest.raises(CheckpointError, match="on CPUs with AVX-512 alone"):
            VllmEngine(prepared, description, max_tokens=64)
        return
    unrounded, said = reference.work_out(asked, base), []
    for served_as in (prepared, prepared.model_copy(update={"quantization": None})):
        served = VllmEngine(served_as, description, max_tokens=64)
        said.append(served.generate(exam.requests(448)))
        served.close()
    packed, plain = said
    answers = tuple(map(reference.Answer.of, plain))
    assert parity.differences(replace(unrounded, answers=answers), packed) == []
    assert parity.differences(unrounded, packed)


def test_an_adapter_is_served_merged(tiny: Description, wanted: reference.Reference, tmp_path: Path, monkeypatch: Any) -> None:
    """A LoRA adapter in the job is merged before vLLM starts: it passes the gate with answers that are not the base's."""
    monkeypatch.setenv("PAGEMILL_CACHE", str(tmp_path / "cache"))
    served = start(model(tiny).model_copy(update={"adapter": str(_adapter(tmp_path / "adapter", tiny.folder))}), 448, 64)
    try:
        assert parity.differences(wanted, served.generate(exam.requests(448)))
    finally:
        served.close()


def _adapter(folder: Path, base: Path) -> Path:
    """Write random LoRA factors for a layer of the language model, as PEFT does."""
    weights = load_file(base / "model.safetensors")
    (name,) = (name for name in weights if name.endswith("language_model.model.layers.0.mlp.down_proj.weight"))
    high, wide = weights[name].shape
    module = "base_model.model.model.language_model.layers.0.mlp.down_proj"
    torch.manual_seed(0)
    folder.mkdir()
    factors = {f"{module}.lora_A.weight": torch.randn(4, wide) / 4, f"{module}.lora_B.weight": torch.randn(high, 4) / 4}
    save_file(factors, folder / "adapter_model.safetensors")
    settings = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["down_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder


def test_the_engine_ends_with_its_worker(tiny: Description) -> None:
    """When the process that started it is killed, vLLM's own processes end too: nothing keeps a GPU's memory."""
    script = (
        "import sys, time; from pipeline.engines.start import launch, prepare; from schemas.job import Model\n"
        "if __name__ == '__main__':\n"
        f"    served = launch(*prepare(Model.model_validate_json({model(tiny).model_dump_json()!r})), 64)\n"
        "    print('ready', flush=True); time.sleep(600)\n"
    )
    path = tiny.folder.parent / "worker.py"
    path.write_text(script)
    with subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert any("ready" in line for line in worker.stdout)
        descendants = _descendants(worker.pid)
        worker.kill()
    assert any("VLLM::EngineCore" in name for name in descendants.values())
    for _ in range(600):
        left = [pid for pid, name in descendants.items() if _name(pid) == name]
        if not left:
            return
        time.sleep(0.1)
    pytest.fail(f"still there: {left}")


def test_death_is_told_and_survived(tiny: Description, wanted: reference.Reference) -> None:
    """When vLLM's process is killed, callers get EngineDied, even where vLLM never tells them; closing is safe, and a new one answers.

    So do callers who still wait in other threads when it is closed: none waits for ever.
    """
    from pipeline.engines.vllm import VllmEngine

    class Untold(VllmEngine):
        is_told = True

        async def _ask(self, prompt: Any, max_tokens: int) -> Any:
            return await (super()._ask(prompt, max_tokens) if self.is_told else asyncio.Event().wait())

    before = {child.pid for child in multiprocessing.active_children()}
    served = Untold(model(tiny), tiny, max_tokens=64)
    with ThreadPoolExecutor() as pool:
        at_work = pool.submit(served.generate, [replace(each, max_tokens=64) for each in exam.requests(448)] * 50)
        while not at_work.done() and not served._llm.output_processor.has_unfinished_requests():
            time.sleep(0.01)
        for child in multiprocessing.active_children():
            if child.pid is not None and child.pid not in before:
                os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(EngineDied, match="is gone"):
            at_work.result(timeout=120)
        for served.is_told in (True, False):
            with pytest.raises(EngineDied, match="is gone"):
                served.generate(exam.requests(448))
        served.close()
        served.close()
        with pytest.raises(EngineDied, match="was closed"):
            served.generate(exam.requests(448))
        again = Untold(model(tiny), tiny, max_tokens=64)
        try:
            parity.require(again, wanted)
            again.is_told = False
            waiting = [pool.submit(again.generate, exam.requests(448) * 5) for _ in range(2)]
            while not again._slots.locked() and not any(each.done() for each in waiting):
                time.sleep(0.01)
        finally:
            again.close()
        for each in waiting:
            with pytest.raises(EngineDied, match="was closed"):
                each.result(timeout=60)


def _descendants(pid: int) -> dict[int, str]:
    """Return the processes under one, with their command lines."""
    children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return {child: _name(child) for child in children} | {k: v for child in children for k, v in _descendants(child).items()}


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
