"""Resident memory of the driver and of the workers while a run goes over 5,000 pages: flat after the first 500 is the aim.

`python tests/bench/memory.py [PAGES]`. Pages the project makes itself, rendered at 448 for the scripted engine, which holds no model:
what grows is ours. Prints megabytes at every tenth of the way, and the last over the first of them.
"""

import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from jobs.synth import generate
from pipeline.flow import run
from pipeline.progress import Silent
from schemas.job import Job, Model, OcrTask, Render, Sink, Source

SEEDS = 40


@dataclass
class Watch(Silent):
    """Notes the memory in use each time another tenth of the pages is committed."""

    total: int
    done: int = 0
    noted: list[tuple[int, float, float]] = field(default_factory=list)

    def committed(self, pages: int, rejects: int, documents: int) -> None:
        del rejects, documents
        self.done += pages
        if self.done >= (len(self.noted) + 1) * self.total // 10:
            self.noted.append((self.done, resident_mb("self"), sum(resident_mb(pid) for pid in workers())))
            print("{} pages: driver {:.0f} MB, workers and their children {:.0f} MB".format(*self.noted[-1]), flush=True)


def main() -> None:
    """Run over the pages and print the memory on the way."""
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "source", pages)
        job = Job(
            name="memory",
            source=Source(uri=f"{folder}/source"),
            model=Model(engine="scripted"),
            render=Render(text_layer="ignore"),
            tasks=(OcrTask(type="ocr"),),
            sink=Sink(uri=f"{folder}/sink"),
        )
        watch = Watch(pages)
        summary = run(job, progress=watch)
    (_, driver, workers_mb), (_, driver_end, workers_end) = watch.noted[0], watch.noted[-1]
    print(
        f"{summary.pages_selected} pages: driver {driver_end / driver:.2f}, workers {workers_end / workers_mb:.2f} times the first tenth's"
    )


def write(folder: Path, pages: int) -> None:
    """Write that many documents of a page each, no two of the same bytes."""
    folder.mkdir()
    drawn = [generate("text", seed)[0] for seed in range(SEEDS)]
    for number in range(pages):
        (folder / f"{number:06d}.pdf").write_bytes(drawn[number % SEEDS] + f"\n% {number}\n".encode())


def workers() -> list[str]:
    """Return the processes of Ray's actors and of the readers that they started."""
    mine = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                title = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
            except OSError:
                continue
            if title.startswith(b"ray::") or b"pipeline.documents.reader" in title:
                mine.append(entry.name)
    return mine


def resident_mb(pid: str) -> float:
    """Return a process's resident memory, or 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)


if __name__ == "__main__":
    main()
