"""Documents on this node's disk, so that a large one is fetched once and not once a unit.

Local files are read where they lie. What is fetched is kept under its source_id until newer documents need the room.
"""

import os
import secrets
import tempfile
from pathlib import Path

from pipeline.errors import ObjectChanged
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
        if not kept.exists():
            self._make_room(origin.size_bytes)
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            incoming = kept.with_suffix(f".{secrets.token_hex(4)}")
            self._store.fetch(origin.uri, origin.version, incoming)
            incoming.replace(kept)
        kept.touch()
        return kept

    def _in_place(self, origin: Origin) -> Path:
        if origin.version and self._store.stat(origin.uri).version != origin.version:
            raise ObjectChanged(f"{origin.uri} has changed since it was listed; the next run takes up the new version")
        return Path(local_path(origin.uri))

    def _make_room(self, size_bytes: int) -> None:
        if not self._folder.exists():
            return
        kept = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in self._folder.iterdir())
        total = sum(size for _, size, _ in kept) + size_bytes
        for _, size, path in kept:
            if total <= self._capacity_bytes:
                return
            path.unlink(missing_ok=True)  # a process that has it open keeps its bytes
            total -= size
