"""The machine in one process: what flow.py does with Ray, step by step and at test speed, and made-up histories without any document.

Its sinks are plain Parquet or Iceberg tables, so that the same tests run over both (the marker `formats`).
"""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pymupdf
import pytest
from PIL import Image, ImageDraw
from pyiceberg.catalog import load_catalog

from pipeline.cache import DocumentCache
from pipeline.commit import Commits
from pipeline.conclude import UNJUDGED, rules_of
from pipeline.confidence import of_job
from pipeline.desk import Desk
from pipeline.documents.child import Child
from pipeline.format import settle_format
from pipeline.inspection import Findings, Inspector, forget
from pipeline.ladder import stages, waiting
from pipeline.ledger import Ledger
from pipeline.listing import list_source, write_manifest
from pipeline.places import Places
from pipeline.progress import Silent
from pipeline.publish import publish, sweep
from pipeline.questions import Question, questions
from pipeline.reader import read
from pipeline.readings import record
from pipeline.redecode import Redecoder
from pipeline.runs import Runs
from pipeline.selection import (
    Selected,
    gone,
    load_manifest,
    select,
    select_climbing,
    select_kept,
    select_pages,
    select_unjudged,
    to_inspect,
    units,
)
from pipeline.serving import Serving
from pipeline.settle import Answered, Circumstances, PageFacts, rows
from pipeline.staging import Part
from pipeline.storage import Store, open_store
from pipeline.verify import verify
from pipeline.where import pages_where
from pipeline.whole import parts as concluded_parts
from pipeline.worker import Worker
from schemas.arrow import from_table
from schemas.job import AnswerField, AnswerTask, Catalog, Job, Model, OcrTask, Render, Sink, Source, Task
from schemas.page import Line
from schemas.run import RunOptions, RunRecord, RunSummary, VerifyReport
from schemas.source import Inspected, identity
from schemas.unit import Origin, StagedPart, Tally, Unit
from schemas.view import Affine, Completion, Region, Request

OCR = OcrTask(type="ocr")
Format = Literal["parquet", "iceberg"]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = ("list", "inspect", "select", "read", "commit", "publish")


class Stopped(BaseException):
    """The process ends here: nothing that follows happens, and nothing is tidied up."""


def answer(*names: str) -> AnswerTask:
    """Return an answer task with a question for each name."""
    return AnswerTask(type="answer", fields=tuple(AnswerField(name=name, question=f"what is the {name}?") for name in names))


@cache
def pdf(*pages: str, side_pt: int = 200) -> bytes:
    """Return a PDF whose pages say these words; a page that says nothing is blank. The same words are the same bytes."""
    with pymupdf.open() as document:
        for words in pages:
            page = document.new_page(width=side_pt, height=side_pt)
            for number, line in enumerate(words.splitlines()):
                page.insert_text((20, 40 + 20 * number), line, fontsize=12)
        return document.tobytes()


def tiff(*pages: str) -> bytes:
    """Return a TIFF whose frames show these words."""
    frames = [Image.new("L", (200, 200), 255) for _ in pages]
    for frame, words in zip(frames, pages, strict=True):
        ImageDraw.Draw(frame).multiline_text((20, 20), words, fill=0)
    file = BytesIO()
    frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:])
    return file.getvalue()


@dataclass
class Ran:
    """What one run did."""

    run_id: str
    listed: int = 0
    deleted: int = 0
    selected: Selected = field(default_factory=lambda: Selected(0, 0))
    findings: Findings | None = None
    commits: Commits | None = None

    @property
    def inspected(self) -> int:
        return self.findings.inspected if self.findings else 0

    @property
    def requests(self) -> int:
        return self.commits.tally.requests if self.commits else 0

    @property
    def pages(self) -> int:
        return sum(self.commits.pages.values()) if self.commits else 0

    @property
    def left(self) -> list[str]:
        """Return the codes of what was left."""
        return [
            *(failure.code for failure in (self.findings.left if self.findings else ())),
            *(left.failure.code for left in (self.commits.left if self.commits else ())),
        ]


