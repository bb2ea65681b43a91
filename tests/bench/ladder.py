"""The ladder against always its finest rung: how many answers are right, and for how many of the model's seconds.

`python tests/bench/ladder.py [--documents 24] [--rungs 2] [--price]`. Made-up documents are read as scans would be, by a reader who errs by seed
(pipeline.engines.scripted): the oftener the fewer pixels a point of the page has, and half as often with the larger checkpoint. The worker
that runs use climbs; pictures are left out, as that reader looks at none. A request costs what it costs the checkpoint that ships, or one of
its sizes at 896 px, as `--price` measures.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from jobs.evaluate.text import character_errors
from jobs.evaluate.values import equal
from jobs.synth import generate
from pipeline.cache import DocumentCache
from pipeline.checkpoints.architecture import EMBEDDED
from pipeline.checkpoints.build import build
from pipeline.desk import Desk
from pipeline.documents.child import Child, Opened, PageProbe, Turn
from pipeline.engines.base import Engine
from pipeline.engines.start import start
from pipeline.ladder import is_final, stages
from pipeline.listing import list_source
from pipeline.places import staged
from pipeline.storage import open_store
from pipeline.worker import Worker
from schemas.arrow import from_table
from schemas.field import FieldRow, FieldValue
from schemas.job import (
    AnswerField,
    AnswerTask,
    Confidence,
    Job,
    Limits,
    Model,
    OcrTask,
    Render,
    Rung,
    Sink,
    Source,
    Tiling,
)
from schemas.page import PageRow
from schemas.truth import DocumentTruth
from schemas.unit import Origin, Prior, Unit, UnitOutcome
from schemas.view import Affine, Region, Request, View

KINDS = ("invoice", "form", "letter")
RATE, SHARP_FROM = 0.004, 1.2
SECONDS = {448: (0.18, 0.0072), 896: (1.96, 0.0086)}
"""Of a request at a resolution: for its picture and prompt, and for each token of its answer."""
WHOLE, TILES = Rung(), Rung(tiles="whitespace")
CUTS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95)
_ABSENT = FieldValue(status="absent")


@dataclass
class Score:
    """What a way of reading came to."""

    right: int = 0
    asked: int = 0
    edits: float = 0.0
    letters: float = 0.0
    seconds: float = 0.0
    requests: list[int] = field(default_factory=lambda: [0, 0, 0])

    @property
    def fields(self) -> float:
        return self.right / self.asked

    @property
    def text(self) -> float:
        return 1.0 - self.edits / self.letters


class Unpictured(Child):
    """What reads documents, without the pictures: it says where views lie, shows white, and keeps what it worked out once."""

    def __init__(self, truths: dict[Path, DocumentTruth]) -> None:
        super().__init__(Limits())
        self._truths, self._kept = truths, dict[tuple[Path, int, str, int, Turn], list[Region]]()
        self._white = {side: np.full((side, side, 3), 255, np.uint8) for side in SECONDS}
        self._path = Path()

    def open(self, path: Path, *, passwords: Sequence[str] = ()) -> Opened:
        self._path = path
        return super().open(path, passwords=passwords)

    def probe(self, page_index: int, *, text_layer: bool, go_on: bool = True) -> PageProbe:
        del text_layer, go_on  # nothing is drawn
        page = self._truths[self._path].pages[page_index]
        return PageProbe(page_index, page.width_pt, page.height_pt, rotation=0, is_blank=False, text_layer=None)

    def regions(self, page_index: int, tiling: Tiling, resolution: int, turn_deg: Turn = 0) -> list[Region]:
        key = (self._path, page_index, tiling, resolution, turn_deg)
        if key not in self._kept:
            self._kept[key] = super().regions(page_index, tiling, resolution, turn_deg)
        return self._kept[key]

    def render(self, page_index: int, regions: Sequence[Region], resolution: int) -> list[NDArray[np.uint8]]:
        del page_index
        return [self._white[resolution]] * len(regions)


def main() -> None:
    """Print quality and seconds of each way to read, and their ratio to the finest rung's alone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=24)
    parser.add_argument("--rungs", type=int, choices=(2, 3))
    parser.add_argument("--price", action="store_true")
    options = parser.parse_args()
    if options.price:
        price()
        return
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder), options.documents)
        better = str(library.checkpoint("better", RATE / 2))
        larger = Rung(resolution=896, tiles="whitespace", checkpoint=better)
        for name, finest, ladder in (
            ("448 whole, tiles", TILES, (WHOLE, TILES)),
            ("448 whole, tiles, 896 tiles", larger, (WHOLE, TILES, larger)),
        ):
            if options.rungs not in (None, len(ladder)):
                continue
            alone = library.read((finest,), 0.0)
            print(f"\n{name}\n{'settle':>8} {'fields':>8} {'text':>8} {'quality':>8} {'seconds':>8}  requests by rung")
            say("finest", alone, alone)
            for cut in CUTS:
                say(f"{cut:.2f}", library.read(ladder, cut), alone)
        library.close()


