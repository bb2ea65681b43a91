"""A reader whose documents misbehave as they say: the first word of the file is what its pages do. Started by test_child.py."""

import ctypes
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, sys.argv.pop(1))

import numpy as np

from pipeline.documents.picture import Pixels
from pipeline.documents.pose import Pose
from pipeline.documents.reader import main
from pipeline.documents.wire import PageProbe
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


def shout() -> None:
    """Print more than any pipe holds, on both streams."""
    os.write(2, b"x" * 10_000_000)
    sys.stdout.write("not a message\n" * 100_000)


MISDEEDS: dict[str, Callable[[], object]] = {
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "exit": lambda: os._exit(3),
    "loop": loop,
    "sleep": lambda: time.sleep(3600),
    "eat": eat,
    "shout": shout,
    "write": lambda: Path("written").write_bytes(b"should not be here"),
    "raise": lambda: 1 // 0,
}


class Hostile:
    """One document of two pages, which misbehaves on its first."""

    media_type = "application/x-hostile"
    page_count = 2

    def __init__(self, path: Path, limits: Limits, passwords: Sequence[str]) -> None:
        del limits, passwords
        when, _, self._how = path.read_text().partition(" ")
        self._when = when
        self._do("open")

    def _do(self, when: str) -> None:
        if when == self._when:
            MISDEEDS[self._how]()

    def probe(self, page_index: int, *, text_layer: bool) -> PageProbe:
        del text_layer
        if page_index == 0:
            self._do("probe")
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


main(Hostile, libraries=())
