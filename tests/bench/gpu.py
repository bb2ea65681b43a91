"""How near vLLM comes to what the GPU could do: PaliGemma 2 3B with dummy weights, one question or several a page.

`python tests/bench/gpu.py [--resolution 448|896] [--pages N] [--questions N] [--tokens N] [--dollars-per-hour X] [--peak-tflops X] [--tiny]`
in an environment with vLLM (`make bench-gpu`). Dummy weights take the same time as real ones; answers are cut at --tokens, since noise does
not stop. --tiny is for trying the script itself where there is no GPU. The default peak is an H100's dense bfloat16.

Arithmetic (multiply and add are two operations; embeddings are looked up, not multiplied):
  vision   2 · parameters · tokens + 4 · layers · width · tokens², once a page
  prefill  2 · parameters · (tokens + prompt) + 4 · layers · heads · head_dim · (tokens + prompt)², once a question: the mask makes the
           image's keys depend on the question
  decode   2 · (parameters + vocabulary · width) · answer tokens, once a question
"""

import argparse
import itertools
import json
import os
import struct
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from watching import Watching

from pipeline.checkpoints.architecture import TINY, Sizes, image_tokens, write_configuration
from pipeline.checkpoints.tokenizer import write_tokenizer
from pipeline.engines import exam
from pipeline.engines.description import describe
from pipeline.engines.vllm import AsyncEngineArgs, VllmEngine
from schemas.job import Model
from schemas.view import Request

PALIGEMMA2_3B = Sizes(
    vision_width=1152,
    vision_layers=27,
    vision_heads=16,
    vision_mlp=4304,
    text_width=2304,
    text_layers=26,
    text_heads=8,
    text_kv_heads=4,
    text_mlp=9216,
    head_dim=256,
)
VOCABULARY = 257216


@dataclass(frozen=True, slots=True)
class Work:
    """Operations of one page, by part."""

    vision: float
    prefill: float
    decode: float

    @property
    def total(self) -> float:
        return self.vision + self.prefill + self.decode


class DummyEngine(VllmEngine):
    """The production engine on weights that vLLM makes up."""

    def _arguments(self, model: Model) -> AsyncEngineArgs:
        return replace(super()._arguments(model), load_format="dummy")


def main() -> None:
    """Print pages a second, the share of the roofline, the GPU's busy share and the price of a million pages."""
    options = _options()
    sizes = TINY if options.tiny else PALIGEMMA2_3B
    with tempfile.TemporaryDirectory() as scratch:
        folder = checkpoint(Path(scratch), options.resolution, sizes, tiny=options.tiny)
        engine = DummyEngine(Model(checkpoint=str(folder), engine="vllm"), describe(folder), options.tokens)
        try:
            engine.generate(questions(options.resolution, 4, options.questions, options.tokens, seed=1))  # warm
            engine.ask_workers("watch_vision")
            asked = questions(options.resolution, options.pages, options.questions, options.tokens, seed=2)
            with Busy() as busy:
                started = time.perf_counter()
                completions = engine.generate(asked)
                seconds = time.perf_counter() - started
            encoded = engine.ask_workers("encoded_images")
        finally:
            engine.close()
    failed = sum(completion.finish_reason == "error" for completion in completions)
    answer_tokens = sum(len(completion.token_ids) for completion in completions) / len(completions)
    report(options, work(sizes, options.resolution, options.questions, answer_tokens), seconds, encoded, failed, busy.share)


def work(sizes: Sizes, resolution: int, asked: int, answer_tokens: float, prompt: int = 8) -> Work:
    """Return the operations of one page with `asked` questions."""
    tokens = image_tokens(resolution)
    vision = sizes.vision_layers * (4 * sizes.vision_width**2 + 2 * sizes.vision_width * sizes.vision_mlp)
    attention = sizes.text_width * sizes.head_dim * (2 * sizes.text_heads + 2 * sizes.text_kv_heads)
    text = sizes.text_layers * (attention + 3 * sizes.text_width * sizes.text_mlp)
    prefix = tokens + prompt
    return Work(
        vision=2 * vision * tokens + 4 * sizes.vision_layers * sizes.vision_width * tokens**2,
        prefill=asked * (2 * text * prefix + 4 * sizes.text_layers * sizes.text_heads * sizes.head_dim * prefix**2),
        decode=asked * answer_tokens * 2 * (text + VOCABULARY * sizes.text_width),
    )


