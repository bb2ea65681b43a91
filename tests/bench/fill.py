"""How full the pipeline keeps vLLM: the whole way (Ray, workers, three calls at once) against the bare engine, asked the same requests.

`python tests/bench/fill.py [--pages N] [--rounds N]` in an environment with vLLM: scans that the project makes itself, three questions
a page, a checkpoint of noise with the sizes of the one that ships. Both sides are measured between the end of the first third of the
answers and the last, so that no start-up is in any number. Each round measures one after the other, since a machine's load changes.
"""

from __future__ import annotations  # MeteredWorker travels by value, and its annotations' names would not

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cputime import CpuTime

from jobs.synth import generate
from pipeline import cluster
from pipeline.cache import DocumentCache
from pipeline.checkpoints.architecture import EMBEDDED
from pipeline.checkpoints.build import build
from pipeline.cluster import Pool
from pipeline.desk import Desk
from pipeline.engines.base import Engine
from pipeline.engines.start import prepare
from pipeline.questions import questions
from pipeline.serving import Serving
from pipeline.shards import write_shards
from pipeline.storage import open_store
from pipeline.worker import Worker
from schemas.arrow import to_table
from schemas.job import AnswerField, AnswerTask, Job, Model, Render, Sink, Source
from schemas.unit import Origin, Unit
from schemas.view import Completion, Request

CALLS, UNITS_A_BLOCK, TOKENS = 3, 8, 16
FIELDS = ("number", "date", "total")


@dataclass(frozen=True, slots=True)
class Measured:
    """One side of a round, past its first third: pages a second, the share of time short of requests, and CPU-ms a page by process."""

    pages_per_s: float
    short_share: float
    outside_ms: dict[str, float]
    encodes_per_page: float


