"""The whole pipeline against its own engine, fed the same requests in a plain loop: as a ratio, by the clock and by CPU time.

`python tests/bench/throughput.py [--pages N] [--tokens N] [--rounds N]`. Scans that the project makes itself are read by the transformers
engine with the embedded checkpoint; an answer has at most `--tokens` tokens. The plain loop renders nothing and writes nothing: its views are
ready in memory before its clock starts, so it is the engine alone; it runs before and after each run of the pipeline, as a machine's load
changes. The pipeline is measured from its first commit to its last: listing, inspection, and the start of Ray, worker and model are left out.
"""

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from cputime import CpuTime

from jobs.synth import generate
from pipeline import cluster
from pipeline.documents.child import Child
from pipeline.engines.base import Engine
from pipeline.engines.start import start
from pipeline.flow import run
from pipeline.progress import Silent
from pipeline.questions import questions
from schemas.job import Job, Limits, Model, OcrTask, Render, Sink, Source
from schemas.view import Request, View

RESOLUTION, AT_ONCE = 448, 8  # as many as the engine decodes at once on a CPU, and as a block has units
RECORD_S = 0.5  # the parts of one record are told one after the other
MODEL = Model(checkpoint="embedded", engine="transformers")


@dataclass(frozen=True, slots=True)
class Side:
    """What a page took: seconds of the clock, and CPU-ms by kind of process."""

    seconds: float
    cpu_ms: dict[str, float]


class Watch(Silent):
    """Notes when how many pages were committed."""

    def __init__(self) -> None:
        self.commits: list[tuple[float, int]] = []

    def committed(self, pages: int, rejects: int, documents: int) -> None:
        del rejects, documents
        self.commits.append((time.monotonic(), pages))


def main() -> None:
    """Print what a page takes on both sides, round by round, and the medians of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    by_clock, by_cpu = [], []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        requests = ready(scans(home / "source", options.pages), work(home, options.tokens))
        engine = start(MODEL, RESOLUTION)
        engine.generate(requests[:AT_ONCE])  # warm
        for number in range(options.rounds):
            before = alone(engine, requests)
            piped = whole(work(home, options.tokens, f"sink-{number}"), options.pages)
            after = alone(engine, requests)
            engine_s, engine_ms = (before.seconds + after.seconds) / 2, (before.cpu_ms["engine"] + after.cpu_ms["engine"]) / 2
            by_clock.append(engine_s / piped.seconds)
            by_cpu.append(engine_ms / sum(piped.cpu_ms.values()))
            parts = ", ".join(f"{kind} {ms:.0f}" for kind, ms in sorted(piped.cpu_ms.items()))
            print(
                f"a page: engine alone {engine_s:.3f} s and {engine_ms:.0f} CPU-ms, pipeline {piped.seconds:.3f} s and "
                f"{sum(piped.cpu_ms.values()):.0f} CPU-ms ({parts}); ratio {by_clock[-1]:.2f} by the clock, {by_cpu[-1]:.2f} by CPU time; "
                f"load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    print(
        f"{options.pages} pages at {RESOLUTION}, at most {options.tokens} tokens each: ratio {statistics.median(by_clock):.2f} by the "
        f"clock, {statistics.median(by_cpu):.2f} by CPU time (medians of {options.rounds}; aim 0.9)"
    )


def work(home: Path, tokens: int, sink: str = "sink") -> Job:
    """Return the job that reads the scans."""
    return Job(
        name="bench",
        source=Source(uri=str(home / "source")),
        model=MODEL,
        render=Render(text_layer="ignore"),
        tasks=(OcrTask(type="ocr", max_tokens=tokens),),
        sink=Sink(uri=str(home / sink)),
    )


def scans(folder: Path, count: int) -> list[Path]:
    """Write that many one-page scans."""
    folder.mkdir()
    paths = []
    for seed in range(count):
        data, _ = generate("letter", seed, "scan")
        paths.append(folder / f"{seed:05d}.pdf")
        paths[-1].write_bytes(data)
    return paths


def ready(paths: list[Path], job: Job) -> list[Request]:
    """Return the very requests that the pipeline makes of these pages."""
    requests = []
    (asked,) = questions(job)
    with Child(Limits()) as child:
        for path in paths:
            child.open(path)
            (region,) = child.regions(0, "none", RESOLUTION)
            (image,) = child.render(0, [region], RESOLUTION)
            requests.append(Request(View(path.name, 0, region, image), asked.ask.prompt, asked.ask.max_tokens))
    return requests


def alone(engine: Engine, requests: list[Request]) -> Side:
    """Ask the engine everything, as many at a time as a worker gives it."""
    began, cpu_s = time.monotonic(), time.process_time()
    for at in range(0, len(requests), AT_ONCE):
        engine.generate(requests[at : at + AT_ONCE])
    seconds, cpu_s = time.monotonic() - began, time.process_time() - cpu_s
    return Side(seconds / len(requests), {"engine": 1000 * cpu_s / len(requests)})


def whole(job: Job, count: int) -> Side:
    """Run the job on a Ray of its own."""
    import ray

    cluster.connect(job.workers)
    watch = Watch()
    try:
        with CpuTime() as cpu:
            summary = run(job, progress=watch)
    finally:
        ray.shutdown()
    if summary.pages_ok + summary.pages_partial + summary.pages_failed + summary.pages_blank != count:
        raise RuntimeError(f"the run did not read {count} pages: {summary}")
    (first, _), (last, _) = watch.commits[0], watch.commits[-1]
    pages = sum(pages for at, pages in watch.commits if at > first + RECORD_S)
    spent = cpu.between(first, last)
    return Side((last - first) / pages, {kind: 1000 * seconds / pages for kind, seconds in spent.items()})


if __name__ == "__main__":
    main()
