"""Source objects as listed, documents as inspected, and the rows of documents/."""

import hashlib
from datetime import datetime
from typing import Literal

from schemas.page import Failure
from schemas.shape import Shape

DocumentStatus = Literal["ok", "partial", "failed", "superseded", "deleted"]


def identity(*parts: str | int) -> str:
    """Return the sha256, in hex, of the parts; a NUL between them keeps ("a", "bc") and ("ab", "c") apart."""
    return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()


class SourceObject(Shape):
    """One object in storage. `version` is the store's version id or etag; for a local file, its size and modification time in ns."""

    uri: str
    version: str
    size_bytes: int
    modified_at: datetime | None = None

    @property
    def source_id(self) -> str:
        return identity(self.uri, self.version)


class Inspected(Shape):
    """What inspection found of a source object. `page_count` is None where it could not be opened; then `failures` says why, else what to know of it.

    `is_present` turns False when a later listing no longer has the object, and `is_dropped` True when its rows were removed on request.
    """

    source_id: str
    uri: str
    version: str
    size_bytes: int
    modified_at: datetime | None = None
    document_id: str | None = None
    media_type: str | None = None
    page_count: int | None = None
    failures: tuple[Failure, ...] = ()
    is_present: bool = True
    is_dropped: bool = False
    job_name: str
    run_id: str
    recorded_at: datetime


def page_identity(source_id: str, page_index: int) -> str:
    """Return the page_id of a page of a source object."""
    return identity(source_id, page_index)


class DocumentRow(Shape):
    """One source object and what became of its pages. `page_count` is None where the document could not be opened.

    `pages_failed` counts every page that was not wholly read, partial or failed, so that the three counts add up to `page_count`.
    """

    source_id: str
    document_id: str | None = None
    source_uri: str
    source_version: str
    media_type: str | None = None
    size_bytes: int
    source_modified_at: datetime | None = None
    page_count: int | None = None
    pages_ok: int = 0
    pages_blank: int = 0
    pages_failed: int = 0
    status: DocumentStatus
    failures: tuple[Failure, ...] = ()
    job_name: str
    run_id: str
    processed_at: datetime
    schema_version: int = 1
