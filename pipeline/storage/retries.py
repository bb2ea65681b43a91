"""Requests that had to be made again, counted once each, however many threads share a store."""

import threading

from pipeline.storage.base import Store


class NewRetries:
    """How many requests some stores have made again since this was last asked."""

    def __init__(self, *stores: Store) -> None:
        self._stores, self._told, self._lock = stores, 0, threading.Lock()

    def take(self) -> int:
        """Return those that nobody was told of yet."""
        with self._lock:
            total = sum(store.retries for store in self._stores)
            new, self._told = total - self._told, total
        return new
