"""A job as its operator starts it, in processes of its own, to be disturbed: at a seeded moment something is killed, and what is left is looked at.

A moment is a number of objects that the sink has ever held: it says how far a run has come, on a slow machine as on a fast one.
"""

import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pymupdf

from pipeline import read
from pipeline.errors import ObjectMissing
from pipeline.ledger import Ledger
from pipeline.places import Places
from pipeline.storage import Store, open_store
from pipeline.verify import verify
from schemas.run import RunSummary, VerifyReport
from schemas.unit import Unit

PAGEMILL = Path(sys.executable).with_name("pagemill")
SOLO = (sys.executable, str(Path(__file__).with_name("companion.py")), "pagemill")
PATIENCE_S = float(os.environ.get("PAGEMILL_PATIENCE_S", "300"))  # for a machine that has much else to do, say more
MARK = "PAGEMILL_TESTS_NIGHT"
TITLES = {
    "worker": b"ray::MapBatches",
    "child": b"pipeline.documents.reader",
    "raylet": b"/raylet/raylet",
}
"""What stands in the command lines of the processes of a run; the driver is the one that was started."""

# of a run, of a place, or of the folder that stands for a checkpoint
_CIRCUMSTANCES = {"run_id", "processed_at", "seconds", "source_modified_at", "source_version", "task_fingerprint"}


def pdf(*pages: str) -> bytes:
    """Return a PDF whose pages say these words; a page that says nothing is blank."""
    with pymupdf.open() as document:
        for words in pages:
            document.new_page(width=200, height=200).insert_text((20, 40), words)
        return document.tobytes(no_new_id=True)


@cache
def documents() -> dict[str, bytes]:
    """Return a small source with everything in it: one to three pages, two units in one document, a copy, a blank page, something broken.

    Made once: MuPDF writes the time into what it makes.
    """
    made = {
        f"{number:02}.pdf": pdf(*(f"document {number}, page {page}" for page in range(1 + number % 3))) for number in range(10)
    }
    long = pdf(*(f"page {page}" for page in range(34)))
    return {
        **made,
        "long.pdf": long,
        "copy.pdf": made["01.pdf"],
        "blank.pdf": pdf("words", ""),
        "broken.pdf": b"%PDF-1.4 no more",
    }


