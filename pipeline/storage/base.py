"""The seam between the machine and where bytes lie: objects by uri, whole or not at all.

It knows nothing of documents, pages or Parquet. A uri is a path (absolute, as listed), `file://…` (percent-encoded, as everywhere), or
`s3://bucket/key` with the key verbatim: an s3 uri is never url-encoded, so `%20` in one is three characters of the key.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as listed. `version` is the etag without its quotes on S3, "<size>-<mtime in ns>" of a local file."""

    uri: str
    version: str
    size_bytes: int
    modified_at: datetime | None


class Store(Protocol):
    """Local files or S3. Pickles into Ray workers, and may be used from several threads at once.

    Every method raises pipeline.errors.StorageError or a child of it, and nothing else, when the store says no.
    """

    @property
    def retries(self) -> int:
        """Return how many requests were made again so far, by this store in this process."""

    def list(self, prefix_uri: str) -> Iterator[StoredObject]:
        """Yield the objects under a folder, or the one object of that name; sorted bytewise, in flat memory.

        A prefix is a folder: `s3://b/in` has `in/x.pdf` and not `in2/x.pdf`. A missing bucket or local folder raises ObjectMissing; on S3 a
        folder without objects does not exist, so it yields nothing. Not listed: S3's empty "folder markers" (keys that end in a slash),
        sockets, pipes, devices, dangling links, and a folder reached again through a link into itself.
        """

    def stat(self, uri: str) -> StoredObject:
        """Return what a listing would say of this one object."""

    def exists(self, uri: str) -> bool:
        """Return whether there is such an object; a folder is none."""

    def read(self, uri: str, version: str | None = None) -> bytes:
        """Return the object's bytes; of that very version where one is given (and not ""), or raise ObjectChanged."""

    def fetch(self, uri: str, version: str | None, path: Path) -> None:
        """Stream the object into a local file, pinned like `read`. On an error no file is left at `path` that was not there before."""

    def write(self, uri: str, data: bytes) -> None:
        """Put the object there, whole or not at all, in place of any other; its parent folders are made."""

    def upload(self, path: Path, uri: str) -> None:
        """Put a local file there like `write`, without holding it in memory."""

    def create(self, uri: str, data: bytes) -> bool:
        """Put the object there unless one is there already; return whether it was put.

        Raises StorageError ("NotImplemented") on S3 servers without conditional writes, OpenStack Swift for one.
        """

    def delete(self, uris: Iterable[str]) -> None:
        """Remove these objects; those that are not there are no error."""
