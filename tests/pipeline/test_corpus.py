"""Real, awkward documents, from files and from S3: with text layers ignored, every page of them is accounted for."""

import os
from collections import Counter
from pathlib import Path

import pymupdf
import pytest

from pipeline import read
from pipeline.flow import run
from pipeline.storage import open_store
from pipeline.verify import verify
from schemas.job import Job, Model, OcrTask, Render, Sink, Source, Workers

CORPUS = Path(os.environ.get("PAGEMILL_SHARED", Path(__file__).parents[3] / "shared")) / "corpus" / "pdfplumber"
PASSWORD = "test"  # noqa: S105 (of a document that is there to have one)
WORKERS = Workers(cpus=2)
# Ray warns of its own settings as it reads them, and leaves files open in the process that started it.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus under {CORPUS}"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(params=["files", "s3"])
def source(request, tmp_path) -> tuple[str, str]:
    """Return where the corpus lies, and a place for a sink."""
    if request.param == "files":
        return str(CORPUS), str(tmp_path / "out")
    place = request.getfixturevalue("s3_uri")
    store = open_store(place)
    for path in sorted(CORPUS.iterdir()):
        store.write(f"{place}/in/{path.name}", path.read_bytes())
    return f"{place}/in", f"{place}/out"


@pytest.mark.usefixtures("ray_started")
def test_every_page_of_the_corpus_is_accounted_for(source, monkeypatch):
    """Each file has its row, each page that MuPDF counts in it has one, and `verify` finds the sink exact; a second run does nothing."""
    monkeypatch.setenv("CORPUS_PASSWORDS", PASSWORD)
    uri, sink = source
    job = Job(
        name="corpus",
        source=Source(uri=uri, passwords="env:CORPUS_PASSWORDS"),
        model=Model(engine="scripted"),
        render=Render(text_layer="ignore"),
        tasks=(OcrTask(type="ocr"),),
        workers=WORKERS,
        sink=Sink(uri=sink),
    )
    there = {path.name: _pages(path) for path in CORPUS.iterdir()}
    ran = run(job)
    assert (ran.left, ran.objects_inspected) == (0, len(there))
    documents = {row["source_uri"].rsplit("/", 1)[1]: row for row in read(sink, "documents").to_pylist()}
    assert {name: row["page_count"] for name, row in documents.items()} == there
    assert all(row["failures"] for row in documents.values() if row["page_count"] is None)
    pages = read(sink, "pages").to_pylist()
    counted = Counter(row["source_uri"].rsplit("/", 1)[1] for row in pages)
    assert counted == {name: count for name, count in there.items() if count}
    assert all(row["failures"] for row in pages if row["status"] in ("partial", "failed"))
    assert {row["text_source"] for row in pages if row["status"] == "ok"} == {"model"}
    shown = {
        (row["document_id"], row["page_index"]) for row in pages if row["status"] != "blank" and row["width_pt"] is not None
    }
    assert ran.tally.requests == len(shown)  # the same bytes under two names are shown once, and blank pages never
    report = verify(sink)
    assert report.is_exact, report.findings
    assert (report.documents, report.pages) == (len(there), sum(count or 0 for count in there.values()))
    assert report.pages == report.pages_ok + report.pages_blank + report.pages_partial + report.pages_failed
    again = run(job)
    assert (again.objects_known, again.pages_selected) == (len(there), 0)


def _pages(path: Path) -> int | None:
    """Return how many pages a file has, by asking MuPDF itself; None for none, or where it cannot be opened."""
    try:
        with pymupdf.open(path, filetype="pdf") as document:
            if document.needs_pass:
                document.authenticate(PASSWORD)
            return document.page_count or None
    except (RuntimeError, ValueError, OSError):
        return None