@dataclass
class Night:
    """One job between a source and a sink, and a scratch folder of its own for what is not theirs.

    `writes` counts the objects that the sink has ever held. `ray` is a cluster to join; without, every run starts a Ray of its own, or,
    `solo`, has its workers in its own process, for faults in which Ray has no part.
    """

    scratch: Path
    place_uri: str
    environment: Mapping[str, str] = field(default_factory=dict)
    name: str = "night"
    changes: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=lambda: {"seconds_per_request": 0.02})
    writes: Callable[[], int] = lambda: 0
    ray: Any = None
    solo: bool = False
    patience_s: float = PATIENCE_S
    marks: list[str] = field(default_factory=list)
    ray_folders: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.truth.mkdir(parents=True, exist_ok=True)
        self.answer_with(self.settings)
        job: dict[str, object] = {
            "name": self.name,
            "source": {"uri": f"{self.place_uri}/in"},
            "model": {"engine": "scripted", "checkpoint": str(self.truth)},
            "render": {"text_layer": "ignore"},
            "tasks": [{"type": "ocr"}, {"type": "answer", "fields": [{"name": "total", "question": "what is the total?"}]}],
            "accept": {"max_reject_rate": 1.0},
            "workers": {"cpus": 2},
            "sink": {"uri": self.sink_uri},
        }
        self.job_file.write_text(json.dumps({**job, **self.changes}))  # JSON is YAML

    @property
    def sink_uri(self) -> str:
        return f"{self.place_uri}/out"

    @property
    def truth(self) -> Path:
        return self.scratch / f"truth-{self.name}"

    @property
    def job_file(self) -> Path:
        return self.scratch / f"{self.name}.yaml"

    def answer_with(self, settings: Mapping[str, object]) -> None:
        """Let the scripted engine behave so from its next start."""
        (self.truth / "scripted.json").write_text(json.dumps(settings))

    def fill(self, objects: Mapping[str, bytes]) -> None:
        """Put objects into the source."""
        store = open_store(self.place_uri)
        for name, data in objects.items():
            store.write(f"{self.place_uri}/in/{name}", data)

    def start(self, *, command: Sequence[str] = ("run",)) -> "Running":
        """Start `pagemill run`, or another command on the same job, with everything that Ray leaves in a folder that goes with it."""
        ray = Path(tempfile.mkdtemp(prefix="pm-", dir="/tmp"))  # sockets' names may be a hundred characters long, no more
        self.marks.append(secrets.token_hex(8))
        self.ray_folders.append(ray)
        environment = {**os.environ, **self.environment, MARK: self.marks[-1], "RAY_TMPDIR": str(ray)}
        if self.ray is not None:
            environment["RAY_ADDRESS"] = self.ray.address
        verb, *more = command
        process = subprocess.Popen(
            [*(SOLO if self.solo else (str(PAGEMILL),)), verb, str(self.job_file), "--json", *more],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return Running(self, process, self.writes())

    def run(self) -> RunSummary:
        """Run the job to its end, and return its summary."""
        running = self.start()
        code, said, complained = running.end()
        assert code in (0, 1), f"exit code {code}\n{said}\n{complained}"
        return RunSummary.model_validate_json(said)

    def verify(self) -> VerifyReport:
        return verify(self.sink_uri)

    def values(self) -> dict[str, list[dict[str, object]]]:
        """Return all rows that hold, without what differs between two runs that did the same, or between two places."""
        return {
            dataset: sorted(map(self._value, read(self.sink_uri, dataset).to_pylist()), key=_place)
            for dataset in ("documents", "pages", "fields")
        }

    def committed(self) -> set[tuple[str, int]]:
        """Return the pages (source_id, page_index) that are done, and will not be read again."""
        store, places = open_store(self.sink_uri), Places(self.sink_uri)
        with Ledger(store, places, run_id="look") as ledger:
            return set(ledger.rows("SELECT source_id, unnest(range(first_page, first_page + n_pages)) FROM cover"))

    def in_flight(self) -> list[Unit]:
        """Return the units that were being worked on when everything ended."""
        store, places = open_store(self.sink_uri), Places(self.sink_uri)
        texts = [store.read(uri).decode() for uri in _listed(store, places.in_flight())]
        return [Unit.model_validate_json(line) for text in texts for line in text.splitlines()]

    def leavings(self) -> list[str]:
        """Return what lies about that belongs to no finished work."""
        store, places = open_store(self.sink_uri), Places(self.sink_uri)
        folders = (places.staging(), places.in_flight(), places.ledger("replaced"), f"{self.sink_uri}/_pagemill/claims")
        return [uri.removeprefix(self.sink_uri) for folder in folders for uri in _listed(store, folder)]

    def assert_gone(self, within_s: float = 120.0) -> None:
        """Assert that no process of any run is left, two minutes after the last: Ray's agents look for what they lost for one."""
        until = time.monotonic() + within_s
        while left := self._left():
            told = "\n".join(f"{pid}: {_command_line(pid).decode(errors='replace').strip()}" for pid in left)
            assert time.monotonic() < until, f"these processes are left behind:\n{told}"
            time.sleep(0.1)

    def raylets(self) -> list[int]:
        """Return the processes that are no run's own, and under which its workers are found."""
        return [node.all_processes["raylet"][0].process.pid for node in self.ray.list_all_nodes()] if self.ray else []

    def clear(self) -> None:
        """End whatever is left of any run."""
        for pid in self._left():
            _end(pid)
        for folder in self.ray_folders:
            shutil.rmtree(folder, ignore_errors=True)

    def _left(self) -> list[int]:
        busy = [b"ray::MapBatches", TITLES["child"]]
        shared = {pid for raylet in self.raylets() for pid in family(raylet)}
        return [*marked(self.marks), *(pid for pid in shared if any(title in _command_line(pid) for title in busy))]

    def _value(self, row: dict[str, object]) -> dict[str, object]:
        """Return a row without ids, which are made of the uri and the version of the object."""
        kept = {
            key: value
            for key, value in row.items()
            if key not in _CIRCUMSTANCES and not (key.endswith("_id") and key != "document_id")
        }
        return {**kept, "source_uri": str(row["source_uri"]).removeprefix(self.place_uri)}


@dataclass
class Running:
    """A run on its way."""

    night: Night
    process: "subprocess.Popen[str]"
    written_before: int = 0

    def pids(self, kind: str) -> list[int]:
        """Return the run's processes of a kind: "driver", or one of TITLES."""
        if kind == "driver":
            return [self.process.pid] if self.process.poll() is None else []
        mine = {pid for root in (self.process.pid, *self.night.raylets()) for pid in family(root)}
        return sorted(pid for pid in mine if TITLES[kind] in _command_line(pid) and _state(pid) not in "ZX")

    def kill(self, kind: str, number: random.Random, signal_number: int = signal.SIGKILL) -> bool:
        """Wait until there is a process of that kind, and kill one; return False if the run ended without."""
        while self.process.poll() is None:
            if pids := self.pids(kind):
                victim = number.choice(pids)
                try:
                    os.kill(victim, signal_number)
                except ProcessLookupError:
                    continue
                return True
            time.sleep(0.02)
        return False

    def until_written(self, moment: int) -> bool:
        """Wait until the run has written so many objects; return False if it ended before."""
        return self.until(lambda: self.night.writes() - self.written_before >= moment)

    def until(self, reached: Callable[[], bool], *, asked_every_s: float = 0.02) -> bool:
        """Wait for something; return False if the run ended before it."""
        until = time.monotonic() + self.night.patience_s
        while not reached():
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < until, f"nothing came of it:\n{self.stop()}"
            time.sleep(asked_every_s)
        return True

    def end(self) -> tuple[int, str, str]:
        """Wait for the end, and return exit code, stdout and stderr."""
        try:
            said, complained = self.process.communicate(timeout=self.night.patience_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the run does not end:\n{self.stop()}") from None
        return self.process.returncode, said, complained

    def stop(self) -> str:
        """End whatever is left of the night, and return what the run said."""
        self.night.clear()
        return "\n".join(map(str, self.process.communicate()))


def _place(row: Mapping[str, object]) -> str:
    return f"{row['source_uri']} {row.get('page_index')} {row.get('name')}"


def on_files(sink: Path) -> Callable[[], int]:
    """Return a function that counts the names ever seen in a folder."""
    seen: set[str] = set()

    def count() -> int:
        for folder, _, files in os.walk(sink):
            seen.update(f"{folder}/{file}" for file in files if not file.startswith("."))
        return len(seen)

    return count


def family(pid: int) -> set[int]:
    """Return a process and all that descend from it."""
    below: dict[int, list[int]] = {}
    for each in _pids():
        below.setdefault(_parent(each), []).append(each)
    found, waiting = set[int](), [pid]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting.extend(below.get(each, ()))
    return found


def marked(marks: Iterable[str]) -> list[int]:
    """Return the live processes that were started with one of these marks in their environment, and the children without any that they have."""
    whose = {f"{MARK}={mark}".encode() for mark in marks}
    roots = [pid for pid in _pids() if not whose.isdisjoint(_environment(pid).split(b"\0"))]
    return sorted(pid for pid in {each for root in roots for each in family(root)} if _state(pid) not in "ZX")


def _listed(store: Store, folder_uri: str) -> list[str]:
    try:
        return [item.uri for item in store.list(folder_uri)]
    except ObjectMissing:
        return []


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0].decode()
    except OSError:
        return "X"


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return b""


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
