"""Inspect: read each new object once, to know its sha256, what it is and how many pages it has, or why it cannot be opened.

A fault of our own that an object brings out is that object's reject, like a document's. A fault that a blank page brings out as well is
the installation's, and ends the run: rather that than every document rejected.
"""

import hashlib
import tempfile
import time
import traceback
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from pipeline.cache import DocumentCache
from pipeline.documents.child import Child
from pipeline.errors import AccessDenied, DocumentError, ObjectArchived, PagemillError, RunError, StorageError
from pipeline.ledger import Ledger
from pipeline.progress import Progress
from pipeline.storage import open_store
from pipeline.storage.retries import NewRetries
from schemas.arrow import from_table
from schemas.job import Job
from schemas.page import Failure
from schemas.shape import Shape
from schemas.source import Inspected, SourceObject
from schemas.unit import Origin, Reject

ROWS_PER_RECORD = 5000
SECONDS_PER_RECORD = 10.0

_FINAL = {AccessDenied: "access_denied", ObjectArchived: "archived"}  # asking again tomorrow gives the same
_SUSPICIOUS = ("fault", "crashed")  # of these it is not sure that they are the document's
_REPAIRED = Failure(
    stage="open",
    code="repaired",
    message="the file is broken, most often cut off; it was repaired, and what could not be found is missing from its pages",
)
_MOST_CHARS = 300
_MEND = "see to the installation, and run again to go on"
_BLANK = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj
xref
0 4
0000000000 65535 f\x20
0000000009 00000 n\x20
0000000052 00000 n\x20
0000000101 00000 n\x20
trailer<</Size 4/Root 1 0 R>>
startxref
164
%%EOF
"""


class Inspection(Shape):
    """What became of a block of objects; those in `left` could not be read this time, and stay new."""

    inspected: tuple[Inspected, ...]
    left: tuple[Failure, ...] = ()
    store_retries: int = 0


class Findings:
    """What the inspectors found, recorded in the ledger a few hundred at a time; as a context manager it records the rest at the end."""

    def __init__(self, ledger: Ledger, progress: Progress) -> None:
        self._ledger, self._progress = ledger, progress
        self._waiting: list[Inspected] = []
        self._rejects: dict[str, Reject] = {}
        self._last = time.monotonic()
        self.inspected = 0
        self.unreadable = 0
        self.left: list[Failure] = []
        self.store_retries = 0

    @property
    def rejects(self) -> tuple[Reject, ...]:
        """Return why documents could not be opened, commonest first."""
        return tuple(sorted(self._rejects.values(), key=lambda reject: (-reject.count, reject.code)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.flush()

    def add(self, text: str) -> None:
        """Take one Inspection, as JSON."""
        inspection = Inspection.model_validate_json(text)
        self._waiting.extend(inspection.inspected)
        self.left.extend(inspection.left)
        self.store_retries += inspection.store_retries
        if len(self._waiting) >= ROWS_PER_RECORD or time.monotonic() - self._last > SECONDS_PER_RECORD:
            self.flush()

    def flush(self) -> None:
        """Record whatever waits."""
        rows = tuple(self._waiting)
        self._ledger.record_sources(rows)
        self._waiting.clear()  # not before: what an interrupt kept from being recorded is recorded at the end; twice counts once
        self._last = time.monotonic()
        for row in rows:
            self._count(row)
        self._progress.inspected(len(rows), sum(row.page_count or 0 for row in rows))

    def _count(self, row: Inspected) -> None:
        self.inspected += 1
        self.unreadable += row.page_count is None
        for failure in row.failures if row.page_count is None else ():
            first = Reject(stage=failure.stage, code=failure.code, count=0, example_uri=row.uri, message=failure.message)
            known = self._rejects.get(failure.code, first)
            self._rejects[failure.code] = known.model_copy(update={"count": known.count + 1})


def forget(ledger: Ledger, gone: Iterable[Inspected], run_id: str) -> int:
    """Record that objects are no longer there, and return how many; their rows stay."""
    now = datetime.now(UTC)
    rows = [known.model_copy(update={"is_present": False, "run_id": run_id, "recorded_at": now}) for known in gone]
    ledger.record_sources(rows)
    return len(rows)


class Inspector:
    """The worker of the inspection."""

    def __init__(self, job: Job, run_id: str, passwords: Sequence[str], child: Child | None = None) -> None:
        self._job, self._run_id, self._passwords = job, run_id, tuple(passwords)
        source = open_store(job.source.uri)
        self._cache, self._retries = DocumentCache(source), NewRetries(source)
        self._child = child or Child(job.limits)

    def __call__(self, objects: pa.Table) -> pa.Table:
        """Inspect a block of objects (columns of SourceObject) and return one Inspection as JSON."""
        done: list[Inspected] = []
        left: list[Failure] = []
        for item in from_table(objects, SourceObject):
            try:
                done.append(self._inspect(item))
            except StorageError as error:
                left.append(Failure(stage="fetch", code=type(error).__name__, message=str(error)))
        result = Inspection(inspected=tuple(done), left=tuple(left), store_retries=self._retries.take())
        return pa.table({"inspection": [result.model_dump_json()]})

    def inspect(self, item: SourceObject) -> Inspected:
        """Open one object; raise StorageError where its bytes cannot be had now but may be had later."""
        known = self._known(item)
        limit = self._job.limits.bytes
        if item.size_bytes > limit:
            message = f"{item.size_bytes} bytes are more than limits.bytes allows ({limit})"
            return _unreadable(known, Failure(stage="open", code="too_many_bytes", message=message))
        try:
            path = self._cache.path(
                Origin(source_id=item.source_id, uri=item.uri, version=item.version, size_bytes=item.size_bytes)
            )
        except tuple(_FINAL) as error:
            return _unreadable(known, Failure(stage="fetch", code=_FINAL[type(error)], message=str(error)))
        known = known.model_copy(update={"document_id": _sha256(path)})
        try:
            opened = self._child.open(path, passwords=self._passwords)
        except DocumentError as error:
            return _unreadable(known, error.failure())
        notes = (_REPAIRED,) if opened.is_repaired else ()
        return known.model_copy(update={"media_type": opened.media_type, "page_count": opened.page_count, "failures": notes})

    def _inspect(self, item: SourceObject) -> Inspected:
        """Inspect an object whatever it brings out; raise RunError where a blank page brings out the like."""
        try:
            found = _sent(self.inspect(item))
        except PagemillError:
            raise
        except Exception as error:  # noqa: BLE001 - which faults there are is what nobody knows yet
            found = _unreadable(self._known(item), _fault(error))
        if any(failure.code in _SUSPICIOUS for failure in found.failures):
            self._try_blank(found.failures[0])
        return found

    def _try_blank(self, failure: Failure) -> None:
        with tempfile.NamedTemporaryFile(prefix="pagemill-blank-", suffix=".pdf") as file:
            file.write(_BLANK)
            file.flush()
            try:
                found = _sent(self.inspect(SourceObject(uri=file.name, version="", size_bytes=len(_BLANK))))
            except Exception as error:
                raise RunError(
                    f"documents cannot be opened here, not even a blank page: {_in_short(error)}; {_MEND}"
                ) from error
        if found.page_count != 1:
            raise RunError(f"documents cannot be opened here, not even a blank page: {failure.message}; {_MEND}")

    def _known(self, item: SourceObject) -> Inspected:
        return Inspected(
            **dict(item),
            source_id=item.source_id,
            job_name=self._job.name,
            run_id=self._run_id,
            recorded_at=datetime.now(UTC),
        )


def _unreadable(known: Inspected, failure: Failure) -> Inspected:
    return known.model_copy(update={"failures": (failure,)})


def _fault(error: Exception) -> Failure:
    message = f"a fault of Pagemill's own: {_in_short(error)}; please report it where you have Pagemill from, with the document if you can"
    return Failure(stage="open", code="fault", message=message)


def _in_short(error: Exception) -> str:
    """Return what went wrong and where, in one line that can be stored whatever the error's words are."""
    at = traceback.extract_tb(error.__traceback__)[-1]
    said = " ".join(str(error).split())[:_MOST_CHARS].encode(errors="replace").decode()
    return f"{type(error).__name__}: {said} ({Path(at.filename).name}:{at.lineno})"


def _sent(found: Inspected) -> Inspected:
    """Return what was found, once it is sure that it can travel: text that is none, of a broken document, cannot."""
    found.model_dump_json()
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
