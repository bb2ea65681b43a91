"""The process that reads documents: whatever a document does to it, its caller gets an error and its neighbours are read."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from pipeline.documents.child import Child
from pipeline.documents.process import Died, Process
from pipeline.documents.sheets import SHEETS_BYTES
from pipeline.errors import DocumentError, RunError
from schemas.box import Box
from schemas.job import Limits
from schemas.view import Affine, Region

ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-I", "-B", str(Path(__file__).with_name("hostile_reader.py")), str(ROOT))
LIMITS = Limits(seconds_per_page=3, memory=500_000_000)
WHOLE = Region("page", Affine.of_box(Box(x0=0, y0=0, x1=100, y1=100)))


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with Child(LIMITS, scratch=scratch, command=COMMAND) as started:
        yield started


def document(tmp_path: Path, does: str) -> Path:
    path = tmp_path / "document"
    path.write_text(does)
    return path


def failed(info: pytest.ExceptionInfo[DocumentError]) -> tuple[str, str]:
    return info.value.stage, info.value.code


@pytest.mark.parametrize("how", ["segfault", "abort", "exit", "raise"])
def test_a_crash_is_an_error_and_the_next_page_is_read(child: Child, tmp_path: Path, how: str):
    """A page that ends the process is an error of that page; the next call opens the document again by itself."""
    child.open(document(tmp_path, f"probe {how}"))
    with pytest.raises(DocumentError) as info:
        child.probe(0, text_layer=False)
    assert failed(info) == ("render", "crashed")
    assert child.probe(1, text_layer=False).page_index == 1
    assert child.render(1, [WHOLE], 8)[0].min() == 10


def test_a_crash_on_opening_is_an_error_of_the_document(child: Child, tmp_path: Path):
    """A document that ends the process as it is opened fails in stage open, and another can be opened."""
    with pytest.raises(DocumentError) as info:
        child.open(document(tmp_path, "open segfault"))
    assert failed(info) == ("open", "crashed")
    assert "SIGSEGV" in str(info.value)
    assert child.open(document(tmp_path, "well-behaved")).page_count == 2


def test_a_page_whose_document_no_longer_opens_fails_in_stage_open(child: Child, tmp_path: Path):
    """Where the document cannot be opened again, the call for a page says so."""
    path = document(tmp_path, "probe exit")
    child.open(path)
    with pytest.raises(DocumentError):
        child.probe(0, text_layer=False)
    path.write_text("open exit")
    with pytest.raises(DocumentError) as info:
        child.probe(1, text_layer=False)
    assert failed(info) == ("open", "crashed")


@pytest.mark.parametrize("how", ["loop", "sleep"])
def test_an_endless_loop_is_ended_at_the_deadline(tmp_path: Path, how: str):
    """A page that takes longer than limits.seconds_per_page is a timeout, and the next is read."""
    with Child(Limits(seconds_per_page=2), command=COMMAND) as child:
        child.open(document(tmp_path, f"render {how}"))
        with pytest.raises(DocumentError) as info:
            child.render(0, [WHOLE], 8)
        assert failed(info) == ("render", "timeout")
        assert child.render(1, [WHOLE], 8)[0].shape == (8, 8, 3)


def test_a_memory_eater_meets_its_limit(tmp_path: Path):
    """What needs more than limits.memory is out_of_memory, and the next page is read."""
    with Child(Limits(seconds_per_page=60, memory=100_000_000), command=COMMAND) as child:
        child.open(document(tmp_path, "probe eat"))
        with pytest.raises(DocumentError) as info:
            child.probe(0, text_layer=False)
        assert failed(info) == ("render", "out_of_memory")
        assert child.probe(1, text_layer=False).page_index == 1


@pytest.mark.parametrize("busy", [False, True])
def test_somebody_elses_kill_is_not_blamed_on_the_page(tmp_path: Path, busy: bool):
    """A process that is killed once, idle or at work, is replaced, and the page is read; the kernel may have meant somebody else."""
    with Child(Limits(seconds_per_page=120), scratch=tmp_path, command=COMMAND) as child:
        child.open(document(tmp_path, "probe wait" if busy else "well-behaved"))
        (reader,) = _readers(os.getpid())

        def kill() -> None:
            os.kill(int(reader.name), signal.SIGKILL)
            (tmp_path / "go").touch()

        killer = threading.Timer(0.3, kill)
        killer.start()
        if not busy:
            killer.join()
        assert child.probe(0, text_layer=False).width_pt == 100.0
        killer.join()
        assert [each.name for each in _readers(os.getpid())] != [reader.name]
        assert child.render(1, [WHOLE], 8)[0].min() == 10


def test_what_is_killed_each_time_is_an_error(tmp_path: Path):
    """A page whose process is killed each time is out_of_memory, and the next page is read."""
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.1):
            for reader in _readers(os.getpid()):
                with suppress(ProcessLookupError):
                    os.kill(int(reader.name), signal.SIGKILL)

    with Child(Limits(seconds_per_page=120), command=COMMAND) as child:
        child.open(document(tmp_path, "probe sleep"))
        killer = threading.Thread(target=kill)
        killer.start()
        try:
            with pytest.raises(DocumentError) as info:
                child.probe(0, text_layer=False)
        finally:
            over.set()
            killer.join()
        assert info.value.code == "out_of_memory"
        assert child.probe(1, text_layer=False).page_index == 1


def test_what_a_library_prints_disturbs_nothing(child: Child, tmp_path: Path):
    """Output on both streams neither blocks the child nor is taken for its answer."""
    child.open(document(tmp_path, "probe shout"))
    assert child.probe(0, text_layer=False).width_pt == 100.0


def test_the_child_cannot_write(child: Child, tmp_path: Path):
    """A document that makes the process write a file fails, and not even the file is made."""
    child.open(document(tmp_path, "probe write"))
    with pytest.raises(DocumentError):
        child.probe(0, text_layer=False)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_child_reads_and_computes_and_nothing_else(child: Child, tmp_path: Path):
    """It changes no file, starts no program, reaches no network, signals nobody and sees no other's environment; unconfined it could."""
    there = tmp_path / "scratch" / "there"
    there.write_text("kept")
    child.open(document(tmp_path, "probe escape"))
    assert child.probe(0, text_layer=False).width_pt == 100
    assert [path.name for path in there.parent.iterdir()] == ["there"]
    assert there.read_text() == "kept"
    unconfined = subprocess.run([*COMMAND, "unconfined"], cwd=there.parent, capture_output=True, text=True, check=True)
    assert len(unconfined.stdout.splitlines()) == 19  # all but removing what was renamed and removed before