def say(name: str, score: Score, finest: Score) -> None:
    """Print one line: quality is the worse of the two ratios, of fields and of text."""
    quality, seconds = min(score.fields / finest.fields, score.text / finest.text), score.seconds / finest.seconds
    print(f"{name:>8} {score.fields:8.1%} {score.text:8.1%} {quality:8.1%} {seconds:8.0%}  {score.requests}")


class Library:
    """Made-up documents by kind, and the reader who errs."""

    def __init__(self, folder: Path, documents: int) -> None:
        self._folder, self._runs = folder, 0
        (folder / "in").mkdir()
        self.truths: dict[str, DocumentTruth] = {}
        self._paths: dict[Path, DocumentTruth] = {}
        self._kinds: dict[str, list[Unit]] = {kind: [] for kind in KINDS}
        for number in range(documents):
            self._add(KINDS[number % len(KINDS)], number)
        self._model = Model(engine="scripted", checkpoint=str(self.checkpoint("usual", RATE)))
        job = self._job("form", (WHOLE,), 0.0)
        self._desk = Desk(job, DocumentCache(open_store(job.source.uri)), (), child=Unpictured(self._paths))

    def checkpoint(self, name: str, rate: float) -> Path:
        """Return a folder of truths, and of how often they are misread."""
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        for document_id, truth in self.truths.items():
            (folder / f"{document_id}.truth.json").write_text(truth.model_dump_json())
        (folder / "scripted.json").write_text(json.dumps({"misread_rate": rate, "sharp_from": SHARP_FROM, "seed": 5}))
        return folder

    def read(self, ladder: tuple[Rung, ...], settle: float) -> Score:
        """Read all documents on a ladder, and score what was read."""
        score = Score()
        for kind, units in self._kinds.items():
            job = self._job(kind, ladder, settle)
            for page, rows in self._climb(job, units):
                self._judge(job, page, rows, score)
        return score

    def close(self) -> None:
        """End what reads documents."""
        self._desk.close()

    def _add(self, kind: str, number: int) -> None:
        data, truth = generate(kind, 7000 + number)
        path = self._folder / "in" / f"{number:04d}.pdf"
        path.write_bytes(data)
        self.truths[truth.document_id] = self._paths[path] = truth
        (listed,) = list_source(Source(uri=str(path)))
        origin = Origin(source_id=truth.document_id, uri=listed.uri, version=listed.version, size_bytes=len(data))
        pages = len(truth.pages)
        unit = Unit(document_id=truth.document_id, media_type="application/pdf", origins=(origin,), first_page=0, n_pages=pages)
        self._kinds[kind].append(unit)

    def _job(self, kind: str, ladder: tuple[Rung, ...], settle: float) -> Job:
        known = {
            each.name: AnswerField(name=each.name, question=each.question, type=each.type)
            for unit in self._kinds[kind]
            for page in self.truths[unit.document_id].pages
            for each in page.fields
            if each.type != "enum"
        }
        self._runs += 1
        return Job(
            name="ladder",
            source=Source(uri=str(self._folder / "in")),
            model=self._model,
            render=Render(text_layer="ignore", ladder=ladder),
            tasks=(OcrTask(type="ocr", max_tokens=4096), AnswerTask(type="answer", fields=tuple(known.values()))),
            confidence=Confidence(settle=settle, settle_text=settle and 0.5 + 0.45 * settle),
            sink=Sink(uri=str(self._folder / f"out-{self._runs}")),
        )

    def _climb(self, job: Job, units: Sequence[Unit]) -> Iterator[tuple[PageRow, list[FieldRow]]]:
        """Yield each page's last rows; as in a run, a later stage goes on from the rows of the one below."""
        left = list(units)
        for stage in stages(job):
            worker = Worker(job, "run", (), stage=stage.number)
            staged_parts = [(unit, worker.work([unit], self._desk)) for unit in left]
            worker.close()
            left = []
            for unit, part in staged_parts:
                pages, rows = rows_of(job, part.part_id)
                for outcome in part.outcomes:
                    if not is_final(outcome.tasks):
                        left.append(_going_on(unit, outcome, part.part_id))
                        continue
                    for index in range(outcome.first_page, outcome.first_page + outcome.n_pages):
                        yield pages[index], [row for row in rows if row.page_index == index]

    def _judge(self, job: Job, page: PageRow, rows: Sequence[FieldRow], score: Score) -> None:
        true = self.truths[page.document_id].pages[page.page_index]
        for item in page.completions:
            first_s, token_s = SECONDS[job.render.ladder[item.rung].resolution]
            score.seconds += first_s + token_s * item.tokens
            score.requests[item.rung] += 1
        edits, letters = character_errors(page.text or "", true.text)
        score.edits, score.letters = score.edits + min(edits, letters), score.letters + letters
        known = {each.name: each for each in true.fields}
        for row in rows:
            value = known[row.name].value if row.name in known else _ABSENT
            score.asked += 1
            score.right += equal(row, value, known[row.name].type if row.name in known else "string")


