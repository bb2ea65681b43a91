"""How work spreads over nodes: 1,000 units on 1 and on 3 simulated nodes, with an engine that sleeps instead of computing.

`python tests/bench/scaling.py [UNITS] [SECONDS]`. Nodes are raylets on this machine (ray.cluster_utils), of four CPUs each by name; since the
engine sleeps, they do not compete for its real cores except for rendering and bookkeeping. A unit is a document of one page. Throughput
is taken from the first commit to the last, so that starting workers is not in it; the whole reading is printed beside it.
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pymupdf
import ray
from ray.cluster_utils import Cluster

from pipeline import steps
from pipeline.flow import run
from pipeline.progress import Silent
from pipeline.verify import verify
from pipeline.worker import Worker
from schemas.job import Job, Model, Render, Sink, Source, Workers

CPUS_PER_NODE = 4


class Watching(Silent):
    """Notes when pages were committed, and when reading began and ended."""

    def __init__(self) -> None:
        self.commits: list[tuple[float, int]] = []
        self.phases: dict[str, float] = {}

    def phase(self, name: str) -> None:
        self.phases.setdefault(name, time.monotonic())

    def committed(self, pages: int, rejects: int, documents: int) -> None:
        del rejects, documents
        self.commits.append((time.monotonic(), pages))

    def pages_per_s(self) -> float:
        """Return the throughput between the first commit and the last."""
        (first, already), (last, _) = self.commits[0], self.commits[-1]
        return (sum(pages for _, pages in self.commits) - already) / (last - first)

    def reading_s(self) -> float:
        return self.phases["publish"] - self.phases["read"]


class Noting(Worker):
    """The worker, which also notes on which node it worked."""

    def __call__(self, units: pa.Table) -> pa.Table:
        staged = super().__call__(units)
        place = Path(self._job.source.uri).with_name("nodes")
        with (place / ray.get_runtime_context().get_node_id()).open("a") as file:
            file.write(f"{len(units)}\n")
        return staged


def main() -> None:
    """Print the throughput on one node and on three, the efficiency, and how the units spread."""
    units = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    steps.Worker = Noting
    one, three = measured(1, units, seconds), measured(3, units, seconds)
    print(
        f"efficiency from 1 to 3 nodes: {three[0] / (3 * one[0]):.2f}; with the start of workers {one[1] / (3 * three[1]):.2f}"
    )


def measured(nodes: int, units: int, seconds: float) -> tuple[float, float]:
    """Read the units on so many nodes; return units a second, and the seconds that reading took in all."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        for _ in range(nodes):
            cluster.add_node(num_cpus=CPUS_PER_NODE, object_store_memory=100_000_000)
        ray.init(address=cluster.address, log_to_driver=False)
        with tempfile.TemporaryDirectory() as folder:
            return _measured(Path(folder), nodes, units, seconds)
    finally:
        ray.shutdown()
        cluster.shutdown()


def _measured(folder: Path, nodes: int, units: int, seconds: float) -> tuple[float, float]:
    watching, job = Watching(), _job(folder, nodes, units, seconds)
    summary = run(job, progress=watching)
    if summary.exit_code or summary.pages_ok != units or not verify(job.sink.uri).is_exact:
        raise RuntimeError(f"the run is not what it should be: {summary}")
    spread = Counter({path.name: sum(map(int, path.read_text().split())) for path in (folder / "nodes").iterdir()})
    shares = ", ".join(f"{count / units:.1%}" for _, count in spread.most_common())
    print(
        f"{nodes} nodes: {watching.pages_per_s():.2f} units/s of {nodes * CPUS_PER_NODE / seconds:.2f} possible; "
        f"reading took {watching.reading_s():.1f} s in all; shares {shares}",
        flush=True,
    )
    return watching.pages_per_s(), watching.reading_s()


def _job(folder: Path, nodes: int, units: int, seconds: float) -> Job:
    for name in ("in", "truth", "nodes"):
        (folder / name).mkdir()
    (folder / "truth" / "scripted.json").write_text(f'{{"seconds_per_request": {seconds}}}')
    for number in range(units):
        with pymupdf.open() as document:
            document.new_page(width=200, height=200).insert_text((20, 40), f"unit {number}")
            document.save(folder / "in" / f"{number:05}.pdf")
    return Job(
        name="scaling",
        source=Source(uri=str(folder / "in")),
        model=Model(engine="scripted", checkpoint=str(folder / "truth")),
        render=Render(text_layer="ignore"),
        workers=Workers(cpus=nodes * CPUS_PER_NODE),
        sink=Sink(uri=str(folder / "out")),
    )


if __name__ == "__main__":
    main()
