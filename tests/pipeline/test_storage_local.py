"""Local files alone: odd file systems, and writes that are cut off."""

import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from pipeline.errors import AccessDenied, ObjectChanged, ObjectMissing, StorageError
from pipeline.storage import open_store
from pipeline.storage.local import LocalStore, _pinned
from schemas.source import identity

STORE = LocalStore()
NEEDS_USER = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


def names(folder: Path) -> list[str]:
    return [item.uri.removeprefix(f"{folder}/") for item in STORE.list(str(folder))]


def test_version_and_time_are_those_of_the_file(tmp_path: Path) -> None:
    """The version is size and modification time in ns, the time that of the file to the microsecond."""
    (tmp_path / "x").write_bytes(b"123")
    os.utime(tmp_path / "x", ns=(0, 1_600_000_000_123_456_789))
    (found,) = STORE.list(str(tmp_path))
    assert found.version == "3-1600000000123456789"
    assert found.modified_at == datetime(2020, 9, 13, 12, 26, 40, 123456, tzinfo=UTC)


def test_a_clock_beyond_all_years_is_no_time(tmp_path: Path) -> None:
    """A file dated after the year 9999 is listed without a time, if the file system can hold such a date at all."""
    (tmp_path / "x").write_bytes(b"123")
    os.utime(tmp_path / "x", ns=(0, 300_000_000_000 * 10**9))
    (found,) = STORE.list(str(tmp_path))
    assert found.modified_at is None or found.modified_at.year <= 9999


def test_a_missing_folder_is_missing_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    """A folder that is not there is an error, for it is most likely misspelt; one without files is not."""
    with pytest.raises(ObjectMissing, match="none"):
        list(STORE.list(str(tmp_path / "none")))
    assert names(tmp_path) == []


def test_names_that_are_not_utf8_are_listed_and_read(tmp_path: Path) -> None:
    """Such a name becomes a file:// uri that every store reads, and that can be hashed and written to Parquet."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 #.pdf")).write_bytes(b"x")
    (found,) = STORE.list(str(tmp_path))
    assert found.uri == f"file://{quote(str(tmp_path))}/caf%E9%20%23.pdf"
    assert open_store(found.uri).read(found.uri, found.version) == b"x"
    assert identity(found.uri, found.version)


def test_links_are_followed_but_never_in_circles(tmp_path: Path) -> None:
    """A link to a folder is walked, one back to a folder above is not, and one to nothing is left out."""
    (tmp_path / "in/sub").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "in/sub/x").write_bytes(b"x")
    (tmp_path / "elsewhere/y").write_bytes(b"y")
    (tmp_path / "in/sub/up").symlink_to(tmp_path / "in")
    (tmp_path / "in/self").symlink_to("self")
    (tmp_path / "in/gone").symlink_to("nowhere")
    (tmp_path / "in/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/file").symlink_to(tmp_path / "elsewhere/y")
    assert names(tmp_path / "in") == ["file", "linked/y", "sub/x"]


def test_only_files_are_listed(tmp_path: Path) -> None:
    """Pipes, and folders without files, are no objects: opening a pipe would never end."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    (tmp_path / "x").write_bytes(b"")
    assert names(tmp_path) == ["x"]
    assert list(STORE.list(str(tmp_path / "pipe"))) == []


@NEEDS_USER
def test_unreadable_files_are_listed_and_unreadable_folders_said(tmp_path: Path) -> None:
    """A file that may not be read is listed, for its own row to say so; a folder whose files cannot even be seen ends the listing."""
    (tmp_path / "x").write_bytes(b"x")
    (tmp_path / "x").chmod(0)
    assert names(tmp_path) == ["x"]
    with pytest.raises(AccessDenied):
        STORE.read(str(tmp_path / "x"))
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(AccessDenied, match="closed"):
        names(tmp_path)


def test_files_follow_the_umask(tmp_path: Path) -> None:
    """What is written can be read by whom the umask lets, as with any other program, and not by the writer alone."""
    before = os.umask(0o027)
    try:
        STORE.write(str(tmp_path / "x"), b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    "write",
    [lambda uri: STORE.write(uri, b"x"), lambda uri: STORE.create(uri, b"x"), lambda uri: STORE.upload(Path(__file__), uri)],
)
def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, write: Callable[[str], object]) -> None:
    """Where a folder or a file is in the way, a StorageError names the place, and no partial file stays."""
    (tmp_path / "folder/sub").mkdir(parents=True)
    (tmp_path / "file").write_bytes(b"x")
    for target in ("file/x", "file/sub/x", "x" * 300):
        with pytest.raises(StorageError, match=target):
            write(str(tmp_path / target))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "sub"]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for 64 KB."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_said_and_leaves_nothing(tiny_disk: Path, tmp_path: Path) -> None:
    """Where a write finds no room, the error names the place and says so; the old object stays, and nothing partial does."""
    target = tiny_disk / "x"
    (tmp_path / "large").write_bytes(bytes(500_000))
    STORE.write(str(target), b"old")
    for put in (
        lambda: STORE.write(str(target), bytes(500_000)),
        lambda: STORE.upload(tmp_path / "large", str(target)),
        lambda: STORE.fetch(str(tmp_path / "large"), None, target),
    ):
        with pytest.raises(StorageError, match=f"{re.escape(str(target))}.*full"):
            put()
    assert target.read_bytes() == b"old"
    assert [path.name for path in tiny_disk.iterdir()] == ["x"]


def test_a_read_only_disk_is_said(tiny_disk: Path) -> None:
    """A sink that has become read-only is an error of its own."""
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    with pytest.raises(AccessDenied, match="read-only"):
        STORE.write(str(tiny_disk / "x"), b"x")


def test_create_never_replaces(tmp_path: Path) -> None:
    """Of many creators at once exactly one succeeds, and its bytes stay."""
    assert STORE.create(str(tmp_path / "a/x"), b"first")
    assert not STORE.create(str(tmp_path / "a/x"), b"second")
    assert STORE.read(str(tmp_path / "a/x")) == b"first"
    assert names(tmp_path) == ["a/x"]


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    """A pinned read checks the version after the last byte too."""
    path = tmp_path / "x"
    path.write_bytes(b"x" * 1000)
    with pytest.raises(ObjectChanged), _pinned(str(path), STORE.stat(str(path)).version) as file:
        path.write_bytes(file.read(500) + b"y")


def test_a_killed_writer_leaves_whole_objects_only(tmp_path: Path) -> None:
    """However a process that replaces an object over and over is killed, readers find one of its versions whole, and listings no debris."""
    script = f"""
from pipeline.storage.local import LocalStore
n = 0
while True:
    n += 1
    LocalStore().write({str(tmp_path / "x")!r}, (str(n % 10) * 300_000).encode())
"""
    for pause_s in (0.05, 0.11, 0.17):
        writer = subprocess.Popen([sys.executable, "-c", script])
        while not (tmp_path / "x").exists():
            time.sleep(0.01)
        time.sleep(pause_s)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        data = STORE.read(str(tmp_path / "x"))
        assert len(data) == 300_000
        assert len(set(data)) == 1
        assert names(tmp_path) == ["x"]
