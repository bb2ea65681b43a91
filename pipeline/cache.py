"""Documents on this node's disk, so that a large one is fetched once and not once a unit.

Local files are read where they lie. What is fetched is kept under its source_id until newer documents need the room.
"""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from pipeline.errors import ObjectChanged, StorageError
from pipeline.storage import Store
from pipeline.storage.uris import is_s3, local_path
from schemas.unit import Origin

CAPACITY_BYTES = 8 * 10**9


class DocumentCache:
    """A folder that all workers of this node share, for any number of processes at once."""

    def __init__(self, store: Store, folder: Path | None = None, capacity_bytes: int = CAPACITY_BYTES) -> None:
        """Use `folder`, by default one of this user's own under the temporary directory."""
        self._store = store
        self._folder = folder or Path(tempfile.gettempdir()) / f"pagemill-documents-{os.getuid()}"
        self._capacity_bytes = capacity_bytes

    def path(self, origin: Origin) -> Path:
        """Return a local file with the object's bytes in the version that was listed; raise StorageError where there is none."""
        if not is_s3(origin.uri):
            return self._in_place(origin)
        kept = self._folder / origin.source_id
        while not _used_now(kept):
            self._make_room(origin.size_bytes)
            incoming = self._incoming(kept)
            try:
                self._store.fetch(origin.uri, origin.version, incoming)
                with suppress(FileNotFoundError):  # another process has made room
                    incoming.replace(kept)
            finally:
                incoming.unlink(missing_ok=True)
        return kept

    def _incoming(self, kept: Path) -> Path:
        """Return an empty file for what will be `kept`: a disk that takes none must not look like a source that gives none."""
        incoming = kept.with_suffix(f".{secrets.token_hex(4)}")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            incoming.touch()
        except OSError as error:
            reason = f"no document can be kept on this node: {self._folder}: {error.strerror}"
            raise StorageError(f"{reason}; mend its disk or name another by TMPDIR, and run again") from error
        return incoming

    def _in_place(self, origin: Origin) -> Path:
        if origin.version and self._store.stat(origin.uri).version != origin.version:
            raise ObjectChanged(f"{origin.uri} has changed since it was listed; the next run takes up the new version")
        return Path(local_path(origin.uri))

    def _make_room(self, size_bytes: int) -> None:
        if not self._folder.exists():
            return
        kept = sorted(filter(None, map(_age_and_size, self._folder.iterdir())))
        total = sum(size for _, size, _ in kept) + size_bytes
        for _, size, path in kept:
            if total <= self._capacity_bytes:
                return
            path.unlink(missing_ok=True)  # a process that has it open keeps its bytes
            total -= size


def _used_now(path: Path) -> bool:
    """Mark a file as used, and return whether it is there; touch() would make an empty document of one that was just removed."""
    try:
        os.utime(path)
    except OSError:  # not there, or on a disk that takes no more marks
        return path.is_file()
    return True


def _age_and_size(path: Path) -> tuple[int, int, Path] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, path
