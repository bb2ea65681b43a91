"""How a run looks while it runs: live on a terminal, plain lines elsewhere, both on stderr.

The time left is pages that are known to remain, over the rate of the last minutes; it is not shown before there is a rate. The
first commit starts the clock of that rate, so that loading a model is not taken for slow reading.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner

from pipeline.progress import Progress, Silent

_WINDOW_S = 300.0
_SETTLED_S = 3.0

Clock = Callable[[], float]


@contextmanager
def watch(stream: TextIO, *, quiet: bool = False) -> Iterator[Progress]:
    """Give a run its listener, and take what it drew off the screen at the end."""
    console = Console(file=stream)
    if quiet:
        yield Watcher(_Nothing(), time.monotonic)
    elif console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield Watcher(_Terminal(live), time.monotonic)
    else:
        yield Watcher(Lines(stream), time.monotonic)


@dataclass(slots=True)
class Counts:
    """What has happened so far, and how fast; times in seconds since the run began."""

    phase: str = "start"
    listed: int = 0
    documents_inspected: int = 0
    pages_inspected: int = 0
    pages_selected: int = 0
    pages: int = 0
    rejects: int = 0
    documents: int = 0
    commits: deque[tuple[float, int]] = field(default_factory=deque)

    def commit(self, at_s: float, pages: int) -> None:
        """Note a commit, and forget those that are too old to say how fast it goes now."""
        self.pages += pages
        self.commits.append((at_s, pages))
        while len(self.commits) > 2 and at_s - self.commits[0][0] > _WINDOW_S:
            self.commits.popleft()

    def rate(self, at_s: float) -> float | None:
        """Return pages a second of late, or None while that is a guess; it falls while nothing comes."""
        if len(self.commits) < 2:
            return None
        elapsed = max(at_s, self.commits[-1][0]) - self.commits[0][0]
        since = sum(pages for _, pages in self.commits) - self.commits[0][1]
        return since / elapsed if elapsed >= _SETTLED_S else None

    def left_s(self, at_s: float) -> float | None:
        """Return the seconds that the remaining pages will take, where that is known."""
        rate = self.rate(at_s)
        return max(self.pages_selected - self.pages, 0) / rate if rate else None

    def line(self, at_s: float) -> str:
        """Return all of it in one line."""
        parts = (
            [f"{self.pages:,} of {self.pages_selected:,} pages", f"{self.documents:,} documents"]
            if self.pages_selected
            else self._found()
        )
        if (rate := self.rate(at_s)) is not None:
            parts.append(f"{rate:.3g} pages/s")
        if self.rejects:
            parts.append(f"{self.rejects:,} rejects")
        if (left := self.left_s(at_s)) and self.pages < self.pages_selected:
            parts.append(f"about {duration(left)} left")
        return f"{self.phase}: {', '.join(parts)}" if parts else self.phase

    def _found(self) -> list[str]:
        found = [f"{self.listed:,} objects"] if self.listed else []
        if self.documents_inspected:
            found.append(f"{self.documents_inspected:,} inspected, {self.pages_inspected:,} pages in them")
        return found


class Screen(Protocol):
    """Where the counts are shown."""

    def show(self, counts: Counts, at_s: float, *, news: bool) -> None:
        """Show the counts; `news` says that a new phase began."""

    def say(self, text: str) -> None:
        """Show one remark, and keep it."""


class Watcher(Silent):
    """A listener that counts, and shows what it counted."""

    def __init__(self, screen: Screen, clock: Clock) -> None:
        self.counts = Counts()
        self._screen = screen
        self._clock = clock
        self._began = clock()

    def phase(self, name: str) -> None:
        self.counts.phase = name
        self._show(news=True)

    def listed(self, objects: int) -> None:
        self.counts.listed += objects
        self._show()

    def inspected(self, documents: int, pages: int) -> None:
        self.counts.documents_inspected += documents
        self.counts.pages_inspected += pages
        self._show()

    def selected(self, pages: int) -> None:
        self.counts.pages_selected += pages
        self._show()

    def committed(self, pages: int, rejects: int, documents: int) -> None:
        self.counts.commit(self._clock() - self._began, pages)
        self.counts.rejects += rejects
        self.counts.documents += documents
        self._show()

    def note(self, text: str) -> None:
        self._screen.say(text)

    def _show(self, *, news: bool = False) -> None:
        self._screen.show(self.counts, self._clock() - self._began, news=news)


class Lines:
    """Plain lines: at every new phase, then every few seconds at first and every minute later."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._next_s = 0.0
        self._elapsed_s = 0.0

    def show(self, counts: Counts, at_s: float, *, news: bool) -> None:
        self._elapsed_s = at_s
        if news or at_s >= self._next_s:
            self._next_s = at_s + min(max(at_s / 10, 5.0), 60.0)
            self.say(counts.line(at_s))

    def say(self, text: str) -> None:
        hours, rest = divmod(int(self._elapsed_s), 3600)
        print(f"{hours}:{rest // 60:02}:{rest % 60:02} {text}", file=self._stream, flush=True)


class _Terminal:
    def __init__(self, live: Live) -> None:
        self._live = live
        self._spinner = Spinner("dots")

    def show(self, counts: Counts, at_s: float, *, news: bool) -> None:
        del news
        self._spinner.update(text=counts.line(at_s))
        self._live.update(self._spinner)

    def say(self, text: str) -> None:
        self._live.console.print(text, highlight=False, markup=False)


class _Nothing:
    def show(self, counts: Counts, at_s: float, *, news: bool) -> None:
        del counts, at_s, news

    def say(self, text: str) -> None:
        del text


def duration(seconds: float) -> str:
    """Return a length of time as people say it: 40 s, 12 min, 3 h 20 min, 2 d 4 h."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
