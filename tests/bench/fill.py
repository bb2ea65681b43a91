"""How full the pipeline keeps vLLM: the whole way (Ray, a worker with several calls) against the bare engine, asked the same requests.

`python tests/bench/fill.py [--pages N] [--rounds N] [--questions N] [--larger]` in an environment with vLLM, on two cores: scans that the
project makes itself, three questions a page, a checkpoint of noise with the sizes of the one that ships, or, --larger, one that costs a
core one to two seconds a page. What a worker hands over at once is a sixteenth of what it is on a GPU (12 calls of 16 pages), as is what
vLLM runs at once (8 requests of 128).

In production the engine computes on a GPU of its own, and so it does here: vLLM's processes have one core to themselves and everything else
(driver, Ray, the child that renders, vLLM's front end) the other (apart.py). In each round one engine is asked all requests at once, without
the pipeline, then by the pipeline, then all at once again, since a machine's load changes. All three are measured over the same middle of
the answers: without the first blocks, which were rendered while the engine was busy otherwise, and without as many at the end, behind which
nothing comes.
"""

import argparse
import json
import os
import statistics
import tempfile
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apart import Apart
from cputime import CpuTime

from jobs.synth import generate
from pipeline import cluster
from pipeline.checkpoints.architecture import EMBEDDED, Sizes
from pipeline.checkpoints.build import build
from pipeline.cluster import Pool
from pipeline.shards import write_shards
from pipeline.storage import open_store
from schemas.arrow import to_table
from schemas.job import AnswerField, AnswerTask, Job, Model, Render, Sink, Source
from schemas.unit import Origin, Unit

CALLS, UNITS_A_BLOCK, TOKENS = 3, 4, 16
FIELDS = ("number", "date", "total")
AT_ENDS = CALLS * UNITS_A_BLOCK  # pages that are not measured, at the beginning and at the end
LARGER = Sizes(
    vision_width=256,
    vision_layers=8,
    vision_heads=8,
    vision_mlp=1024,
    text_width=320,
    text_layers=6,
    text_heads=10,
    text_kv_heads=10,
    text_mlp=1280,
    head_dim=32,
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One side of a round, in its middle.

    Pages a second; the share of time in which vLLM's worker was computing, and in which its scheduler had fewer requests than it runs at
    once; CPU-ms a page outside the engine by process; images encoded a page.
    """

    pages_per_s: float
    busy_share: float
    short_share: float
    outside_ms: dict[str, float]
    encodes_per_page: float


def main() -> None:
    """Print both sides of each round, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=6 * AT_ENDS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=int, choices=(1, 2, 3), default=3)
    parser.add_argument("--larger", action="store_true")
    options = parser.parse_args()
    if options.pages <= 2 * AT_ENDS:
        parser.error(f"of {options.pages} pages none are left to measure: name more than {2 * AT_ENDS}")
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # where Ray's and vLLM's processes find metered.py and steps.py
    # Ray makes its workers nicer than others, and so the engine that one of them starts: not so the bare one.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - its name in Ray
    rounds = []
    with tempfile.TemporaryDirectory() as folder, Apart():
        home = Path(folder)
        checkpoint = build(home / "checkpoint", sizes=LARGER if options.larger else EMBEDDED)
        job, units = work(home, checkpoint, options.pages, options.questions)
        for number in range(options.rounds):
            rounds.append(sides(job, units, home / str(number)))
            for name, side in zip(("bare", "pipeline", "bare"), rounds[-1], strict=True):
                print(f"{name:8} {said(side)}; load {os.getloadavg()[0]:.1f}", flush=True)
    ratios = sorted(2 * whole.pages_per_s / (before.pages_per_s + after.pages_per_s) for before, whole, after in rounds)
    busy = statistics.median(whole.busy_share for _, whole, _ in rounds)
    alone = statistics.median(side.busy_share for before, _, after in rounds for side in (before, after))
    short = statistics.median(whole.short_share for _, whole, _ in rounds)
    print(
        f"pipeline against bare vLLM: {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f}; aim 0.95); "
        f"engine busy {busy:.1%} of the time (bare {alone:.1%}), short of requests {short:.1%}"
    )


