"""What both stores promise: the same tests over local files and over S3."""

import os
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import ObjectChanged, ObjectMissing, StorageError
from pipeline.storage import Store, canonical, is_within, join, open_store

ODD_NAMES = [
    "a b.pdf", "a#b.pdf", "a%20b.pdf", "a%b.pdf", "a+b.pdf", "a?b=c&d.pdf", "a;b,c.pdf", "a'b\"c.pdf", "a*[b]{c}.pdf", "a\\b.pdf", "a<b>&amp;.pdf",
    "Rechnung-ä-Ü-ß.pdf", "請求書/二月.pdf", "🙂.pdf", "e\u0301.pdf", "UPPER.PDF", ".hidden", "sub/.hidden/x", "-rf", "~", "a..b/..c/d..", "x" * 200,
]  # fmt: skip


@pytest.fixture(params=["local", "s3"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "base") if request.param == "local" else request.getfixturevalue("s3_uri")


@pytest.fixture
def store(base: str) -> Iterator[Store]:
    return open_store(base)


def names(store: Store, uri: str) -> list[str]:
    return [item.uri.removeprefix(f"{uri.rstrip('/')}/") for item in store.list(uri)]


def test_what_is_written_is_read_back(store: Store, base: str) -> None:
    """Bytes come back as they were, empty ones too, and a second write replaces the first."""
    for data in (b"", b"one", os.urandom(100_000)):
        store.write(join(base, "folder/object"), data)
        assert store.read(join(base, "folder/object")) == data


def test_a_listing_says_uri_version_size_and_time(store: Store, base: str) -> None:
    """Each object is listed with what `stat` says of it, its time in UTC."""
    store.write(join(base, "one.pdf"), b"12345")
    (listed,) = store.list(base)
    assert listed == store.stat(join(base, "one.pdf"))
    assert (listed.uri, listed.size_bytes) == (join(base, "one.pdf"), 5)
    assert listed.version
    assert '"' not in listed.version
    assert listed.modified_at is not None
    assert listed.modified_at.tzinfo is UTC
    assert abs(listed.modified_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_odd_names_are_kept_verbatim(store: Store, base: str) -> None:
    """Names with spaces, url syntax, quotes and other scripts are written, listed, read and deleted under just that name."""
    for name in ODD_NAMES:
        store.write(f"{base}/{name}", name.encode())
    assert sorted(names(store, base)) == sorted(ODD_NAMES)
    for item in store.list(base):
        assert store.read(item.uri, item.version).decode() == item.uri.removeprefix(f"{base}/")
    store.delete([f"{base}/{name}" for name in ODD_NAMES])
    assert not any(store.exists(f"{base}/{name}") for name in ODD_NAMES)


def test_listings_are_sorted_by_bytes(store: Store, base: str) -> None:
    """Order is that of the names' bytes over whole paths, so that "a-b" comes before "a/c" and both stores agree."""
    expected = ["B", "a", "a-b", "a.b/c", "a/b/c", "a/b0", "a/c", "a0", "b", "é"]
    expected.remove("a")  # a file and a folder of one name is S3's alone
    for name in reversed(expected):
        store.write(join(base, name), b"x")
    assert names(store, base) == expected


def test_a_prefix_is_a_folder(store: Store, base: str) -> None:
    """`in` does not list `in2/…`, with or without a slash at its end."""
    for name in ("in/a", "in/sub/b", "in2/c"):
        store.write(join(base, name), b"x")
    assert names(store, join(base, "in")) == ["a", "sub/b"]
    assert names(store, join(base, "in") + "/") == ["a", "sub/b"]


def test_a_prefix_that_is_one_object_lists_it(store: Store, base: str) -> None:
    """The uri of a single object lists just that object, not those whose names begin so."""
    for name in ("one.pdf", "one.pdf.bak", "one.pd"):
        store.write(join(base, name), b"x")
    assert [item.uri for item in store.list(join(base, "one.pdf"))] == [join(base, "one.pdf")]


def test_a_read_is_pinned_to_the_listed_version(store: Store, base: str, tmp_path: Path) -> None:
    """Once the object was replaced, reading and fetching the listed version raise ObjectChanged, and name the object."""
    uri = join(base, "x.pdf")
    store.write(uri, b"first")
    version = store.stat(uri).version
    assert store.read(uri, version) == b"first"
    store.write(uri, b"second, and longer")
    with pytest.raises(ObjectChanged, match=r"x\.pdf"):
        store.read(uri, version)
    with pytest.raises(ObjectChanged):
        store.fetch(uri, version, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()
    assert store.read(uri, "") == b"second, and longer"


def test_a_fetch_streams_into_a_file(store: Store, base: str, tmp_path: Path) -> None:
    """A fetched file has the object's bytes, replaces what was there, and leaves no other file behind."""
    data = os.urandom(3_000_001)
    store.write(join(base, "x"), data)
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "x").write_bytes(b"old")
    store.fetch(join(base, "x"), store.stat(join(base, "x")).version, folder / "x")
    assert (folder / "x").read_bytes() == data
    assert [path.name for path in folder.iterdir()] == ["x"]


@pytest.mark.parametrize("size_bytes", [0, 1000, 40_000_000])
def test_an_upload_puts_a_whole_file(store: Store, base: str, tmp_path: Path, size_bytes: int) -> None:
    """Files smaller and larger than a part arrive whole, and can be read pinned to the version that a listing gives."""
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(os.urandom(size_bytes))
    store.upload(source, join(base, "folder/up"))
    (listed,) = store.list(base)
    assert listed.size_bytes == size_bytes
    store.fetch(listed.uri, listed.version, back)
    assert back.read_bytes() == source.read_bytes()


def test_a_missing_object_is_said_to_be_missing(store: Store, base: str, tmp_path: Path) -> None:
    """Reading, fetching and asking for what is not there raise ObjectMissing with its uri, at once; deleting it is no error."""
    uri = join(base, "none.pdf")
    for ask in (
        lambda: store.read(uri),
        lambda: store.fetch(uri, None, tmp_path / "x"),
        lambda: store.stat(uri),
        lambda: store.read(uri, "1-1"),
    ):
        with pytest.raises(ObjectMissing, match=r"none\.pdf"):
            ask()
    assert not store.exists(uri)
    assert [*tmp_path.glob("*x")] == []
    store.delete([uri])
    assert store.retries == 0


def test_a_folder_is_no_object(store: Store, base: str) -> None:
    """What lies above an object can be listed, and neither exists nor can be read as an object."""
    store.write(join(base, "folder/x"), b"x")
    assert not store.exists(join(base, "folder"))
    with pytest.raises(ObjectMissing):
        store.read(join(base, "folder"))


def test_stores_travel_to_workers(store: Store, base: str) -> None:
    """A store that was used pickles, and works where it arrives."""
    store.write(join(base, "x"), b"x")
    assert pickle.loads(pickle.dumps(store)).read(join(base, "x")) == b"x"  # noqa: S301 (our own)


@pytest.mark.parametrize("part", ["..", "../x", "a/../../x", "/etc/passwd", "a//b", "", ".", "./a", "a/", "a\0b"])
@pytest.mark.parametrize("folder", ["s3://bucket/in", "/data/in", "file:///data/in", "relative"])
def test_joined_names_never_climb_out(folder: str, part: str) -> None:
    """Names that would leave the folder, or mean another name than they say, are refused."""
    with pytest.raises(StorageError):
        join(folder, part)
    with pytest.raises(StorageError):
        join(folder, "ok", part)


def test_joined_local_uris_are_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A relative sink means the same place in workers, whose working directory is another."""
    monkeypatch.chdir(tmp_path)
    assert join("out", "a", "b/c") == f"{tmp_path}/out/a/b/c"
    assert join("s3://b/x/", "a") == join("s3://b/x", "a") == "s3://b/x/a"
    assert join("s3://b", "a%20b #") == "s3://b/a%20b #"
    assert join("/", "a") == "/a"
    assert join("file:///a%20b", "c%20") == "/a b/c%20"


def test_one_place_has_one_spelling(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """file:// uris and relative paths become the absolute path that a listing gives; s3 uris are left alone."""
    monkeypatch.chdir(tmp_path)
    assert canonical("x/../y/") == f"{tmp_path}/y"
    assert canonical("file:///a%20b/%23") == canonical("file://localhost/a%20b/%23") == "/a b/#"
    assert canonical("s3://b/a%20b/../c//") == "s3://b/a%20b/../c//"


@pytest.mark.parametrize("uri", ["gs://bucket/x", "https://example.com/x.pdf", "S3://bucket/x", "file://host/x", "s3:///x", ""])
def test_unknown_kinds_of_uri_are_refused(uri: str) -> None:
    """What no store here speaks is a StorageError that says what is spoken, and never taken for a local file's name."""
    with pytest.raises(StorageError):
        list(open_store(uri).list(uri))


def test_within_means_below_a_folder() -> None:
    """A name that merely begins like the folder's is not within it."""
    assert is_within("/a/b/c", "/a/b")
    assert is_within("/a/b", "/a/b/")
    assert not is_within("/a/bc", "/a/b")
    assert is_within("s3://b/x/y", "s3://b/x")
    assert not is_within("s3://b2/x", "s3://b")
