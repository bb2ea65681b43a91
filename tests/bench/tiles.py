"""What dividing a page costs: CPU-ms a page of finding how it lies and of cutting it in white space.

`python tests/bench/tiles.py` draws and scans made-up pages; the process's own CPU time is counted, so other work on the machine matters little.
"""

import tempfile
import time
from pathlib import Path
from statistics import mean

from jobs.synth.document import generate
from pipeline.documents.document import open_document
from pipeline.documents.ink import darkest
from pipeline.documents.order import reading_order
from pipeline.documents.pose import find_pose
from pipeline.documents.tiles import whole_page
from pipeline.documents.whitespace import PICTURE_PX, cut, find_lines
from schemas.job import Limits

KINDS = ("invoice", "receipt", "letter", "form", "statement", "article")
SEEDS = 4


def main() -> None:
    """Print CPU-ms a page for drawn and scanned pages: the picture, the pose, the lines, their order, and the whole cut."""
    with tempfile.TemporaryDirectory() as folder:
        for finish in ("pdf", "scan"):
            rows = [
                measured(Path(folder) / "a.pdf", generate(kind, 50 + seed, finish)[0])
                for kind in KINDS
                for seed in range(SEEDS)
            ]
            means = {name: mean(row[name] for row in rows) for name in rows[0]}
            print(f"{finish} ({len(rows)} pages): " + ", ".join(f"{name} {value:.1f}" for name, value in means.items()))


def measured(path: Path, data: bytes) -> dict[str, float]:
    """Return CPU-ms of each step, and the number of tiles at 448."""
    path.write_bytes(data)
    document = open_document(path, Limits(), ())
    small = document.picture(0)
    width_pt, height_pt = document.size_pt(0)
    spent: dict[str, float] = {}

    def timed(name: str, start: float) -> float:
        now = time.process_time()
        spent[name] = 1000 * (now - start)
        return time.process_time()

    start = time.process_time()
    pose = find_pose(darkest(small), width_pt, height_pt)
    start = timed("pose ms", start)
    width_pt, height_pt = pose.upright_size_pt
    (picture,) = document.render(0, [pose.placed(whole_page(width_pt, height_pt)).affine], PICTURE_PX)
    start = timed("picture ms", start)
    lines = find_lines(picture, width_pt, height_pt)
    start = timed("lines ms", start)
    reading_order(lines)
    start = timed("order ms", start)
    tiles = cut(picture, width_pt, height_pt, 448)
    timed("lines, order and cut ms", start)
    document.close()
    return {**spent, "tiles": float(len(tiles))}


if __name__ == "__main__":
    main()
