"""How many pages read in a grid of tiles have a line wrong, and how many are read in another order than they were written.

`python tests/bench/stitching.py 2000 31000` draws and scans twenty made-up documents of each kind from each of these seeds on. The reader
errs only where a tile's edge tears a glyph. Counts, no times; what is wrong is printed, so that it can be looked at.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from jobs.synth.document import generate
from pipeline.documents.child import Child
from pipeline.documents.order import reading_order
from pipeline.engines.reader import read as answer
from pipeline.framing import framed
from pipeline.readings import read, record
from pipeline.tasks import ocr, spot
from pipeline.tasks.base import Ask
from schemas.job import Limits, OcrTask, SpotTask
from schemas.page import Line
from schemas.truth import PageTruth
from schemas.view import Completion, Region

KINDS = ("invoice", "receipt", "letter", "form", "statement", "article")
ASKS = (ocr.ask(OcrTask(type="ocr")), spot.ask(SpotTask(type="spot")))
SEEDS = 20


def main(starts: Sequence[int]) -> None:
    """Print what is wrong, page by page, and how many pages are, by kind."""
    with tempfile.TemporaryDirectory() as folder, Child(Limits()) as child:
        for start in starts:
            wrong: Counter[str] = Counter()
            for kind in KINDS:
                for seed in range(start, start + SEEDS):
                    wrong += judged(child, Path(folder) / "a.pdf", kind, seed)
            print(f"seeds {start} to {start + SEEDS - 1}, two pages each:", dict(wrong) or "nothing wrong", flush=True)


def judged(child: Child, path: Path, kind: str, seed: int) -> Counter[str]:
    """Return what is wrong with a document's first page, drawn and scanned."""
    wrong: Counter[str] = Counter()
    for finish in ("pdf", "scan"):
        data, truth = generate(kind, seed, finish)
        path.write_bytes(data)
        child.open(path)
        page = truth.pages[0]
        regions = child.regions(0, "grid", 448)
        for ask in ASKS:
            found, true = Counter(words_of(lines_of(page, framed(regions, [ask], 448), ask))), Counter(words_of(page.lines))
            if found != true:
                wrong[f"{kind} {ask.key}"] += 1
                print(f"{kind} {seed} {finish} {ask.key}: lost {[*(true - found)]}, too many {[*(found - true)]}", flush=True)
        boxes = [line.box for line in page.lines if line.box]
        wrong[f"{kind} order"] += finish == "pdf" and reading_order(boxes) != [*range(len(boxes))]
    return +wrong


def lines_of(page: PageTruth, regions: Sequence[Region], ask: Ask) -> Sequence[Line]:
    """Return the page's lines as a run would put them together."""
    said = [
        Completion(answer(page, region.affine, ask.key, torn=True, frame=region.frame) or "", (), (), "stop")
        for region in regions
    ]
    return read(ask, [record(ask, region, 0, each) for region, each in zip(regions, said, strict=True)]).lines


def words_of(lines: Sequence[Line]) -> list[str]:
    return [" ".join(line.text.split()) for line in lines]


if __name__ == "__main__":
    main([int(start) for start in sys.argv[1:]] or [2000])
