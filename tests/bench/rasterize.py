"""Rasterizing at 896 through the child, against a plain PyMuPDF loop: as a ratio, by the clock and by CPU time, in one run.

`python tests/bench/rasterize.py [FOLDER]` takes the PDFs of the folder (by default the shared corpus, where there is one, and else pages
that it draws). Both read each document in turns, so that a machine's load is the same for both, and keep what they drew only for a moment.
The child is started and warm before the clock runs; it also tells blank pages, looks how scans lie and hands the pixels to another process, which the
plain loop does not. By the clock, the child and its parent may work at once; CPU time counts both.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pymupdf
from cputime import below, cpu_s

from pipeline.documents.child import Child
from pipeline.documents.tiles import whole_page
from schemas.job import Limits

RESOLUTION = 896
MOST_PAGES = 10
ROUNDS = 5


@dataclass(slots=True)
class Side:
    """What one side has taken so far, in seconds."""

    pages: int = 0
    clock_s: float = 0.0
    cpu_s: float = 0.0

    def take(self, action: Callable[[], int]) -> None:
        """Do something that reads pages, in this process and perhaps in another."""
        clock_s, cpu_s = time.perf_counter(), time.process_time()
        self.pages += action()
        self.clock_s += time.perf_counter() - clock_s
        self.cpu_s += time.process_time() - cpu_s

    def ms(self, seconds: float) -> float:
        """Return so many seconds as milliseconds a page."""
        return 1000 * seconds / self.pages


def main() -> None:
    """Print what a page takes on both sides, and the ratios: medians of a few rounds."""
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    with tempfile.TemporaryDirectory() as folder, Child(Limits()) as child:
        paths = documents(Path(folder))
        one_round(child, paths[:10])  # warm both
        by_clock, by_cpu = [], []
        for _ in range(ROUNDS):
            one, other, reader_s = one_round(child, paths)
            by_clock.append(one.ms(one.clock_s) / other.ms(other.clock_s))
            by_cpu.append(one.ms(one.cpu_s) / other.ms(other.cpu_s + reader_s))
            print(
                f"a page: plain {one.ms(one.clock_s):.1f} ms, {one.ms(one.cpu_s):.1f} of CPU; through the child {other.ms(other.clock_s):.1f} ms, "
                f"{other.ms(reader_s):.1f} of CPU and {other.ms(other.cpu_s):.1f} in the parent; ratio {by_clock[-1]:.2f} by the clock, "
                f"{by_cpu[-1]:.2f} by CPU time; load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    print(
        f"{len(paths)} documents, {other.pages} pages at {RESOLUTION}: ratio {statistics.median(by_clock):.2f} by the clock, "
        f"{statistics.median(by_cpu):.2f} by CPU time (medians of {ROUNDS}; aim 0.8)"
    )


def one_round(child: Child, paths: list[Path]) -> tuple[Side, Side, float]:
    """Read all documents in turns; return both sides, and the CPU seconds of the child."""
    one, other = Side(), Side()
    before_s = readers_s()
    for path in paths:
        one.take(partial(plain, path))
        other.take(partial(through, child, path))
    return one, other, readers_s() - before_s


def readers_s() -> float:
    """Return the CPU seconds of the processes that this one has started."""
    return sum(cpu_s(pid) for pid in below(os.getpid())[1:])


def documents(folder: Path) -> list[Path]:
    """Return the PDFs to read that open without a password."""
    shared = Path(os.environ.get("PAGEMILL_SHARED", Path(__file__).parents[3] / "shared")) / "corpus"
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else shared
    found = sorted(source.rglob("*.pdf")) if source.exists() else [drawn(folder / f"{number}.pdf") for number in range(10)]
    return [path for path in found if path.stat().st_size and not pymupdf.open(path).needs_pass]


def drawn(path: Path) -> Path:
    """Draw ten pages of text."""
    with pymupdf.open() as document:
        for number in range(10):
            page = document.new_page()
            for row in range(50):
                page.insert_text(
                    (60, 60 + 14 * row), f"Page {number}, line {row}: the quick brown fox jumps over the lazy dog.", fontsize=10
                )
        document.save(path)
    return path


def plain(path: Path) -> int:
    """Draw a document's pages as a script would; return how many there were."""
    pages = 0
    with pymupdf.open(path) as document:
        for page in document.pages(0, min(document.page_count, MOST_PAGES)):
            matrix = pymupdf.Matrix(RESOLUTION / page.rect.width, RESOLUTION / page.rect.height)
            pages += len(page.get_pixmap(matrix=matrix).samples) > 0
    return pages


def through(child: Child, path: Path) -> int:
    """Draw a document's pages as the worker step does; return how many there were."""
    pages = min(child.open(path).page_count, MOST_PAGES)
    for index in range(pages):
        probe = child.probe(index, text_layer=False, go_on=index + 1 < pages)
        child.render(index, [whole_page(probe.width_pt, probe.height_pt)], RESOLUTION)
    return pages


if __name__ == "__main__":
    main()