class Mill:
    """A source folder, a sink, and the machine between them, all in this process."""

    def __init__(
        self, folder: Path, children: tuple[Child, Child], sink_uri: str | None = None, sink_format: Format = "parquet"
    ) -> None:
        self.source, self.sink = folder / "in", Sink(uri=sink_uri or str(folder / "out"), format=sink_format)
        self.sink_uri = self.sink.uri
        self.source.mkdir(exist_ok=True)
        self.inspecting, self.reading = children
        self.store, self.places = open_store(self.sink_uri), Places(self.sink_uri)
        settle_format(self.store, self.places, self.sink)
        self._runs = 0

    def job(self, *tasks: Task, name: str = "mill", **changes: object) -> Job:
        """Return a job that asks the scripted engine, of views and not of text layers unless told otherwise."""
        whole: dict[str, object] = {
            "model": Model(engine="scripted"),
            "render": Render(text_layer="ignore"),
            "source": Source(uri=str(self.source)),
            **changes,
        }
        return Job(name=name, tasks=tasks or (OCR,), sink=self.sink, **whole)

    def put(self, name: str, data: bytes) -> str:
        """Put an object there, with a version of its own even if the clock stands still, and return its uri."""
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return str(path)

    def run(
        self,
        job: Job | None = None,
        *,
        backfill: bool = False,
        until: str = "publish",
        store: Store | None = None,
        serving: Callable[[Job], Serving] | None = None,
        before_reading: Callable[[], object] = lambda: None,
        units_per_part: int = 2,
        parts: int | None = None,
        until_stage: int | None = None,
    ) -> Ran:
        """Run a job up to and including a step of STEPS, or until so many parts are committed, as a process would that is then killed."""
        job = job or self.job()
        steps = STEPS[: STEPS.index(until) + 1]
        self._runs += 1
        run_id = f"20260101T{self._runs:06d}-{secrets.token_hex(3)}"
        store = store or self.store
        with Ledger(store, self.places, run_id) as ledger:
            ran, runs = Ran(run_id), Runs(store, self.places)
            runs.begin(RunRecord(run_id=run_id, job=job, options=RunOptions(), started_at=NOW, pagemill_version="test"))
            earlier = runs.earlier(job, run_id)
            manifest = write_manifest(
                list_source(job.source, sink_uri=self.sink_uri), store, self.places.runs(run_id, "manifest")
            )
            ran.listed = manifest.objects
            load_manifest(ledger, store, manifest.shards)
            if "inspect" in steps:
                ran.deleted = forget(ledger, gone(ledger, job.name), run_id)
                ran.findings = self._inspect(job, ledger, run_id)
            before_reading()
            if "select" in steps:
                ledger.fold()
                marks = [question.fingerprint for question in questions(job)]
                ran.selected = select(ledger, tasks=marks, job_name=job.name, backfill=backfill)
            if "read" in steps:
                ran.commits = self._read(
                    job, ledger, run_id, serving, units_per_part, parts, until_stage, commit="commit" in steps
                )
            if "publish" in steps and parts is None:
                self._conclude(job, ledger, run_id, ran.commits)
            if "publish" in steps and parts is None:
                publish(ledger, store, self.places, run_id)
                sweep(ledger, store, self.places, {run_id, *earlier.ended}, earlier.killed)
                for each in earlier.killed:
                    runs.bury(each)
                runs.end(_summary(run_id, job))
        return ran

    def rerun(self, job: Job, where: str, serving: Callable[[Job], Serving] | None = None) -> Ran:
        """Read the pages of which an expression holds once more."""
        ran = Ran(f"20260102T000000-{secrets.token_hex(3)}")
        with Ledger(self.store, self.places, ran.run_id) as ledger:
            ledger.reload()
            marks = [question.fingerprint for question in questions(job)]
            pages = pages_where(self.sink_uri, where)
            ran.selected = select_pages(ledger, pages, tasks=marks, job_name=job.name, run_id=ran.run_id)
            ran.commits = self._read(job, ledger, ran.run_id, serving, 2, None, None, commit=True)
            self._conclude(job, ledger, ran.run_id, ran.commits)
            publish(ledger, self.store, self.places, ran.run_id)
        return ran

    def redecode(self, job: Job) -> Ran:
        """Make all rows of the job anew from the completions that they keep."""
        ran = Ran(f"20260103T000000-{secrets.token_hex(3)}")
        with Ledger(self.store, self.places, ran.run_id) as ledger:
            ledger.reload()
            ran.selected = select_kept(ledger, job_name=job.name, run_id=ran.run_id)
            worker = Redecoder(job, ran.run_id, ())
            for batch in [*units(ledger)]:
                for text in worker(pa.Table.from_batches([batch]))["staged"].to_pylist():
                    part = StagedPart.model_validate_json(text)
                    ledger.commit([part], job_name=job.name, at=part.processed_at)
            self._conclude(job, ledger, ran.run_id)
            publish(ledger, self.store, self.places, ran.run_id)
        return ran

    def compact(self) -> None:
        run_id = f"compact-{secrets.token_hex(3)}"
        with Ledger(self.store, self.places, run_id) as ledger:
            publish(ledger, self.store, self.places, run_id, compact=True)

    def verify(self) -> VerifyReport:
        return verify(self.sink_uri)

    def rows(self, dataset: str = "pages") -> list[dict[str, object]]:
        """Return a dataset as a plain glob finds it, sorted, and make sure that `read` says the same."""
        found = glob(self.sink_uri, dataset)
        assert _sorted(read(self.sink_uri, dataset).to_pylist()) == found
        return found

    def values(self, dataset: str = "pages") -> list[dict[str, object]]:
        """Return a dataset without what differs from run to run."""
        return [without_circumstances(row) for row in self.rows(dataset)]

    def page(self, name: str, page_index: int = 0) -> dict[str, object]:
        """Return the one row of a page of an object."""
        (row,) = [r for r in self.rows() if r["source_uri"] == str(self.source / name) and r["page_index"] == page_index]
        return row

    def field(self, name: str, field_name: str, page_index: int = 0) -> dict[str, object]:
        uri = str(self.source / name)
        (row,) = [
            r for r in self.rows("fields") if (r["source_uri"], r["page_index"], r["name"]) == (uri, page_index, field_name)
        ]
        return row

    def document(self, name: str) -> dict[str, object]:
        """Return the one row of documents/ that stands for an object (superseded versions have rows of their own)."""
        uri = str(self.source / name)
        (row,) = [r for r in self.rows("documents") if r["source_uri"] == uri and r["status"] != "superseded"]
        return row

    def _conclude(self, job: Job, ledger: Ledger, run_id: str, commits: Commits | None = None) -> None:
        rules = rules_of(job.tasks, of_job(job))
        commits = commits or Commits(ledger, job, Silent(), lambda: None)
        ledger.fold()
        select_unjudged(ledger, mark=UNJUDGED, job_name=job.name)
        chosen = [unit for batch in units(ledger) for unit in from_table(pa.Table.from_batches([batch]), Unit)]
        with commits:
            for part in concluded_parts(chosen if rules.are_of_documents else [], rules, self.store, self.places, run_id):
                commits.add(part)

    def _inspect(self, job: Job, ledger: Ledger, run_id: str) -> Findings:
        findings = Findings(ledger, Silent())
        inspector = Inspector(job, run_id, (), child=self.inspecting)
        with findings:
            for batch in [*to_inspect(ledger)]:  # whole: what is found is recorded meanwhile, on a slow machine
                for text in inspector(pa.Table.from_batches([batch]))["inspection"].to_pylist():
                    findings.add(text)
        return findings

    def _read(
        self,
        job: Job,
        ledger: Ledger,
        run_id: str,
        serving: Callable[[Job], Serving] | None,
        units_per_part: int,
        parts: int | None,
        until_stage: int | None,
        *,
        commit: bool,
    ) -> Commits:
        desk = Desk(job, DocumentCache(open_store(job.source.uri)), (), child=self.reading)
        commits = Commits(ledger, job, Silent(), lambda: None)
        for stage in range(len(stages(job)) if until_stage is None else until_stage):
            worker = Worker(job, run_id, (), serving=serving(job) if serving else None, stage=stage)
            if stage:
                ledger.fold()
                marks = [waiting(question.fingerprint, stage) for question in questions(job)]
                select_climbing(ledger, marks=marks, job_name=job.name)
            todo = [unit for batch in units(ledger) for unit in from_table(pa.Table.from_batches([batch]), Unit)]
            for start in list(range(0, len(todo), units_per_part))[:parts]:
                part = worker.work(todo[start : start + units_per_part], desk)
                if commit:
                    commits.add(part)
                    commits.flush()
        return commits