def main() -> None:
    """Print both sides of each round, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        checkpoint = build(home / "checkpoint", sizes=EMBEDDED)
        job, units = work(home, checkpoint, options.pages)
        requests = ready(job, units)
        for number in range(options.rounds):
            rounds.append((bare(job, requests, home / f"bare-{number}"), piped(job, units, home / f"piped-{number}")))
            for name, side in zip(("bare", "pipeline"), rounds[-1], strict=True):
                parts = ", ".join(f"{kind} {ms:.0f}" for kind, ms in sorted(side.outside_ms.items()))
                print(
                    f"{name:8} {side.pages_per_s:.2f} pages/s, short of requests {side.short_share:.1%} of the time, "
                    f"{sum(side.outside_ms.values()):.0f} CPU-ms a page outside the engine ({parts}), "
                    f"{side.encodes_per_page:.2f} images encoded a page; "
                    f"load {os.getloadavg()[0]:.1f}",
                    flush=True,
                )
    ratio = statistics.median(one.pages_per_s / other.pages_per_s for other, one in rounds)
    short = statistics.median(one.short_share for _, one in rounds)
    ours = statistics.median(sum(one.outside_ms.values()) - sum(other.outside_ms.values()) for other, one in rounds)
    print(
        f"pipeline against bare vLLM: {ratio:.2f} (aim 0.95); short {short:.1%} of the time; {ours:.0f} CPU-ms a page more outside it"
    )


def work(home: Path, checkpoint: Path, pages: int) -> tuple[Job, list[Unit]]:
    """Write one-page scans, and return the job that asks of them and its units."""
    (home / "source").mkdir()
    units = []
    for seed in range(pages):
        path = home / "source" / f"{seed:05d}.pdf"
        path.write_bytes(generate("letter", seed, "scan")[0])
        origin = Origin(source_id=f"{seed:064x}", uri=str(path), version="", size_bytes=path.stat().st_size)
        units.append(Unit(document_id=f"{seed:064x}", media_type="application/pdf", origins=(origin,), first_page=0, n_pages=1))
    fields = tuple(AnswerField(name=name, question=f"what is the {name}?") for name in FIELDS)
    return (
        Job(
            name="fill",
            source=Source(uri=str(home / "source")),
            model=Model(checkpoint=str(checkpoint), engine="vllm", dtype="float32"),
            render=Render(text_layer="ignore"),
            tasks=(AnswerTask(type="answer", fields=fields, max_tokens=TOKENS),),
            sink=Sink(uri=str(home / "sink")),
        ),
        units,
    )


def ready(job: Job, units: Sequence[Unit]) -> list[Request]:
    """Return the very requests that the workers will make."""
    desk = Desk(job, DocumentCache(open_store(job.source.uri)), ())
    requests = []
    try:
        for unit in units:
            desk.lay(unit)
            asked = [question.ask for question in questions(job)]
            for view in desk.views(unit.document_id, desk.facts(0), job.render.ladder[0], asked):
                requests += [Request(view, ask.prompt, ask.max_tokens) for ask in asked]
    finally:
        desk.close()
    return requests


def bare(job: Job, requests: Sequence[Request], notes: Path) -> Measured:
    """Ask the engine everything at once, in this process."""
    notes.mkdir()
    engine = metered(job.model, notes)
    with CpuTime() as cpu:
        engine.generate(requests)
        ended = time.monotonic()
    engine.close()
    return measured(notes, cpu, ended)


def piped(job: Job, units: Sequence[Unit], notes: Path) -> Measured:
    """Send the units through Ray to one worker, as a run on one GPU does."""
    import ray

    notes.mkdir()
    batches = to_table(list(units), Unit).to_batches()
    shards = write_shards(open_store(job.sink.uri), str(notes / "units"), batches)
    cluster.connect(job.workers)
    try:
        with CpuTime() as cpu:
            staged = list(
                cluster.stream(
                    shards,
                    MeteredWorker,
                    (job, notes.name, (), notes),
                    rows_per_block=UNITS_A_BLOCK,
                    pool=Pool(actors=1, calls=CALLS, threads=len(os.sched_getaffinity(0))),
                )
            )
            ended = time.monotonic()
    finally:
        ray.shutdown()
    if not staged:
        raise RuntimeError("the pipeline staged nothing")
    return measured(notes, cpu, ended)


class MeteredWorker(Worker):
    """The worker of a run, with an engine that notes when it was asked and when it had answered."""

    def __init__(self, job: Job, run_id: str, passwords: Sequence[str], notes: Path) -> None:
        super().__init__(job, run_id, passwords, Serving(job.model, 448, lambda model, _: metered(model, notes)))


def metered(model: Model, notes: Path) -> Engine:
    """Return the production engine; after each call it writes down (time, requests it has) and how many images were encoded."""
    from pipeline.engines.vllm import VllmEngine

    class Metered(VllmEngine):
        def __init__(self, *arguments: object) -> None:
            self.events: list[tuple[float, int]] = []
            self.lock = threading.Lock()
            super().__init__(*arguments)  # type: ignore[arg-type]
            self.ask_workers("watch_vision")

        async def _answer(self, request: Request, image: object) -> Completion:
            self.events.append((time.monotonic(), 1))
            completion = await super()._answer(request, image)  # type: ignore[arg-type]
            self.events.append((time.monotonic(), -1))
            return completion

        def generate(self, requests: Sequence[Request]) -> list[Completion]:
            completions = super().generate(requests)
            if errors := [completion.error for completion in completions if completion.error]:
                raise RuntimeError(errors[0])
            with self.lock:
                seen = {"events": self.events, "fill": self._plan.max_sequences, "encoded": self.ask_workers("encoded_images")}
                (notes / "engine.json").write_text(json.dumps(seen))
            return completions

    served, description = prepare(model)
    return Metered(served, description, 512)


def measured(notes: Path, cpu: CpuTime, ended: float) -> Measured:
    """Work out the numbers of one side."""
    seen = json.loads((notes / "engine.json").read_text())
    events = sorted((at, change) for at, change in seen["events"])
    answers = [at for at, change in events if change < 0]
    began, pages = answers[len(answers) // 3], (len(answers) - len(answers) // 3) / len(FIELDS)
    has, short, last = 0, 0.0, began
    for at, change in events:
        if at > began:
            short += (at - last) * (has < seen["fill"])
            last = at
        has += change
    return Measured(
        pages_per_s=pages / (ended - began),
        short_share=(short + ended - last) / (ended - began),
        outside_ms={kind: 1000 * seconds / pages for kind, seconds in cpu.between(began, ended).items()},
        encodes_per_page=sum(seen["encoded"]) / (len(answers) / len(FIELDS)),
    )


if __name__ == "__main__":
    main()