def test_the_childs_limits_hold(child: Child, tmp_path: Path):
    """It may write files of no size, leaves no core file, and has bounded memory: soft and hard limits, so that it cannot raise them."""
    child.open(document(tmp_path, "probe limits"))
    with pytest.raises(DocumentError) as info:
        child.probe(0, text_layer=False)
    file, core, memory = json.loads(str(info.value))
    assert (file, core) == ([0, 0], [0, 0])
    assert memory[0] == memory[1]
    assert LIMITS.memory < memory[0] < LIMITS.memory + 4 * 10**9


def test_frames_come_in_the_order_of_their_regions(child: Child, tmp_path: Path):
    """Views are returned one a region, in order, and stay as they are when others are rendered."""
    child.open(document(tmp_path, "well-behaved"))
    first = child.render(1, [WHOLE, WHOLE, WHOLE], 16)
    second = child.render(0, [WHOLE] * 5, 32)
    assert [int(view[0, 0, 0]) for view in first] == [10, 11, 12]
    assert [int(view[-1, -1, 2]) for view in second] == [0, 1, 2, 3, 4]
    assert all(view.dtype == np.uint8 and view.shape == (16, 16, 3) for view in first)


def test_the_next_page_is_described_before_it_is_asked_for(tmp_path: Path):
    """While the caller is busy with the views of a page, the process is at the page after it: it ends of that without being asked."""
    with Child(LIMITS, command=COMMAND) as child:
        child.open(document(tmp_path, "ahead exit"))
        child.probe(0, text_layer=False)
        child.render(0, [WHOLE], 8)
        deadline = time.monotonic() + 60
        while _readers(os.getpid()) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert _readers(os.getpid()) == []


@pytest.mark.parametrize(
    ("how", "code", "seconds"), [("segfault", "crashed", 60), ("eat", "out_of_memory", 60), ("loop", "timeout", 2)]
)
def test_only_the_page_itself_is_blamed_for_what_is_done_ahead(tmp_path: Path, how: str, code: str, seconds: float):
    """What kills the process at a page that was not asked for yet is no error of another page, nor of the next document."""
    with Child(Limits(seconds_per_page=seconds, memory=100_000_000), command=COMMAND) as child:
        for then in ("this page", "that page", "another document"):
            child.open(document(tmp_path, f"ahead {how}"))
            child.probe(0, text_layer=False)
            child.render(0, [WHOLE], 8)
            if then == "this page":
                assert child.render(0, [WHOLE, WHOLE], 8)[1].min() == 1
            elif then == "that page":
                with pytest.raises(DocumentError) as info:
                    child.probe(1, text_layer=False)
                assert failed(info) == ("render", code)
            else:
                assert child.open(document(tmp_path, "well-behaved")).page_count == 2


