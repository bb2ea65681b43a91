"""Answers that keep to the form of their type, against answers that are free: how many are values, and what it takes.

`python tests/bench/structured.py [--engine transformers] [--requests 24]`. A checkpoint is asked about made-up pages for money, dates, numbers,
choices and yes or no; both ways take turns, so that their times can be compared. A checkpoint of noise (or the one that ships, which was
taught no questions) says next to nothing of its own accord, so the share without a form is a floor, and says nothing of published weights.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from pipeline.checkpoints.build import build
from pipeline.engines.base import Engine
from pipeline.engines.description import describe
from pipeline.engines.start import launch
from pipeline.tasks.asks import asks
from pipeline.tasks.base import Ask
from schemas.job import AnswerField, AnswerTask, Model
from schemas.view import Affine, Completion, Region, Request, View

FIELDS = (
    AnswerField(name="total", question="what is the total?", type="money", locale="en_US"),
    AnswerField(name="date", question="what is the date?", type="date", locale="en_US"),
    AnswerField(name="items", question="how many items are there?", type="integer", locale="en_US"),
    AnswerField(name="state", question="is it open or paid?", type="enum", choices=("open", "paid")),
    AnswerField(name="signed", question="is it signed?", type="boolean"),
)
SIDE, ROUNDS = 448, 3


def main() -> None:
    """Print the share of values and of what has no form, and the ratio of the times, by the median of the rounds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=("transformers", "vllm"), default="transformers")
    parser.add_argument("--requests", type=int, default=24)
    parser.add_argument("--embedded", action="store_true", help="the checkpoint that ships, and no noise")
    options = parser.parse_args()
    free, bound = (asks(AnswerTask(type="answer", fields=FIELDS, structured=each, max_tokens=24)) for each in (False, True))
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = "embedded" if options.embedded else str(build(Path(folder), family="paligemma2", resolution=SIDE))
        engine = serve(Model(checkpoint=checkpoint, engine=options.engine, dtype="float32"))
        try:
            ratios, said = [], {"free": [], "structured": []}
            timed(engine, free, 2)
            for _ in range(ROUNDS):
                free_s, said["free"] = timed(engine, free, options.requests)
                bound_s, said["structured"] = timed(engine, bound, options.requests)
                ratios.append(bound_s / free_s)
        finally:
            engine.close()
    for name, judged in said.items():
        tokens = sum(len(each.token_ids) for _, each in judged) / len(judged)
        values, absent = (
            sum(ask.decode(each, _WHOLE).verdict == verdict for ask, each in judged) for verdict in ("value", "absent")
        )
        print(
            f"{name:>10}: {values / len(judged):6.1%} values, {absent / len(judged):6.1%} absent, {tokens:.1f} tokens an answer"
        )
    print(f"{options.engine}: structured takes {median(ratios):.2f} times as long a token (median of {ROUNDS})")


def serve(model: Model) -> Engine:
    """Return an engine without its gate: nothing is published here."""
    if model.checkpoint == "embedded":
        from pipeline.engines.weights import resolve

        return launch(model, describe(resolve(model.checkpoint, None)), 64)
    return launch(model, describe(Path(model.checkpoint)), 64)


def timed(engine: Engine, asked: tuple[Ask, ...], count: int) -> tuple[float, list[tuple[Ask, Completion]]]:
    """Return the seconds a token of so many requests, and what was said to each."""
    wanted = [(asked[number % len(asked)], number // len(asked)) for number in range(count)]
    requests = [Request(view(seed), ask.prompt, ask.max_tokens, ask.form) for ask, seed in wanted]
    began = time.perf_counter()
    said = engine.generate(requests)
    seconds = time.perf_counter() - began
    return seconds / sum(len(each.token_ids) for each in said), [
        (ask, each) for (ask, _), each in zip(wanted, said, strict=True)
    ]


def view(seed: int) -> View:
    """Return a view of noise: nothing depends on what it shows."""
    image = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    return View(f"{seed:064x}", 0, Region("page", _WHOLE), image)


_WHOLE = Affine(595.0, 0.0, 0.0, 842.0, 0.0, 0.0)

if __name__ == "__main__":
    main()
