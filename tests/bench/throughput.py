"""The whole pipeline against its own engine, fed the same requests in a plain loop: pages a second as a ratio, in one run.

`python tests/bench/throughput.py [PAGES]`. Scans that the project makes itself are read by the transformers engine with the embedded
checkpoint. Start-up (Ray, actors, loading the model) is taken out by difference: a run over 2·PAGES less a run over PAGES. The plain
loop renders nothing and writes nothing: its views are ready in memory before its clock starts, so it is the engine alone.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from jobs.synth import generate
from pipeline import cluster
from pipeline.documents.child import Child
from pipeline.documents.tiles import whole_page
from pipeline.engines.start import start
from pipeline.flow import run
from schemas.job import Job, Limits, Model, OcrTask, Render, Sink, Source
from schemas.view import Request, View

RESOLUTION, AT_ONCE, ROUNDS = 448, 16, 3
MODEL = Model(checkpoint="embedded", engine="transformers")


def main() -> None:
    """Print the pages a second of both, round by round, and the median of the ratios."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    with tempfile.TemporaryDirectory() as folder:
        paths = scans(Path(folder) / "source", 2 * count)
        requests = ready(paths[:count])
        engine = start(MODEL, RESOLUTION)
        engine.generate(requests[:AT_ONCE])  # warm
        ratios = []
        for number in range(ROUNDS):
            alone_s = timed(engine, requests)
            short_s = whole(Path(folder) / f"short-{number}", Path(folder) / "source", count)
            long_s = whole(Path(folder) / f"long-{number}", Path(folder) / "source", 2 * count)
            ratios.append(alone_s / (long_s - short_s))
            print(
                f"engine alone {count / alone_s:.1f} pages/s; pipeline {count / (long_s - short_s):.1f} pages/s "
                f"beyond a start-up of {2 * short_s - long_s:.1f} s; ratio {ratios[-1]:.2f}"
            )
        print(f"{count} pages at {RESOLUTION}: ratio {float(np.median(ratios)):.2f} (median of {ROUNDS})")


def scans(folder: Path, count: int) -> list[Path]:
    """Write that many one-page scans."""
    folder.mkdir()
    paths = []
    for seed in range(count):
        data, _ = generate("letter", seed, "scan")
        paths.append(folder / f"{seed:05d}.pdf")
        paths[-1].write_bytes(data)
    return paths


def ready(paths: list[Path]) -> list[Request]:
    """Return the very requests that the pipeline would make of these pages."""
    requests = []
    with Child(Limits()) as child:
        for path in paths:
            child.open(path)
            probe = child.probe(0, text_layer=False)
            region = whole_page(probe.width_pt, probe.height_pt)
            (image,) = child.render(0, [region], RESOLUTION)
            requests.append(Request(View(path.name, 0, region, image), "ocr", 512))
    return requests


def timed(engine: object, requests: list[Request]) -> float:
    """Return how long the engine takes for the requests, as many at a time as a worker gives it."""
    began = time.monotonic()
    for at in range(0, len(requests), AT_ONCE):
        engine.generate(requests[at : at + AT_ONCE])
    return time.monotonic() - began


def whole(sink: Path, source: Path, count: int) -> float:
    """Return how long a run over the first documents takes, on a Ray of its own."""
    import ray

    from schemas.run import RunOptions

    job = Job(
        name="bench",
        source=Source(uri=str(source)),
        model=MODEL,
        render=Render(text_layer="ignore"),
        tasks=(OcrTask(type="ocr"),),
        sink=Sink(uri=str(sink)),
    )
    cluster.connect(job.workers)
    began = time.monotonic()
    summary = run(job, options=RunOptions(limit=count))
    seconds = time.monotonic() - began
    if summary.pages_ok + summary.pages_partial + summary.pages_failed + summary.pages_blank != count:
        raise RuntimeError(f"the run did not read {count} pages: {summary}")
    ray.shutdown()
    return seconds


if __name__ == "__main__":
    main()