def glob(sink_uri: str, dataset: str) -> list[dict[str, object]]:
    """Return the rows that DuckDB finds, by a plain glob (without the partition column) or in the Iceberg table, sorted."""
    if Path(sink_uri, "catalog.db").exists():
        return _sorted(scanned(sink_uri, dataset).to_pylist())
    if not sorted(Path(sink_uri).glob(f"{dataset}/*/*.parquet")):
        return []
    found = duckdb.sql(
        f"SELECT * EXCLUDE (processed_date) FROM read_parquet('{sink_uri}/{dataset}/*/*.parquet', hive_partitioning = true)"
    )
    return _sorted(found.to_arrow_table().to_pylist())


def scanned(sink_uri: str, dataset: str) -> pa.Table:
    """Return an Iceberg table's rows as any reader finds it in the SQLite catalog, knowing nothing of Pagemill; through DuckDB."""
    with load_catalog("pagemill", type="sql", uri=f"sqlite:///{sink_uri}/catalog.db") as catalog:
        scan = catalog.load_table(("pagemill", dataset)).scan()
        return scan.to_duckdb("rows").sql("SELECT * FROM rows").to_arrow_table()


def shown_files(sink_uri: str, dataset: str) -> list[Path]:
    """Return the files in which readers find a dataset's rows, sorted: those of a plain glob, or of the Iceberg table's last snapshot."""
    if not Path(sink_uri, "catalog.db").exists():
        return sorted(Path(sink_uri).glob(f"{dataset}/*/*.parquet"))
    with load_catalog("pagemill", type="sql", uri=f"sqlite:///{sink_uri}/catalog.db") as catalog:
        tasks = catalog.load_table(("pagemill", dataset)).scan().plan_files()
        return sorted(Path(task.file.file_path.removeprefix("file://")) for task in tasks)