def test_a_page_outside_the_document_is_refused(child: Child, tmp_path: Path):
    """A page index beyond the last page is an error, not a page."""
    child.open(document(tmp_path, "well-behaved"))
    with pytest.raises(DocumentError) as info:
        child.probe(2, text_layer=False)
    assert failed(info) == ("render", "no_such_page")


def test_a_child_that_cannot_start_ends_the_run():
    """A broken installation is no document's fault."""
    with (
        Child(LIMITS, command=(sys.executable, "-c", "raise SystemExit('no such module')")) as child,
        pytest.raises(RunError) as info,
    ):
        child.open(Path("any"))
    assert "no such module" in str(info.value)


def test_the_child_inherits_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its environment is empty and it holds none of the parent's descriptors."""
    monkeypatch.setenv("SECRET_OF_THE_PARENT", "1")
    with (tmp_path / "held").open("w") as held, Child(LIMITS, command=COMMAND) as child:
        os.set_inheritable(held.fileno(), True)
        child.open(document(tmp_path, "well-behaved"))
        (process,) = _readers(os.getpid())
        assert b"SECRET_OF_THE_PARENT" not in (process / "environ").read_bytes()
        assert tmp_path / "held" not in [entry.readlink() for entry in (process / "fd").iterdir()]


def test_closing_ends_the_process(tmp_path: Path):
    """Nothing is left after close, not even a zombie."""
    child = Child(LIMITS, command=COMMAND)
    child.open(document(tmp_path, "well-behaved"))
    assert len(_readers(os.getpid())) == 1
    child.close()
    assert _readers(os.getpid()) == []


def test_nothing_stays_when_the_parent_is_killed(tmp_path: Path):
    """SIGKILL of the parent takes a child along that is in an endless loop; shared memory has no name that could stay."""
    path = document(tmp_path, "probe loop")
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path; from pipeline.documents.child import Child; from schemas.job import Limits\n"
        f"child = Child(Limits(seconds_per_page=600), command={COMMAND!r})\n"
        f"child.open(Path({str(path)!r})); print('open', flush=True); child.probe(0, text_layer=False)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"open\n"
        (reader,) = _readers(parent.pid)
        assert "memfd:" in str([entry.readlink() for entry in (reader / "fd").iterdir()])
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while _runs(reader) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(reader)


def _readers(parent_pid: int) -> list[Path]:
    """Return the /proc folders of the readers that the process started."""
    return [folder for folder in Path("/proc").glob("[0-9]*") if _stat(folder)[1:2] == [str(parent_pid)] and _is_reader(folder)]


def _is_reader(folder: Path) -> bool:
    try:
        return b"hostile_reader.py" in (folder / "cmdline").read_bytes()
    except OSError:
        return False


def _stat(folder: Path) -> list[str]:
    """Return the process's state and its parent, or nothing if it is gone."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return []


def _runs(folder: Path) -> bool:
    return _stat(folder)[:1] not in ([], ["Z"], ["X"])


def test_the_shared_memory_cannot_be_taken_from_under_its_reader():
    """A process that shrinks the memory in which its pixels lie would kill whoever reads them: the kernel refuses it that."""
    shrink = "import os, sys; fd = int(sys.argv[-1])\ntry: os.ftruncate(fd, 0)\nexcept PermissionError: print('refused', file=sys.stderr)"
    process = Process((sys.executable, "-c", shrink), None)
    try:
        process.frames.reserve(12)
        with pytest.raises(Died, match="refused"):
            process.ask(b"{}", 60.0)
        assert process.frames.at([SHEETS_BYTES], (2, 2, 3))[0].shape == (2, 2, 3)
    finally:
        process.end()


def test_a_page_that_is_not_wanted_is_not_drawn_ahead(tmp_path: Path):
    """After the last page that is asked for, the process waits: here it would die of the next one."""
    with Child(LIMITS, command=COMMAND) as child:
        child.open(document(tmp_path, "ahead exit"))
        child.probe(0, text_layer=False, go_on=False)
        child.render(0, [WHOLE], 8)
        assert child.render(0, [WHOLE, WHOLE], 8)[1].min() == 1
        assert _readers(os.getpid())
