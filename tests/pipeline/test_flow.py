"""The flow with Ray, end to end: on files, on S3, through Ctrl-C and through a worker that is killed."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from pipeline import read
from pipeline.errors import CheckpointError
from pipeline.flow import compact, redecode, rerun, run
from pipeline.process import children
from pipeline.progress import Silent
from pipeline.storage import open_store
from pipeline.verify import verify
from schemas.job import Job, Limits, Model, OcrTask, Render, Rung, Sink, Source, Workers

WORKERS = Workers(cpus=2)
# Ray warns of its own settings as it reads them, and leaves files open in the process that started it.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def _job(source: str, sink: str, machine, sink_format: str = "parquet", **changes) -> Job:
    whole = {
        "name": "flow",
        "source": Source(uri=source),
        "model": Model(engine="scripted"),
        "render": Render(text_layer="ignore"),
        "tasks": (OcrTask(type="ocr"), machine.answer("total")),
        "workers": WORKERS,
        "sink": Sink(uri=sink, format=sink_format),
    }
    return Job(**{**whole, **changes})


def test_a_finished_job_starts_no_ray(mill, machine):
    """A run over an unchanged source ends without Ray, and so does one over a source with nothing in it."""
    import ray

    ray.shutdown()
    empty = run(mill.job())
    assert (empty.objects_listed, empty.exit_code) == (0, 0)
    mill.put("a.pdf", machine.pdf("one", ""))
    mill.run(mill.job())
    before = machine.files(mill.sink_uri, "documents", "pages", "fields")
    summary = run(mill.job())
    assert not ray.is_initialized()
    assert (summary.objects_known, summary.pages_selected, summary.exit_code) == (1, 0, 0)
    assert machine.files(mill.sink_uri, "documents", "pages", "fields") == before


@pytest.fixture(params=["files", "s3"])
def place(request, tmp_path):
    """Return where source and sink lie."""
    return str(tmp_path) if request.param == "files" else request.getfixturevalue("s3_uri")


@pytest.mark.formats
@pytest.mark.usefixtures("ray_started")
def test_from_a_place_to_datasets(place, machine, sink_format):
    """Documents become datasets that verify finds exact; what is new, changed and deleted is seen by the next run."""
    store, source = open_store(place), f"{place}/in"
    store.write(f"{source}/a b#1.pdf", machine.pdf("one", "", "three"))
    store.write(f"{source}/copy.pdf", machine.pdf("one", "", "three"))
    store.write(f"{source}/broken.pdf", b"nothing")
    job = _job(source, f"{place}/out", machine, sink_format)
    first = run(job)
    assert (first.objects_inspected, first.documents_unreadable, first.pages_ok, first.pages_blank) == (3, 1, 4, 2)
    assert (first.left, first.fields, first.engine, first.tally.requests) == (0, 6, "scripted 1", 4)
    assert first.exit_code == 1  # one document of three cannot be read, and `accept` allows 2%
    report = verify(job.sink.uri)
    assert (report.is_exact, report.documents, report.pages) == (True, 3, 6)
    store.write(f"{source}/a b#1.pdf", machine.pdf("another"))
    store.delete([f"{source}/broken.pdf"])
    second = run(job)
    assert (second.objects_known, second.objects_inspected, second.objects_deleted, second.pages_ok) == (1, 1, 1, 1)
    assert verify(job.sink.uri).is_exact
    assert sorted(read(job.sink.uri, "documents")["status"].to_pylist()) == ["deleted", "ok", "ok", "superseded"]
    assert len(read(job.sink.uri, "pages")) == 4
    third = run(job)
    assert (third.objects_known, third.pages_selected, third.objects_deleted, third.exit_code) == (2, 0, 0, 0)


@pytest.mark.usefixtures("ray_started")
def test_a_rerun_reads_what_it_is_asked_for_and_nothing_else(mill, machine):
    """With an expression chosen pages alone; without one whatever was rejected. What could not be opened before and cannot be now is no news."""
    mill.put("a.pdf", machine.pdf("one", "two"))
    mill.put("broken.pdf", b"nothing")
    mill.put("large.pdf", large := machine.pdf("three", "four", "five" * 40))
    mill.run(mill.job(limits=Limits(bytes=len(large) - 1)))
    chosen = rerun(mill.job(workers=WORKERS), "page_index = 0")
    assert (chosen.pages_ok, chosen.documents_retried, chosen.objects_inspected, chosen.exit_code) == (1, 0, 0, 0)
    again = rerun(mill.job(workers=WORKERS))
    assert (again.documents_retried, again.documents_unreadable, again.pages_ok, again.exit_code) == (2, 1, 3, 0)
    assert (again.pages_selected, again.kind, again.where) == (3, "rerun", "status IN ('partial', 'failed')")
    assert mill.verify().is_exact


class Compacting(Silent):
    """Moves all rows of a sink, as another run may, once units are selected; keeps what it was told."""

    def __init__(self, sink_uri: str) -> None:
        self.sink_uri, self.noted = sink_uri, ""

    def selected(self, pages: int) -> None:
        del pages
        compact(self.sink_uri)

    def note(self, text: str) -> None:
        self.noted += text


@pytest.mark.slow
@pytest.mark.formats
@pytest.mark.usefixtures("ray_started")
def test_rows_that_another_run_moves_are_found_again(mill, machine):
    """Units whose rows a publication moves between selection and reading are selected anew within the run, and none is left."""
    first, second = mill.job(workers=WORKERS), mill.job(machine.answer("total"), name="second", workers=WORKERS)
    for number in range(2):  # each run's rows lie in a file of their own, which compaction merges
        mill.put(f"{number}.pdf", machine.pdf(f"document {number}"))
        mill.run(first)
    watching = Compacting(mill.sink_uri)
    added = run(second, progress=watching)
    assert "selected anew" in watching.noted
    assert (added.left, added.pages_ok, added.fields, added.exit_code) == (0, 2, 2, 0)
    mill.put("2.pdf", machine.pdf("document 2"))
    mill.run(first)
    watching = Compacting(mill.sink_uri)
    again = redecode(first, progress=watching)
    assert "selected anew" in watching.noted
    assert (again.left, again.exit_code) == (0, 0)
    assert mill.verify().is_exact
    assert [len(mill.rows(dataset)) for dataset in ("pages", "fields")] == [3, 2]


class Interrupting(Silent):
    """Presses Ctrl-C when the first pages are committed."""

    def committed(self, pages: int, rejects: int, documents: int) -> None:
        del pages, rejects, documents
        raise KeyboardInterrupt


def _slow(folder: Path, seconds: float) -> Model:
    folder.mkdir()
    (folder / "scripted.json").write_text(f'{{"seconds_per_request": {seconds}}}')
    return Model(engine="scripted", checkpoint=str(folder))


@pytest.mark.usefixtures("ray_started")
def test_ctrl_c_keeps_what_is_done(tmp_path, machine, monkeypatch):
    """Interrupted, a run publishes what is committed and says that it is not complete; the next one does the rest and no more."""
    monkeypatch.setattr("pipeline.commit.PARTS_PER_COMMIT", 1)
    source = tmp_path / "in"
    source.mkdir()
    for number in range(12):
        (source / f"{number:02}.pdf").write_bytes(machine.pdf(f"document {number}"))
    job = _job(str(source), str(tmp_path / "out"), machine, model=_slow(tmp_path / "slow", 0.05))
    first = run(job, progress=Interrupting())
    assert (first.interrupted, first.exit_code) == (True, 3)
    done = len(read(job.sink.uri))
    assert 0 < done < 12
    second = run(job)
    assert (second.objects_inspected, second.pages_selected, second.pages_ok, second.exit_code) == (0, 12 - done, 12 - done, 0)
    report = verify(job.sink.uri)
    assert (report.is_exact, report.pages) == (True, 12)
    assert machine.files(job.sink.uri, "_pagemill/staging", "_pagemill/in_flight") == {}


def _kill_a_worker(sink: Path, killed: list[int]) -> None:
    """Kill the first process of the pass that is seen at work; other programs may use Ray on this machine."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if any(path.is_file() for path in sink.glob("_pagemill/in_flight/*/*")):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    title = (folder / "cmdline").read_bytes()
                    parent = int((folder / "stat").read_bytes().rpartition(b")")[2].split()[1])
                except OSError:
                    continue
                if b"MapBatches(Worker)" in title and title.startswith(b"ray::") and parent in children():
                    os.kill(int(folder.name), signal.SIGKILL)
                    killed.append(int(folder.name))
                    return
        time.sleep(0.05)


@pytest.mark.usefixtures("ray_started")
def test_a_worker_that_is_killed_costs_no_page(tmp_path, machine):
    """A worker that dies by SIGKILL is replaced, and every page is read all the same."""
    source, sink, killed = tmp_path / "in", tmp_path / "out", []
    source.mkdir()
    for number in range(8):
        (source / f"{number}.pdf").write_bytes(machine.pdf(*(f"document {number}, page {page}" for page in range(3))))
    job = _job(str(source), str(sink), machine, model=_slow(tmp_path / "slow", 0.1))
    killer = threading.Thread(target=_kill_a_worker, args=(sink, killed))
    killer.start()
    summary = run(job)
    killer.join()
    assert killed
    assert (summary.pages_ok, summary.pages_failed, summary.exit_code) == (24, 0, 0)
    report = verify(job.sink.uri)
    assert (report.is_exact, report.pages, report.pages_ok, report.fields) == (True, 24, 24, 24)
    assert machine.files(job.sink.uri, "_pagemill/staging", "_pagemill/in_flight") == {}


@pytest.mark.usefixtures("ray_started")
def test_a_checkpoint_that_cannot_be_served_ends_the_run_and_blames_no_page(tmp_path, machine):
    """The embedded checkpoint reads 448 px: asked for 896 the run says so at once, no page is rejected, and nothing is taken for done."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pdf").write_bytes(machine.pdf("one", "two"))
    job = _job(
        str(tmp_path / "in"),
        str(tmp_path / "out"),
        machine,
        model=Model(engine="transformers"),
        render=Render(text_layer="ignore", ladder=(Rung(resolution=896),)),
    )
    with pytest.raises(CheckpointError, match="448"):
        run(job)
    assert [finding.code for finding in verify(job.sink.uri).findings] == ["pages_unread"]
    assert machine.files(job.sink.uri, "_pagemill/in_flight") == {}