def _summary(run_id: str, job: Job) -> RunSummary:
    """Return a summary that says nothing but that the run has ended."""
    counts = {name: 0 for name, info in RunSummary.model_fields.items() if info.is_required() and info.annotation is int}
    return RunSummary(
        run_id=run_id, job_name=job.name, sink_uri=job.sink.uri, started_at=NOW, ended_at=NOW, max_reject_rate=0, **counts
    )


def without_circumstances(row: dict[str, object]) -> dict[str, object]:
    """Return a row without what differs between two runs that did the same."""
    return {key: value for key, value in row.items() if key not in {"run_id", "processed_at", "seconds"}}


def _sorted(found: list[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(
        found, key=lambda row: (row["source_uri"], row["source_id"], row.get("page_index") or 0, row.get("name") or "")
    )


def files(sink_uri: str, *folders: str) -> dict[str, bytes]:
    """Return every file of the sink, or of folders in it, by its name there."""
    root = Path(sink_uri)
    roots = [root / folder for folder in folders] or [root]
    return {
        str(path.relative_to(root)): path.read_bytes() for each in roots for path in sorted(each.rglob("*")) if path.is_file()
    }


def bury(sink_uri: str) -> None:
    """Let the process whose signs of life lie about have ended, as one that was stopped has: this one, which played its part, lives on."""
    for path in Path(sink_uri).glob("_pagemill/claims/**/*.sign"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "process_started": 0}))


class Faltering:
    """A store that stops the process at its n-th write or removal, before or after doing it."""

    def __init__(self, store: Store, steps: int, *, after: bool = False) -> None:
        self._store, self._steps, self._after = store, steps, after
        self.taken = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def write(self, uri: str, data: bytes) -> None:
        with self._step():
            self._store.write(uri, data)

    def upload(self, path: Path, uri: str) -> None:
        with self._step():
            self._store.upload(path, uri)

    def delete(self, uris: Iterable[str]) -> None:
        for uri in uris:
            with self._step():
                self._store.delete([uri])

    @contextmanager
    def _step(self) -> Iterator[None]:
        self.taken += 1
        if self.taken == self._steps and not self._after:
            raise Stopped
        yield
        if self.taken == self._steps and self._after:
            raise Stopped


@dataclass
class Book:
    """A sink whose documents are made up: histories of records without a document, a child or an engine."""

    sink_uri: str
    store: Store = field(init=False)
    places: Places = field(init=False)
    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    runs: int = 0
    format: Format = "parquet"
    catalog: Catalog | None = None

    def __post_init__(self) -> None:
        self.store, self.places = open_store(self.sink_uri), Places(self.sink_uri)
        settle_format(self.store, self.places, Sink(uri=self.sink_uri, format=self.format, catalog=self.catalog))

    def job(self, *tasks: Task) -> Job:
        return Job(
            name="book", tasks=tasks or (OCR, answer("total")), source=Source(uri="s3://b"), sink=Sink(uri=self.sink_uri)
        )

    @contextmanager
    def run(self, store: Store | None = None) -> Iterator["BookRun"]:
        """Open the ledger as a run does."""
        self.runs += 1
        run_id = f"run-{self.runs:04d}"
        with Ledger(store or self.store, self.places, run_id) as ledger:
            yield BookRun(self, ledger, run_id, store or self.store)

    def tick(self, **by: float) -> datetime:
        """Let time pass, by a second unless told otherwise, and return it."""
        self.now += timedelta(**(by or {"seconds": 1}))
        return self.now


