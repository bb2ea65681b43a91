"""Local files as a store. What is written appears whole (a temporary file, fsync, rename) and outlives a power cut."""

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import AccessDenied, ObjectChanged, ObjectMissing, StorageError
from pipeline.storage.base import StoredObject
from pipeline.storage.uris import local_path, local_uri

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHUNK_BYTES = 1 << 20
_PARTIAL_PREFIX, _PARTIAL_SUFFIX = ".pagemill-", ".partial"  # never listed, and no reader's glob for *.parquet matches it

_BY_ERRNO: dict[int, tuple[type[StorageError], str]] = {
    errno.ENOENT: (ObjectMissing, "no such file or folder"),
    errno.ENOTDIR: (ObjectMissing, "a part of this path is a file, not a folder"),
    errno.EEXIST: (StorageError, "a part of this path is a file, not a folder"),
    errno.EISDIR: (ObjectMissing, "this is a folder, not a file"),
    errno.EACCES: (AccessDenied, "not permitted; check its owner and mode"),
    errno.EPERM: (AccessDenied, "not permitted; check its owner and mode"),
    errno.EROFS: (AccessDenied, "the file system is read-only"),
    errno.ENOSPC: (StorageError, "the disk is full; free some space and run again"),
    errno.EDQUOT: (StorageError, "the disk quota is used up; free some space and run again"),
}
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class LocalStore:
    """Files under any path. Retries nothing: what a file system refuses, it refuses again."""

    retries = 0

    def list(self, prefix_uri: str) -> Iterator[StoredObject]:
        path = local_path(prefix_uri)
        with translated(path):
            status = os.stat(path)  # noqa: PTH116 (os.stat costs a third of Path.stat, and a listing makes millions)
        if stat.S_ISDIR(status.st_mode):
            yield from _walk(path)
        elif stat.S_ISREG(status.st_mode):
            yield _stored(path, status)

    def stat(self, uri: str) -> StoredObject:
        path = local_path(uri)
        with translated(path):
            status = os.stat(path)  # noqa: PTH116
            if stat.S_ISDIR(status.st_mode):
                raise IsADirectoryError(errno.EISDIR, "", path)
        return _stored(path, status)

    def exists(self, uri: str) -> bool:
        return os.path.isfile(local_path(uri))  # noqa: PTH113

    def read(self, uri: str, version: str | None = None) -> bytes:
        path = local_path(uri)
        with _pinned(path, version) as file, translated(path):
            return file.read()

    def fetch(self, uri: str, version: str | None, path: Path) -> None:
        source = local_path(uri)
        partial = path.with_name(partial_name())
        with _pinned(source, version) as file, translated(str(path)):
            try:
                with partial.open("xb") as copy:
                    shutil.copyfileobj(file, copy, _CHUNK_BYTES)
                _check(source, file, version)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)

    def write(self, uri: str, data: bytes) -> None:
        _put(local_path(uri), lambda file: file.write(data), os.replace)

    def upload(self, path: Path, uri: str) -> None:
        with translated(str(path)), path.open("rb") as source:
            _put(local_path(uri), lambda file: shutil.copyfileobj(source, file, _CHUNK_BYTES), os.replace)

    def create(self, uri: str, data: bytes) -> bool:
        path = local_path(uri)
        try:
            _put(path, lambda file: file.write(data), _link)
        except _Taken:
            return False
        return True

    def delete(self, uris: Iterable[str]) -> None:
        for uri in uris:
            path = local_path(uri)
            with translated(path):
                Path(path).unlink(missing_ok=True)


def _walk(root: str) -> Iterator[StoredObject]:
    """Yield the files below a folder in the order of their paths' bytes; holds one folder's names for each level."""
    pending = [(root.rstrip("/"), _names(root), frozenset({_inode(root)}))]
    while pending:
        folder, names, above = pending[-1]
        name = next(names, None)
        if name is None:
            pending.pop()
        elif name.endswith("/"):
            path = f"{folder}/{name[:-1]}"
            inode = _inode(path)
            if inode not in above:
                pending.append((path, _names(path), above | {inode}))
        elif found := _found(f"{folder}/{name}"):
            yield found


