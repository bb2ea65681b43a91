"""The node's cache of documents: fetched once, pinned to their version, and never more than its room."""

import os
from pathlib import Path

import pytest

from pipeline.cache import DocumentCache
from pipeline.errors import ObjectChanged, StorageError
from pipeline.storage import open_store
from schemas.unit import Origin


class Bucket:
    """A store that counts what is fetched from it, and may do something first."""

    def __init__(self, objects, meanwhile=lambda: None):
        self.objects, self.fetched, self.meanwhile = objects, [], meanwhile

    def fetch(self, uri: str, version: str | None, path: Path) -> None:
        self.fetched.append((uri, version))
        path.write_bytes(self.objects[uri])
        self.meanwhile()


def _origin(name: str, size: int = 4) -> Origin:
    return Origin(source_id=name, uri=f"s3://b/{name}", version="1", size_bytes=size)


def test_a_document_is_fetched_once(tmp_path):
    """However many units need it, and from however many workers of the node, in the version that was listed."""
    store = Bucket({"s3://b/a": b"aaaa"})
    caches = [DocumentCache(store, tmp_path / "cache") for _ in range(2)]
    assert {cache.path(_origin("a")).read_bytes() for cache in caches * 2} == {b"aaaa"}
    assert store.fetched == [("s3://b/a", "1")]


def test_the_longest_unused_make_room(tmp_path):
    """Documents that were used last stay; together they are no larger than the cache may be."""
    store = Bucket({f"s3://b/{name}": b"1234" for name in "abcd"})
    cache = DocumentCache(store, tmp_path / "cache", capacity_bytes=12)
    for tick, name in enumerate("abca"):
        os.utime(cache.path(_origin(name)), ns=(tick, tick))
    cache.path(_origin("d"))
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["a", "c", "d"]


def test_a_document_that_another_process_removes_is_fetched_again(tmp_path):
    """Room made by others at the worst moment never leaves an empty document behind."""
    folder, thefts = tmp_path / "cache", [1, 2]

    def steal():
        if thefts:
            thefts.pop()
            for path in folder.iterdir():
                path.unlink()

    store = Bucket({"s3://b/a": b"aaaa"}, steal)
    assert DocumentCache(store, folder).path(_origin("a")).read_bytes() == b"aaaa"
    assert len(store.fetched) == 3


def test_local_files_are_read_where_they_lie(tmp_path):
    """Nothing is copied, and another version than the listed one is refused."""
    path = tmp_path / "a.pdf"
    path.write_bytes(b"one")
    store = open_store(str(path))
    listed = store.stat(str(path))
    origin = Origin(source_id="a", uri=listed.uri, version=listed.version, size_bytes=3)
    cache = DocumentCache(store, tmp_path / "cache")
    assert cache.path(origin) == path
    path.write_bytes(b"more")
    with pytest.raises(ObjectChanged):
        cache.path(origin)
    assert not (tmp_path / "cache").exists()


def test_a_disk_that_takes_no_documents_is_not_the_source_s_fault(tmp_path):
    """It is said what to mend, and the error is none of those for which a document is given up for good."""
    (tmp_path / "file").touch()
    store = Bucket({"s3://b/a": b"aaaa"})
    with pytest.raises(StorageError, match=r"no document can be kept on this node: .*TMPDIR") as refused:
        DocumentCache(store, tmp_path / "file" / "cache").path(_origin("a"))
    assert type(refused.value) is StorageError
    assert store.fetched == []


def test_what_could_not_be_fetched_leaves_nothing_behind(tmp_path):
    """Neither an empty document nor half of one stays in the cache."""

    def fail():
        raise StorageError("no more")

    folder = tmp_path / "cache"
    with pytest.raises(StorageError, match="no more"):
        DocumentCache(Bucket({"s3://b/a": b"aaaa"}, fail), folder).path(_origin("a"))
    assert list(folder.iterdir()) == []
