"""Rasterizing at 896 through the child, against a plain PyMuPDF loop: pages a second as a ratio, in one run.

`python tests/bench/rasterize.py [FOLDER]` takes the PDFs of the folder (by default the shared corpus, where there is one, and else pages
that it draws). Both read the same pages, one after another in turns, and keep what they drew only for a moment. The child is started and warm
before the clock runs; it also opens the file, tells blank pages and hands the pixels to another process, which the plain loop does not.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pymupdf

from pipeline.documents.child import Child
from pipeline.documents.tiles import whole_page
from pipeline.errors import DocumentError
from schemas.job import Limits

RESOLUTION = 896
MOST_PAGES = 10
ROUNDS = 5


def main() -> None:
    """Print the pages a second of both and their ratio, the median of a few rounds."""
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    with tempfile.TemporaryDirectory() as folder, Child(Limits()) as child:
        paths = documents(Path(folder))
        ratios = []
        plain(paths), through(child, paths)  # warm both
        for _ in range(ROUNDS):
            plain_pages, plain_s = timed(lambda: plain(paths))
            pages, seconds = timed(lambda: through(child, paths))
            ratios.append((pages / seconds) / (plain_pages / plain_s))
            print(f"plain {plain_pages / plain_s:.1f} pages/s, through the child {pages / seconds:.1f}, ratio {ratios[-1]:.2f}")
    print(f"{len(paths)} documents, {pages} pages at {RESOLUTION}: ratio {statistics.median(ratios):.2f} (median of {ROUNDS})")


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


def plain(paths: list[Path]) -> int:
    """Draw the pages as a script would; return how many there were."""
    pages = 0
    for path in paths:
        with pymupdf.open(path) as document:
            for page in document.pages(0, min(document.page_count, MOST_PAGES)):
                matrix = pymupdf.Matrix(RESOLUTION / page.rect.width, RESOLUTION / page.rect.height)
                pages += len(page.get_pixmap(matrix=matrix).samples) > 0
    return pages


def through(child: Child, paths: list[Path]) -> int:
    """Draw the pages as the worker step does; return how many there were."""
    pages = 0
    for path in paths:
        try:
            count = min(child.open(path).page_count, MOST_PAGES)
        except DocumentError:
            continue
        for index in range(count):
            probe = child.probe(index, text_layer=False)
            pages += len(child.render(index, [whole_page(probe.width_pt, probe.height_pt)], RESOLUTION))
    return pages


def timed(action: Callable[[], int]) -> tuple[int, float]:
    """Return how many pages it read, and the seconds that took."""
    start = time.perf_counter()
    pages = action()
    return pages, time.perf_counter() - start


if __name__ == "__main__":
    main()