def said(side: Measured) -> str:
    parts = ", ".join(f"{kind} {ms:.0f}" for kind, ms in sorted(side.outside_ms.items()) if ms >= 1)
    return (
        f"{side.pages_per_s:.3f} pages/s, engine busy {side.busy_share:.1%}, short of requests {side.short_share:.1%} of the time, "
        f"{sum(side.outside_ms.values()):.0f} CPU-ms a page outside the engine ({parts}), "
        f"{side.encodes_per_page:.2f} images encoded a page"
    )


def work(home: Path, checkpoint: Path, pages: int, asked: int) -> tuple[Job, list[Unit]]:
    """Write one-page scans, and return the job that asks of them and its units."""
    (home / "source").mkdir()
    units = []
    for seed in range(pages):
        path = home / "source" / f"{seed:05d}.pdf"
        path.write_bytes(generate("letter", seed, "scan")[0])
        origin = Origin(source_id=f"{seed:064x}", uri=str(path), version="", size_bytes=path.stat().st_size)
        units.append(Unit(document_id=f"{seed:064x}", media_type="application/pdf", origins=(origin,), first_page=0, n_pages=1))
    fields = tuple(AnswerField(name=name, question=f"what is the {name}?") for name in FIELDS[:asked])
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


def sides(job: Job, units: Sequence[Unit], notes: Path) -> list[Measured]:
    """Send the units through Ray to one worker, as a run on one GPU does; its engine is asked alone before and after."""
    import ray
    from metered import MeteredWorker

    notes.mkdir()
    batches = to_table(list(units), Unit).to_batches()
    shards = write_shards(open_store(job.sink.uri), str(notes / "units"), batches)
    cluster.connect(job.workers)
    try:
        with CpuTime() as cpu:
            given = (job, notes.name, (), units, notes / "engine.json")
            staged = list(
                cluster.stream(shards, MeteredWorker, given, rows_per_block=UNITS_A_BLOCK, pool=Pool(actors=1, calls=CALLS))
            )
    finally:
        ray.shutdown()
    if not staged:
        raise RuntimeError("the pipeline staged nothing")
    seen = json.loads((notes / "engine.json").read_text())
    return [measured(seen, which, len(units), cpu) for which in range(3)]


def measured(seen: dict[str, Any], which: int, pages: int, cpu: CpuTime) -> Measured:
    """Work out the numbers of one of three sides, each of which has the same answers."""
    count = len(seen["answered"]) // 3
    answered = sorted(seen["answered"][which * count : (which + 1) * count])
    ends = AT_ENDS * count // pages
    began, ended = answered[ends - 1], answered[-ends - 1]
    seconds, between = ended - began, pages - 2 * AT_ENDS
    busy = sum(max(0.0, min(end, ended) - max(start, began)) for start, end in seen["spans"])
    encoded = [0, *seen["encoded"]]
    return Measured(
        pages_per_s=between / seconds,
        busy_share=busy / seconds,
        short_share=_short_s(seen["scheduled"], seen["fill"], began, ended) / seconds,
        outside_ms={kind: 1000 * spent / between for kind, spent in cpu.between(began, ended).items()},
        encodes_per_page=(encoded[which + 1] - encoded[which]) / pages,
    )


def _short_s(scheduled: Sequence[tuple[float, int]], fill: int, began: float, ended: float) -> float:
    """Return for how long the scheduler had fewer requests than `fill`, going by what was last heard of it."""
    short, first = 0.0, max(0, bisect_left([at for at, _ in scheduled], began) - 1)
    for (at, has), (until, _) in zip(scheduled[first:], [*scheduled[first + 1 :], (ended, 0)], strict=True):
        if has < fill:
            short += max(0.0, min(until, ended) - max(at, began))
    return short


if __name__ == "__main__":
    main()
