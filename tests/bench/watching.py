"""Something that is looked at from a thread of its own while what is inside goes on."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self


class Watching(ABC):
    """Runs `_watch` in a thread; `_over` is set, and the thread waited for, as the `with` block ends."""

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @abstractmethod
    def _watch(self) -> None:
        """Go on until `_over` is set."""
