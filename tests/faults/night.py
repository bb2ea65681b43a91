"""A job as its operator starts it, in processes of its own, to be disturbed: at a seeded moment something is killed, and what is left is looked at.

A moment is a number of objects that the sink has ever held: it says how far a run has come, on a slow machine as on a fast one.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pymupdf
from pagemill_faults_processes import (
    MARK,
    command_line,
    family,
    marked,
)  # this folder is no package: conftest.py has imported them
from pagemill_faults_running import TITLES, Running

from pipeline import process, read
from pipeline.errors import ObjectMissing
from pipeline.ledger import Ledger
from pipeline.places import Places
from pipeline.storage import Store, open_store
from pipeline.verify import verify
from schemas.run import RunSummary, VerifyReport

PAGEMILL = Path(sys.executable).with_name("pagemill")
SOLO = (sys.executable, str(Path(__file__).with_name("companion.py")), "pagemill")
PATIENCE_S = float(os.environ.get("PAGEMILL_PATIENCE_S", "900"))  # only what hangs takes so long, on a slow machine too
LISTED_S = 60.0  # Swift, on a busy machine
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
    """Return a source with everything in it: one to three pages, two units in one document, a copy, a blank page, something broken.

    It is read in some six groups, for as long as it takes to commit twice. Made once: MuPDF writes the time into what it makes.
    """
    made = {
        f"{number:02}.pdf": pdf(*(f"document {number}, page {page}" for page in range(1 + number % 3))) for number in range(40)
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
    settings: Mapping[str, object] = field(default_factory=lambda: {"seconds_per_request": 0.04})
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

    def start(self, *, command: Sequence[str] = ("run",)) -> Running:
        """Start `pagemill run`, or another command on the same job, with everything that Ray leaves in a folder that goes with it."""
        ray = Path(tempfile.mkdtemp(prefix="pm-", dir="/tmp"))  # sockets' names may be a hundred characters long, no more
        self.marks.append(secrets.token_hex(8))
        self.ray_folders.append(ray)
        environment = {
            **os.environ,
            **self.environment,
            MARK: self.marks[-1],
            "RAY_TMPDIR": str(ray),
            "RAY_worker_niceness": "0",
        }
        if self.ray is not None:
            environment["RAY_ADDRESS"] = self.ray.address
        verb, *more = command
        started = subprocess.Popen(
            [*(SOLO if self.solo else (str(PAGEMILL),)), verb, str(self.job_file), "--json", *more],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return Running(started, self.writes, self.raylets, self.clear, self.patience_s)

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

    def leavings(self) -> list[str]:
        """Return what lies about that belongs to no finished work."""
        store, places = open_store(self.sink_uri), Places(self.sink_uri)
        folders = (places.staging(), places.in_flight(), places.ledger("replaced"), f"{self.sink_uri}/_pagemill/claims")
        return [uri.removeprefix(self.sink_uri) for folder in folders for uri in _listed(store, folder)]

    def assert_clean(self) -> None:
        """Assert that nothing lies about; a store may list for a while what was removed."""
        until = time.monotonic() + LISTED_S
        while left := self.leavings():
            assert time.monotonic() < until, left
            time.sleep(1.0)

    def assert_gone(self) -> None:
        """Assert that no process of any run is left, some minutes after the last: Ray's agents look for what they lost for one."""
        until = time.monotonic() + PATIENCE_S
        while left := self._left():
            told = "\n".join(f"{pid}: {command_line(pid).strip()}" for pid in left)
            assert time.monotonic() < until, f"these processes are left behind:\n{told}"
            time.sleep(0.1)

    def raylets(self) -> list[int]:
        """Return the processes that are no run's own, and under which its workers are found."""
        return [node.all_processes["raylet"][0].process.pid for node in self.ray.list_all_nodes()] if self.ray else []

    def clear(self) -> None:
        """End whatever is left of any run."""
        for pid in self._left():
            process.end(pid)
        for folder in self.ray_folders:
            shutil.rmtree(folder, ignore_errors=True)

    def _left(self) -> list[int]:
        shared = {pid for raylet in self.raylets() for pid in family(raylet)}
        busy = (TITLES["worker"], TITLES["child"])
        return [*marked(self.marks), *(pid for pid in shared if any(title in command_line(pid) for title in busy))]

    def _value(self, row: dict[str, object]) -> dict[str, object]:
        """Return a row without ids, which are made of the uri and the version of the object."""
        kept = {
            key: value
            for key, value in row.items()
            if key not in _CIRCUMSTANCES and not (key.endswith("_id") and key != "document_id")
        }
        return {**kept, "source_uri": str(row["source_uri"]).removeprefix(self.place_uri)}


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


def _listed(store: Store, folder_uri: str) -> list[str]:
    try:
        return [item.uri for item in store.list(folder_uri)]
    except ObjectMissing:
        return []