@dataclass
class BookRun:
    """One run on a made-up sink."""

    book: Book
    ledger: Ledger
    run_id: str
    store: Store

    def inspect(
        self, name: str, version: str, pages: int | None, *, document: str | None = None, job: str = "book", **more: object
    ) -> Inspected:
        """Record a version of an object."""
        known = Inspected(
            source_id=identity(f"s3://b/{name}", version),
            uri=f"s3://b/{name}",
            version=version,
            size_bytes=10,
            document_id=document or identity(name, version),
            media_type="application/pdf",
            page_count=pages,
            job_name=job,
            run_id=self.run_id,
            recorded_at=self.book.tick(),
            **more,
        )
        self.ledger.record_sources([known])
        return known

    def stage(
        self,
        known: Inspected,
        first_page: int,
        n_pages: int,
        *,
        word: str = "",
        statuses: str | None = None,
        asked: tuple[Question, ...] = (),
        tasks: tuple[str, ...] = ("t",),
        jobs: tuple[str, ...] = ("book",),
    ) -> StagedPart:
        """Stage rows of a range of pages; each says `word` and its number."""
        origin = Origin(source_id=known.source_id, uri=known.uri, version=known.version, size_bytes=known.size_bytes)
        document_id = known.document_id or ""
        unit = Unit(
            document_id=document_id, media_type="application/pdf", origins=(origin,), first_page=first_page, n_pages=n_pages
        )
        at = self.book.tick()
        given = Circumstances("book", self.run_id, at, "hash", "made up")
        part = Part(self.store, self.book.places, self.run_id, [unit])
        for page_index, status in zip(range(first_page, first_page + n_pages), statuses or "o" * n_pages, strict=True):
            facts = PageFacts(page_index, 100.0, 100.0, 0, is_blank=status == "b", is_lost=status == "f")
            if status == "o":
                facts = facts.with_text(f"{word} {page_index}", (Line(text=f"{word} {page_index}"),), ())
            answers = [_made_up(question, f"{word} {page_index}") for question in asked]
            made = rows(facts, answers, origin, document_id, given, 0.1)
            part.add(unit, origin, made, tasks=[question.fingerprint for question in asked] or tasks, jobs=jobs)
        return part.stage(Tally(), "made up", at)

    def commit(self, *parts: StagedPart, job: str = "book", at: datetime | None = None) -> None:
        self.ledger.commit(parts, job_name=job, at=at or self.book.tick())

    def publish(self, *, compact: bool = False) -> None:
        publish(self.ledger, self.store, self.book.places, self.run_id, compact=compact)


def _made_up(question: Question, text: str) -> Answered:
    completion = Completion(text, (1,), (-0.1,), "stop")
    kept = record(question.ask, Region("page", Affine(100, 0, 0, 100, 0, 0)), 0, completion)
    return Answered(question.ask, question.fingerprint, (kept,), 448)


class TinyEngine:
    """An engine that answers what a function says of a request."""

    def __init__(self, say: Callable[[Request], Completion], resolution: int = 448) -> None:
        self._say, self._resolution = say, resolution

    @property
    def name(self) -> str:
        return "tiny 1"

    @property
    def resolution(self) -> int:
        return self._resolution

    @property
    def checkpoint_hash(self) -> str:
        return "tiny"

    def generate(self, requests: Iterable[Request]) -> list[Completion]:
        return [self._say(request) for request in requests]

    def close(self) -> None:
        self._say = _closed


def _closed(request: Request) -> Completion:
    raise AssertionError(f"a closed engine was asked {request.prompt}")


def said(text: str) -> Completion:
    """Return a whole completion."""
    return Completion(text, (5, 1), (-0.1, -0.1), "stop")


def table_of_files(sink_uri: str, dataset: str) -> list[pq.FileMetaData]:
    """Return the Parquet footers of a dataset's files."""
    return [pq.read_metadata(path) for path in sorted(Path(sink_uri).glob(f"{dataset}/*/*.parquet"))]


def interrupted_once(monkeypatch: pytest.MonkeyPatch, owner: object, step: str) -> None:
    """Let Ctrl-C come in the place of the next call of a method; those after it do what they did."""
    done, interrupts = getattr(owner, step), iter([KeyboardInterrupt])

    def interrupted(*arguments: object) -> object:
        for interrupt in interrupts:
            raise interrupt
        return done(*arguments)

    monkeypatch.setattr(owner, step, interrupted)
