"""The memory in which the child hands pixels to its parent: two sheets for pictures of whole pages, and after them room for other views.

A page is drawn where the parent reads it, and nothing is copied. There are two sheets because the next page is drawn while the parent
may still read the last. It knows neither pages nor messages.
"""

import mmap
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
SHEET_PX = 896
"""The side of the picture on which a page is judged: the largest view's, so that this view need not be drawn twice."""
_SHAPE = (SHEET_PX, SHEET_PX, 3)
_SHEET_BYTES = SHEET_PX * SHEET_PX * 3
SHEETS_BYTES = 2 * _SHEET_BYTES

NewSheet = Callable[[], Pixels]
"""Gives an array of SHEET_PX × SHEET_PX × 3 to draw the next page on, with anything in it."""


def own_sheet() -> Pixels:
    """Return a sheet that nobody else sees."""
    return np.empty(_SHAPE, dtype=np.uint8)


class Sheets:
    """The child's side of the shared memory, which the parent has made large enough before it asks for anything."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._memory = mmap.mmap(descriptor, SHEETS_BYTES)
        starts = (0, _SHEET_BYTES)
        self._sheets = [np.frombuffer(self._memory, np.uint8, _SHEET_BYTES, start).reshape(_SHAPE) for start in starts]

    def next(self) -> Pixels:
        """Return the sheet that was not used last."""
        self._sheets.reverse()
        return self._sheets[0]

    def hold(self, views: Iterable[Pixels], most_bytes: int) -> tuple[int, ...]:
        """Put views where the parent can read them, at most so many bytes, and return where each begins; a sheet stays where it is."""
        starts, end = [], SHEETS_BYTES
        for view in views:
            sheet = self._start_of(view)
            if sheet is None:
                self._mapped(SHEETS_BYTES + most_bytes)[end : end + view.nbytes] = view.data.cast("B")
            starts.append(end if sheet is None else sheet)
            end += view.nbytes if sheet is None else 0
        return tuple(starts)

    def _start_of(self, view: Pixels) -> int | None:
        """Return where a sheet begins, None if the view is not one."""
        if not any(view is sheet for sheet in self._sheets):
            return None
        return int(view.ctypes.data - min(sheet.ctypes.data for sheet in self._sheets))

    def _mapped(self, size: int) -> mmap.mmap:
        if len(self._memory) < size:
            self._memory = mmap.mmap(self._descriptor, size)  # the sheets stay where they were mapped, on the same memory
        return self._memory