def _names(folder: str) -> Iterator[str]:
    """Return a folder's names, sorted, with a slash after those of folders: so "a-b" sorts before "a/c", as on S3."""
    try:
        with translated(folder), os.scandir(folder) as entries:
            names = [f"{entry.name}/" if _is_folder(entry) else entry.name for entry in entries]
    except ObjectMissing:  # removed since its parent was read
        return iter(())
    names.sort()  # by code points, which is by the bytes of UTF-8
    return iter(names)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether it is a folder or a link to one; a link to itself is none, where DirEntry.is_dir would raise."""
    return entry.is_dir(follow_symlinks=False) or (entry.is_symlink() and os.path.isdir(entry.path))  # noqa: PTH112


def _inode(folder: str) -> tuple[int, int]:
    with translated(folder):
        status = os.stat(folder)  # noqa: PTH116
    return status.st_dev, status.st_ino


def _found(path: str) -> StoredObject | None:
    """Return the listing of a file, or None where there is nothing to read: a dangling link, a pipe, a write under way, a file just removed."""
    if path.endswith(_PARTIAL_SUFFIX) and path.rpartition("/")[2].startswith(_PARTIAL_PREFIX):
        return None
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError as exc:
        if exc.errno in _NOT_THERE:
            return None
        raise _mapped(exc, path) from exc
    return _stored(path, status) if stat.S_ISREG(status.st_mode) else None


def _stored(path: str, status: os.stat_result) -> StoredObject:
    return StoredObject(local_uri(path), _version(status), status.st_size, _modified_at(status.st_mtime_ns))


def _version(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}"


def _modified_at(mtime_ns: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(microseconds=mtime_ns // 1000)
    except OverflowError:  # a damaged clock's year 10,000
        return None


@contextmanager
def _pinned(path: str, version: str | None) -> Iterator[BinaryIO]:
    """Open a file to read, and raise ObjectChanged if it is, or becomes while it is read, another version."""
    with translated(path):
        file = Path(path).open("rb")  # noqa: SIM115 (closed below; errors of what is done with it are not about it)
    with file:
        _check(path, file, version)
        yield file
        _check(path, file, version)


def _check(path: str, file: BinaryIO, version: str | None) -> None:
    found = _version(os.fstat(file.fileno()))
    if version and found != version:
        raise ObjectChanged(f"{local_uri(path)}: listed as {version}, and now it is {found}; run again to take up the new one")


def _put(path: str, fill: Callable[[BinaryIO], object], place: Callable[[str, str], None]) -> None:
    """Fill a temporary file beside `path`, and place it there once it is on disk."""
    folder = os.path.dirname(path)  # noqa: PTH120
    partial = f"{folder}/{partial_name()}"
    with translated(path):
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103
        try:
            with Path(partial).open("xb") as file:
                fill(file)
                file.flush()
                os.fsync(file.fileno())
            place(partial, path)
        finally:
            Path(partial).unlink(missing_ok=True)
        _sync_folder(folder)


class _Taken(Exception):
    """There is an object of this name already."""


def _link(partial: str, path: str) -> None:
    """Place a file like rename, but never over another."""
    try:
        os.link(partial, path)
    except FileExistsError as exc:
        raise _Taken from exc


def partial_name() -> str:
    """Return a new name for a file that is being written."""
    return f"{_PARTIAL_PREFIX}{secrets.token_hex(8)}{_PARTIAL_SUFFIX}"


def _sync_folder(folder: str) -> None:
    """Make the new name itself outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_full(error: Exception) -> bool:
    """Return whether a full disk is what some library complains of; DuckDB says so in words alone."""
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left on device" in str(error)


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn an OSError about `path` into a StorageError that names it and the cure."""
    try:
        yield
    except OSError as exc:
        raise _mapped(exc, path) from exc


def _mapped(exc: OSError, path: str) -> StorageError:
    error, words = _BY_ERRNO.get(exc.errno or 0, (StorageError, exc.strerror or str(exc)))
    return error(f"{local_uri(path)}: {words}")