def report(
    options: argparse.Namespace, done: Work, seconds: float, encoded: list[int], failed: int, busy: float | None
) -> None:
    """Print what was measured and what follows from it."""
    rate = options.pages / seconds
    roofline = options.peak_tflops * 1e12 / done.total
    print(f"PaliGemma 2 {'tiny' if options.tiny else '3B'}, dummy weights, bfloat16, {options.resolution} px")
    print(
        f"{options.pages} pages, {options.questions} questions a page, up to {options.tokens} tokens an answer; {failed} failed"
    )
    print(f"{rate:.2f} pages/s; {encoded} images encoded (aim: one a page)")
    print(
        f"a page: vision {done.vision / 1e12:.2f} + prefill {done.prefill / 1e12:.2f} + decode {done.decode / 1e12:.2f} Tflop"
    )
    print(f"roofline at {options.peak_tflops:g} Tflop/s: {roofline:.1f} pages/s; reached {rate / roofline:.1%}")
    print(f"GPU busy: {'not known here' if busy is None else f'{busy:.0%}'}")
    print(f"${options.dollars_per_hour / 3600 / rate * 1e6:,.0f} a million pages at ${options.dollars_per_hour:g} an hour")


def questions(resolution: int, pages: int, asked: int, tokens: int, seed: int) -> list[Request]:
    """Return the questions page by page, each page unlike the others."""
    rng = np.random.default_rng(seed)
    form = exam.requests(resolution)[0]
    views = []
    for number in range(pages):
        image = form.view.image.copy()
        image[-64:] = rng.integers(0, 256, (64, resolution, 3), dtype=np.uint8)
        views.append(replace(form.view, page_index=number, image=image))
    return [Request(view, f"answer en {number}", tokens) for view, number in itertools.product(views, range(asked))]


def checkpoint(folder: Path, resolution: int, sizes: Sizes, *, tiny: bool) -> Path:
    """Write a checkpoint without weights: a file of the right size, with nothing in it."""
    ids = write_tokenizer(folder)
    write_configuration(folder, "paligemma2", resolution, sizes, ids if tiny else replace(ids, size=VOCABULARY), "bfloat16")
    parameters = 10**6 if tiny else 3_033_000_000
    header = json.dumps({"all": {"dtype": "BF16", "shape": [parameters], "data_offsets": [0, 2 * parameters]}}).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        os.truncate(file.fileno(), 8 + len(header) + 2 * parameters)
    return folder


class Busy(Watching):
    """Asks NVIDIA's driver, five times a second, whether the GPU was at work; `share` is None where there is no such driver."""

    def __init__(self) -> None:
        self._samples: list[int] = []

    @property
    def share(self) -> float | None:
        return sum(self._samples) / len(self._samples) / 100 if self._samples else None

    def _watch(self) -> None:
        from vllm.third_party import pynvml

        try:
            pynvml.nvmlInit()
            device = pynvml.nvmlDeviceGetHandleByIndex(0)
        except pynvml.NVMLError:
            return
        while not self._over.wait(0.2):
            self._samples.append(pynvml.nvmlDeviceGetUtilizationRates(device).gpu)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolution", type=int, choices=(224, 448, 896), default=448)
    parser.add_argument("--pages", type=int, default=512)
    parser.add_argument("--questions", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--dollars-per-hour", type=float, default=3.0)
    parser.add_argument("--peak-tflops", type=float, default=989.0)
    parser.add_argument("--tiny", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
