"""The memory in which the child hands pixels to its parent: sheets for pictures of whole pages, and after them room for other views.

A page is drawn where the parent reads it, and nothing is copied: the sheet is lent until its array is dropped, and every order says which
sheets still are, so that none of them is drawn over. Where all are lent, the page is drawn elsewhere and copied. It knows neither pages nor
messages.
"""

import fcntl
import mmap
import os
from collections.abc import Callable, Iterable, Sequence
from math import prod
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
SHEET_PX = 896
"""The side of the picture on which a page is judged: the largest view's, so that this view need not be drawn twice."""
SHEETS = 20
"""More than the pages that wait for an engine together; one never drawn on takes no memory. So many also end where a page of 64 KB does."""
_SHAPE = (SHEET_PX, SHEET_PX, 3)
SHEET_BYTES = prod(_SHAPE)
SHEETS_BYTES = SHEETS * SHEET_BYTES

NewSheet = Callable[[], Pixels]
"""Gives an array of SHEET_PX × SHEET_PX × 3 to draw the next page on, with anything in it."""


def own_sheet() -> Pixels:
    """Return a sheet that nobody else sees."""
    return np.empty(_SHAPE, dtype=np.uint8)


class Sheets:
    """The child's side of the shared memory, which the parent has made large enough before it asks for anything."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        memory = mmap.mmap(descriptor, SHEETS_BYTES)
        self._sheets = [np.ndarray(_SHAPE, np.uint8, memory, number * SHEET_BYTES) for number in range(SHEETS)]
        self._lent: set[int] = set()
        self._views: mmap.mmap | bytes = b""

    def spare(self, lent: Iterable[int]) -> None:
        """Draw on none of these sheets: the parent reads them."""
        self._lent = set(lent)

    def next(self) -> Pixels:
        """Return a sheet that is not lent, or else one of this process's own."""
        free = next((number for number in range(SHEETS) if number not in self._lent), None)
        return own_sheet() if free is None else self._sheets[free]

    def hold(self, views: Iterable[Pixels], most_bytes: int) -> tuple[int, ...]:
        """Put views where the parent can read them, at most so many bytes, and return where each begins; a sheet is lent as it is."""
        starts, end = [], 0
        for view in views:
            number = next((number for number, sheet in enumerate(self._sheets) if view is sheet), None)
            if number is not None:
                self._lent.add(number)
                starts.append(number * SHEET_BYTES)
            else:
                self._mapped(most_bytes)[end : end + view.nbytes] = view.data.cast("B")
                starts.append(SHEETS_BYTES + end)
                end += view.nbytes
        return tuple(starts)

    def _mapped(self, size: int) -> mmap.mmap:
        if not isinstance(self._views, mmap.mmap) or len(self._views) < size:
            self._views = mmap.mmap(self._descriptor, size, offset=SHEETS_BYTES)
        return self._views


class Frames:
    """The parent's side: the memory itself, which has no name that could be left over, and goes when nothing of it is used any more.

    It is sealed, since the child could otherwise shrink it under its reader and so kill that (SIGBUS).
    """

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("pagemill-frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
        os.ftruncate(self.descriptor, SHEETS_BYTES)
        self._sheets = mmap.mmap(self.descriptor, SHEETS_BYTES, prot=mmap.PROT_READ)
        self._views: mmap.mmap | bytes = b""
        self._lent: WeakValueDictionary[int, Pixels] = WeakValueDictionary()

    @property
    def lent(self) -> tuple[int, ...]:
        """Return the sheets whose arrays are still used, in whatever thread."""
        # Asked one by one: an array that another thread drops at this moment may change the dictionary's size.
        return tuple(number for number in range(SHEETS) if number in self._lent)

    def reserve(self, size: int) -> None:
        """Make room for `size` bytes of views after the sheets."""
        if size > len(self._views):
            os.ftruncate(self.descriptor, SHEETS_BYTES + size)
            self._views = mmap.mmap(self.descriptor, size, offset=SHEETS_BYTES, prot=mmap.PROT_READ)

    def at(self, starts: Sequence[int], shape: tuple[int, int, int]) -> list[Pixels]:
        """Return the frames that begin at such bytes, each of shape (height, width, channels): sheets themselves, read-only, and copies of others.

        Raises ValueError where there is no such frame.
        """
        return [
            self._sheet(start, shape) if start < SHEETS_BYTES else self._copy(start - SHEETS_BYTES, shape) for start in starts
        ]

    def close(self) -> None:
        """Let go of the memory; what is lent stays as it is."""
        os.close(self.descriptor)

    def _sheet(self, start: int, shape: tuple[int, int, int]) -> Pixels:
        number, rest = divmod(start, SHEET_BYTES)
        if rest or shape != _SHAPE:
            raise ValueError(f"no sheet begins at byte {start}")
        sheet = self._lent.get(number)
        if sheet is None:
            # Whatever is made of this array keeps it alive, which is how it is known to be used: its memory belongs to no other array.
            sheet = self._lent[number] = np.ndarray(_SHAPE, np.uint8, self._sheets, start)
        return sheet

    def _copy(self, start: int, shape: tuple[int, int, int]) -> Pixels:
        if start + prod(shape) > len(self._views):
            raise ValueError(f"no view begins at byte {start} of the room for views")
        return np.frombuffer(self._views, np.uint8, prod(shape), start).reshape(shape).copy()
