"""Uris as text: which store they belong to, how they are joined, and one spelling for each. No I/O but the working directory's name."""

import os
from urllib.parse import quote, unquote_to_bytes

from pipeline.errors import StorageError

S3_SCHEME = "s3://"
_FILE_SCHEME = "file://"


def is_s3(uri: str) -> bool:
    """Return whether the uri is on S3; raise StorageError of a scheme that no store here speaks."""
    if uri.startswith(S3_SCHEME):
        return True
    if "://" in uri and not uri.startswith(_FILE_SCHEME):
        raise StorageError(f"{uri}: only local paths, file:// and s3:// can be read and written")
    return False


def canonical(uri: str) -> str:
    """Return the one spelling by which a listing names this uri: local paths absolute and plain, s3 uris as they are."""
    return uri if is_s3(uri) else local_uri(local_path(uri))


def join(base: str, *parts: str) -> str:
    """Join names below a uri; local results are absolute, whatever the working directory becomes later.

    Raises StorageError for a part that climbs out or hides: "..", ".", an absolute path, an empty name, NUL.
    """
    for part in parts:
        if "\0" in part or any(name in {"", ".", ".."} for name in part.split("/")):
            raise StorageError(f"{part!r} is not a name below {base}")
    below = "/".join(parts)
    if is_s3(base):
        return f"{base.rstrip('/')}/{below}"
    return local_uri(os.path.join(local_path(base), below))  # noqa: PTH118 (Path would drop what makes a name odd)


def is_within(uri: str, folder_uri: str) -> bool:
    """Return whether the uri is the folder or lies below it."""
    folder = canonical(folder_uri).rstrip("/")
    uri = canonical(uri)
    return uri.rstrip("/") == folder or uri.startswith(f"{folder}/")


def split_s3(uri: str) -> tuple[str, str]:
    """Return bucket and key; the key is verbatim, and empty for the bucket itself."""
    bucket, _, key = uri.removeprefix(S3_SCHEME).partition("/")
    if not bucket:
        raise StorageError(f"{uri}: an s3 uri is s3://bucket/key")
    return bucket, key


def local_path(uri: str) -> str:
    """Return the absolute local path; links in it are kept as they are."""
    if uri.startswith(_FILE_SCHEME):
        host, slash, rest = uri.removeprefix(_FILE_SCHEME).partition("/")
        if host not in {"", "localhost"} or not slash:
            raise StorageError(f"{uri}: a file uri is file:///absolute/path")
        uri = os.fsdecode(unquote_to_bytes(f"/{rest}"))
    if not uri or "\0" in uri:
        raise StorageError(f"{uri!r} is no path")
    return os.path.abspath(uri)  # noqa: PTH100 (Path.absolute keeps "..")


def local_uri(path: str) -> str:
    """Return the uri of an absolute path: the path itself, or file://… where its name is not UTF-8 (rows and hashes need text)."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return _FILE_SCHEME + quote(os.fsencode(path))
    return path
