"""Sinks with rows of our own making over documents that are really there, and a browser to look at their reports with."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pymupdf
import pytest

from pipeline.ledger import Ledger
from pipeline.places import Places
from pipeline.publish import publish
from pipeline.runs import Runs
from pipeline.settle import WITNESS, Rows
from pipeline.staging import Part
from pipeline.storage import open_store
from pipeline.witness import agreement
from schemas.box import Box, LabelledBox
from schemas.field import FieldRow
from schemas.job import Job, Limits, Sink, Source
from schemas.page import CompletionRecord, Failure, Line, PageRow
from schemas.run import RunOptions, RunRecord, RunSummary
from schemas.source import Inspected, identity, page_identity
from schemas.table import Cell, Table
from schemas.unit import Origin, Tally, Unit

RUN, NOW = "20260301T120000-abcdef", datetime(2026, 3, 1, 12, tzinfo=UTC)
FETCH = Failure(
    stage="fetch",
    code="unreachable",
    message="https://bucket.example/k?X-Amz-Signature=0123456789abcdef said no to AKIAABCDEFGHIJKLMNOP",
)


def page_row(source: str, index: int = 0, **more: object) -> PageRow:
    """Return a page of a source, 200 points square."""
    given: dict[str, object] = {"width_pt": 200.0, "height_pt": 200.0, "rotation": 0, "status": "ok", "text": "", **more}
    return PageRow(
        page_id=page_identity(source, index),
        source_id=source,
        document_id="d",
        source_uri="u",
        page_index=index,
        seconds=0.5,
        job_name="job",
        run_id=RUN,
        processed_at=NOW + timedelta(seconds=30),
        **given,
    )


def field_row(page: PageRow, name: str, **more: object) -> FieldRow:
    """Return a field of a page."""
    return FieldRow(
        field_id=identity(page.page_id, name),
        page_id=page.page_id,
        source_id=page.source_id,
        source_uri=page.source_uri,
        page_index=page.page_index,
        name=name,
        question=f"what is the {name}?",
        task_fingerprint="t",
        run_id=RUN,
        processed_at=NOW,
        **{"status": "ok", **more},
    )


def rich_page(source: str) -> Rows:
    """Return a page with one of everything."""
    page = page_row(
        source,
        text="Invoice 17\nTotal 40.00",
        text_source="model",
        agreement=agreement("Invoice 17 Total 40.00", "Invoice 17 Total 40.99"),
        lines=(
            Line(text="Invoice 17", box=_box(20, 30, 90, 44), confidence=0.97),
            Line(text="Total 40.00", box=_box(20, 50, 100, 64)),
        ),
        boxes=(LabelledBox(label="stamp", box=_box(120, 120, 180, 180), confidence=0.8),),
        tables=(
            Table(
                table_index=0,
                n_rows=1,
                n_cols=2,
                box=_box(20, 80, 180, 110),
                html="",
                cells=(
                    Cell(row_index=0, col_index=0, text="Total", box=_box(20, 80, 100, 110)),
                    Cell(row_index=0, col_index=1, text="40.00", box=_box(100, 80, 180, 110)),
                ),
            ),
        ),
        completions=(
            CompletionRecord(
                task="ocr",
                prompt="ocr",
                view="page",
                affine=(200, 0, 0, 200, 0, 0),
                rung=0,
                raw="…",
                finish_reason="stop",
                tokens=9,
                mean_logprob=-0.1,
            ),
            CompletionRecord(
                task=WITNESS,
                prompt="",
                view="page",
                affine=(),
                rung=0,
                raw="Invoice 17 Total 40.99",
                finish_reason="stop",
                tokens=0,
            ),
        ),
        engine="made up",
    )
    total = field_row(
        page,
        "total",
        value_text="40.00",
        value_number=Decimal("40.00"),
        currency="EUR",
        confidence=0.91,
        box=_box(60, 50, 100, 64),
        box_source="spot",
        value_source="model",
    )
    due = field_row(page, "due", status="invalid", reason="not_a_date: '99/99' is no day", value_text="99/99")
    return Rows(page, (total, due))


@dataclass
class Shelf:
    """A sink in the making: documents with rows that are said, not read."""

    folder: Path

    @property
    def sink(self) -> str:
        return str(self.folder / "out")

    def pdf(self, name: str, *pages: str) -> Path:
        """Put a PDF there whose pages say these words."""
        path = self.folder / "in" / name
        path.parent.mkdir(exist_ok=True)
        with pymupdf.open() as document:
            for words in pages:
                document.new_page(width=200, height=200).insert_text((20, 40), words, fontsize=12)
            document.save(path)
        return path

    def fill(self, documents: Sequence[tuple[str, Callable[[str], list[Rows]] | Failure]]) -> str:
        """Commit and publish documents by their uris, each with its rows or with why it could not be opened; return the sink."""
        store, places = open_store(self.sink), Places(self.sink)
        with Ledger(store, places, RUN) as ledger:
            parts = []
            for uri, rows in documents:
                version = store.stat(uri).version if Path(uri).exists() else "1"
                source = identity(uri, version)
                pages = [] if isinstance(rows, Failure) else rows(source)
                lost = (rows,) if isinstance(rows, Failure) else ()
                known = Inspected(
                    source_id=source,
                    uri=uri,
                    version=version,
                    size_bytes=10,
                    document_id=source,
                    media_type="application/pdf",
                    page_count=None if lost else len(pages),
                    failures=lost,
                    job_name="job",
                    run_id=RUN,
                    recorded_at=NOW,
                )
                ledger.record_sources([known])
                if pages:
                    parts.append(self._part(known, pages))
            if parts:
                ledger.commit(parts, job_name="job", at=NOW)
            publish(ledger, store, places, RUN)
        self._log(Runs(store, places))
        return self.sink

    def _part(self, known: Inspected, pages: list[Rows]) -> object:
        origin = Origin(source_id=known.source_id, uri=known.uri, version=known.version, size_bytes=known.size_bytes)
        unit = Unit(
            document_id=known.source_id, media_type="application/pdf", origins=(origin,), first_page=0, n_pages=len(pages)
        )
        part = Part(open_store(self.sink), Places(self.sink), RUN, [unit])
        for each in pages:
            page = each.page.model_copy(update={"source_uri": known.uri})
            fields = tuple(field.model_copy(update={"source_uri": known.uri}) for field in each.fields)
            part.add(unit, origin, Rows(page, fields), tasks=("t",), jobs=("job",))
        return part.stage(Tally(), "made up", NOW)

    def _log(self, runs: Runs) -> None:
        job = Job(name="job", source=Source(uri="in"), sink=Sink(uri=self.sink), limits=Limits(seconds_per_page=120))
        runs.begin(RunRecord(run_id=RUN, job=job, options=RunOptions(), started_at=NOW, pagemill_version="test"))
        counts = {name: 0 for name, info in RunSummary.model_fields.items() if info.is_required() and info.annotation is int}
        runs.end(
            RunSummary(
                run_id=RUN,
                job_name="job",
                sink_uri=self.sink,
                started_at=NOW,
                ended_at=NOW + timedelta(minutes=1),
                max_reject_rate=0,
                engine="made up",
                **counts,
            )
        )


def _box(x0: float, y0: float, x1: float, y1: float) -> Box:
    return Box(x0=x0, y0=y0, x1=x1, y1=y1)


@pytest.fixture
def shelf(tmp_path) -> Shelf:
    """Return a sink in the making."""
    return Shelf(tmp_path)


@pytest.fixture
def make() -> Callable[..., object]:
    """Return the makers of rows: page_row, field_row and rich_page, by name."""
    return lambda name, *arguments, **more: {"page": page_row, "field": field_row, "rich": rich_page}[name](*arguments, **more)


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> str:
    """Return a sink of one page with everything and one document that could not be had."""
    shelf = Shelf(tmp_path_factory.mktemp("small"))
    path = shelf.pdf("a.pdf", "Invoice 17")
    return shelf.fill([(str(path), lambda source: [rich_page(source)]), (str(path.with_name("gone.pdf")), FETCH)])


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Return headless Chromium: the one of PAGEMILL_CHROMIUM or of this machine; without one, its tests are skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: reports are not looked at")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("PAGEMILL_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium here (apt-get install chromium, or name one in PAGEMILL_CHROMIUM): reports are not looked at")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


@pytest.fixture
def look(browser) -> Iterator[Callable[..., object]]:
    """Return a function that opens a report from disk, with no network; at the end nothing may have been said on the console."""
    wrong: list[str] = []
    contexts = []

    def open_report(index: Path, at: str = "", **settings: object) -> object:
        context = browser.new_context(offline=True, **{"viewport": {"width": 1300, "height": 900}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on(
            "request", lambda request: request.url.startswith(("file:", "data:", "blob:file:")) or wrong.append(request.url)
        )
        page.goto(f"{index.as_uri()}{at}")
        page.wait_for_selector("#main > *:not(noscript)")
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert wrong == []