def rows_of(job: Job, part_id: str) -> tuple[dict[int, PageRow], list[FieldRow]]:
    """Return the rows of a staged part, pages by their index."""
    pages, rows = (
        pq.read_table(f"{job.sink.uri}/{staged(part_id, dataset)}", partitioning=None) for dataset in ("pages", "fields")
    )
    return {page.page_index: page for page in from_table(pages, PageRow)}, from_table(rows, FieldRow)


def _going_on(unit: Unit, outcome: UnitOutcome, part_id: str) -> Unit:
    """Return the unit of pages that wait for the next stage, with the rows that they have."""
    prior = Prior(pages_file=staged(part_id, "pages"), source_id=outcome.source_id, tasks=outcome.tasks, jobs=outcome.jobs)
    return unit.model_copy(update={"first_page": outcome.first_page, "n_pages": outcome.n_pages, "prior": prior})


def price() -> None:
    """Print what a request costs a checkpoint of the size of the one that ships, in CPU seconds of one thread."""
    import torch  # nothing else here needs it

    torch.set_num_threads(1)
    for side in SECONDS:
        with tempfile.TemporaryDirectory() as folder:
            engine = start(
                Model(
                    checkpoint=str(build(Path(folder), resolution=side, sizes=EMBEDDED)), engine="transformers", dtype="float32"
                ),
                side,
            )
            image = np.full((side, side, 3), 255, np.uint8)
            view = View("d", 0, Region("page", Affine(595, 0, 0, 842, 0, 0)), image)
            engine.generate([Request(view, "ocr", 1)])
            (_, short_s), (tokens, long_s) = (_cost(engine, view, tokens) for tokens in (1, 65))
            print(f"{side}: {short_s:.2f} s, and {(long_s - short_s) / (tokens - 1):.4f} s a token")
            engine.close()


def _cost(engine: Engine, view: View, tokens: int) -> tuple[int, float]:
    """Return how many tokens came, of so many at the most, and the CPU seconds that they took."""
    began = time.process_time()
    (answer,) = engine.generate([Request(replace(view, image=view.image.copy()), "ocr", tokens)])
    return len(answer.token_ids), time.process_time() - began


if __name__ == "__main__":
    main()
