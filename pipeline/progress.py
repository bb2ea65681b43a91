"""What a run tells whoever watches it. Counts are increments, never totals; the machine does not know who listens or how it looks.

Times are the listener's own business: the machine reports a thing when it has happened and reads no clock for it.
"""

from typing import Protocol


class Progress(Protocol):
    """A listener. Calls come from the driver's thread alone and must return at once."""

    def phase(self, name: str) -> None:
        """Say what begins: "list", "inspect", "select", "pass 1 of 2", "publish"."""

    def listed(self, objects: int) -> None:
        """Say that so many more source objects were listed."""

    def inspected(self, documents: int, pages: int) -> None:
        """Say that so many more documents were inspected, with so many pages in them."""

    def selected(self, pages: int) -> None:
        """Say that so many more pages remain to be read: together, all that this run has before it."""

    def committed(self, pages: int, rejects: int, documents: int) -> None:
        """Say that so many more pages are done for good, how many of them were rejected, and how many documents that completed."""

    def note(self, text: str) -> None:
        """Say one thing a person should know now: a worker was lost, a store throttles."""


class Silent:
    """A listener that hears nothing."""

    def phase(self, name: str) -> None:
        del name

    def listed(self, objects: int) -> None:
        del objects

    def inspected(self, documents: int, pages: int) -> None:
        del documents, pages

    def selected(self, pages: int) -> None:
        del pages

    def committed(self, pages: int, rejects: int, documents: int) -> None:
        del pages, rejects, documents

    def note(self, text: str) -> None:
        del text
