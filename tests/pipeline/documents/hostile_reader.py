"""A reader whose documents misbehave as they say: the first word of the file is what its pages do. Started by test_child.py."""

import ctypes
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, sys.argv.pop(1))

import numpy as np

from pipeline.documents.picture import Pixels
from pipeline.documents.pose import Pose
from pipeline.documents.reader import main
from pipeline.documents.sheets import NewSheet
from pipeline.documents.wire import PageProbe
from pipeline.errors import DocumentError
from schemas.box import Box
from schemas.job import Limits
from schemas.view import Affine


def loop() -> None:
    """Never end, and never let another thread of Python run for long."""
    while True:
        pass


def eat() -> None:
    """Take all the memory there is."""
    eaten = []
    while True:
        eaten.append(bytearray(16 * 2**20))


def wait() -> None:
    """Go on once there is a file `go`."""
    while not Path("go").exists():
        time.sleep(0.01)


def shout() -> None:
    """Print more than any pipe holds, on both streams."""
    os.write(2, b"x" * 10_000_000)
    sys.stdout.write("not a message\n" * 100_000)


def connect() -> None:
    """Reach for the network; that nobody listens there is another matter."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as reached, suppress(ConnectionRefusedError):
        reached.connect(("127.0.0.1", 9))


def fork() -> None:
    """Make a process that the parent knows nothing of."""
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def truncate() -> None:
    with Path("there").open("r+b") as file:
        file.truncate(0)


def read_environment() -> None:
    Path(f"/proc/{os.getppid()}/environ").read_bytes()


def run_program() -> None:
    subprocess.run(["/bin/true"], check=True)


# In this order; `there` is a file in the folder where the process runs.
ESCAPES: dict[str, Callable[[], object]] = {
    "truncate": truncate,
    "truncate by name": lambda: os.truncate("there", 0),
    "append": lambda: Path("there").open("ab").close(),
    "chmod": lambda: Path("there").chmod(0o600),
    "touch": lambda: os.utime("there"),
    "create": lambda: Path("made").touch(),
    "mkdir": lambda: Path("folder").mkdir(),
    "symlink": lambda: Path("link").symlink_to("/etc/passwd"),
    "hard link": lambda: Path("other").hardlink_to("there"),
    "rename": lambda: Path("there").rename("gone"),
    "remove": lambda: Path("gone").unlink(),
    "remove, too": lambda: Path("there").unlink(),
    "fifo": lambda: os.mkfifo("fifo"),
    "connect": connect,
    "UDP": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
    "unix socket": lambda: socket.socket(socket.AF_UNIX).close(),
    "fork": fork,
    "program": run_program,
    "signal": lambda: os.kill(os.getppid(), 0),
    "environment": read_environment,
}


def escaped() -> list[str]:
    """Try all that a process which only reads has no use for, and return what could be done."""
    done = []
    for name, attempt in ESCAPES.items():
        with suppress(OSError):
            attempt()
            done.append(name)
    return done


def escape() -> None:
    if done := escaped():
        raise DocumentError("render", "escaped", ", ".join(done))


def limits() -> None:
    """Tell the limits that hold, as an error."""
    kinds = (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_AS)
    raise DocumentError("render", "limits", json.dumps([resource.getrlimit(kind) for kind in kinds]))


MISDEEDS: dict[str, Callable[[], object]] = {
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "exit": lambda: os._exit(3),
    "loop": loop,
    "sleep": lambda: time.sleep(3600),
    "wait": wait,
    "eat": eat,
    "shout": shout,
    "write": lambda: Path("written").write_bytes(b"should not be here"),
    "raise": lambda: 1 // 0,
    "escape": escape,
    "limits": limits,
}


class Hostile:
    """One document of two pages, which misbehaves on its first, or as its second is described: `ahead`, where the first was rendered before."""

    media_type = "application/x-hostile"
    page_count = 2
    is_repaired = False

    def __init__(self, path: Path, limits: Limits, passwords: Sequence[str], new_sheet: NewSheet) -> None:
        del limits, passwords, new_sheet
        when, _, self._how = path.read_text().partition(" ")
        self._when = when
        if when.startswith("%PDF"):  # the blank page by which an inspection tells a document's fault from the installation's
            self.page_count = 1
        self._do("open")

    def _do(self, when: str) -> None:
        if when == self._when:
            MISDEEDS[self._how]()

    def probe(self, page_index: int, *, text_layer: bool) -> PageProbe:
        del text_layer
        self._do("ahead" if page_index else "probe")
        return PageProbe(page_index, 100.0, 100.0, 0, False, None)

    def size_pt(self, page_index: int) -> tuple[float, float]:
        del page_index
        return 100.0, 100.0

    def picture(self, page_index: int) -> Pixels:
        del page_index
        return np.zeros((896, 896, 3), dtype=np.uint8)

    def pose(self, page_index: int) -> Pose:
        del page_index
        return Pose(100.0, 100.0)

    def layout(self, page_index: int) -> Sequence[Box]:
        del page_index
        return ()

    def render(self, page_index: int, affines: Sequence[Affine], resolution: int) -> Iterator[Pixels]:
        for index, _ in enumerate(affines):
            if page_index == 0:
                self._do("render")
            yield np.full((resolution, resolution, 3), 10 * page_index + index, dtype=np.uint8)

    def close(self) -> None:
        """Hold nothing."""


if sys.argv[1:] == ["unconfined"]:
    print("\n".join(escaped()))  # noqa: T201
else:
    main(Hostile, libraries=())
