"""The parent's side of reading documents: they are opened in a process that may be killed, however they misbehave.

A crash, a hang or a runaway allocation ends that process, never the caller: the call raises DocumentError, and the next call
starts a fresh process and opens the document again. Where somebody killed it, fresh ones are asked before the document is
blamed: the kernel does so for whoever has taken the memory. A Child serves one thread at a time.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import prod
from pathlib import Path
from sys import executable
from types import TracebackType
from typing import Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from pipeline.documents.padding import padded
from pipeline.documents.process import Died, Process
from pipeline.documents.textlayer import TextLayer
from pipeline.documents.tiles import whole_page
from pipeline.documents.wire import (
    Answer,
    DividePage,
    OpenDocument,
    Opened,
    PageOrder,
    PageProbe,
    ProbePage,
    RenderPage,
    Start,
    answers,
)
from pipeline.errors import DocumentError, RunError
from schemas.job import Limits, Tiling
from schemas.page import Stage
from schemas.view import Region

__all__ = ["Child", "Opened", "PageProbe", "TextLayer"]

_BOOT = "import sys; sys.path.insert(0, sys.argv.pop(1)); from pipeline.documents.reader import main; main()"
COMMAND = (executable, "-I", "-B", "-c", _BOOT, str(Path(__file__).parents[2]))
"""The environment is empty and the interpreter isolated from it, so it is told where this package lies."""

Turn = Literal[0, 90, 180, 270]
T = TypeVar("T")
_START_TIMEOUT_S = 300.0
_MOST_TRIES = 3
_OPEN_PAGES = 4
"""Opening may take as long as so many pages: it reads a PDF's whole cross-reference table, and repairs it where it is broken."""


class _Blameless(DocumentError):
    """The process ended of something else than what it was asked: somebody killed it, or it was ahead on the page that comes next."""


class Child:
    """A process that reads one document after another within `limits`; it starts at the first call.

    `scratch` is the folder it runs in (it can write nothing, there or elsewhere); `command` is what is started, for tests.
    """

    def __init__(self, limits: Limits, *, scratch: Path | None = None, command: Sequence[str] = COMMAND) -> None:
        self._limits = limits
        self._scratch = scratch
        self._command = tuple(command)
        self._process: Process | None = None
        self._order: OpenDocument | None = None
        self._is_open = False
        self._probe: PageProbe | None = None  # of the page that was described last
        self._ahead: int | None = None  # the page that the process may be at without having been asked

    def open(self, path: Path, *, passwords: Sequence[str] = ()) -> Opened:
        """Open a document, closing the one before; raise DocumentError of stage "open"."""
        self._probe = None
        self._order = order = OpenDocument(path=os.fspath(path.absolute()), passwords=tuple(passwords))
        return _outliving(lambda: self._open(order))

    def probe(self, page_index: int, *, text_layer: bool, go_on: bool = True) -> PageProbe:
        """Describe a page of the open document; raise DocumentError of stage "render".

        `go_on` says that the page after it will be asked for: it is drawn while the caller is busy with this one's views.
        """
        answer = self._asked(ProbePage(page_index=page_index, text_layer=text_layer, go_on=go_on))
        if answer.probe is None:
            raise self._misled("render")
        self._probe = answer.probe
        return answer.probe

    def regions(self, page_index: int, tiling: Tiling, resolution: int, turn_deg: Turn = 0) -> list[Region]:
        """Return what the model should look at, in reading order; raise DocumentError of stage "render".

        `tiling` "none" gives one region, the page as a whole, named "page". `turn_deg` turns the page from how it seems to lie.
        """
        known = self._probe
        if tiling == "none" and known and known.page_index == page_index and known.turn_deg == turn_deg == known.skew_deg == 0:
            return [whole_page(known.width_pt, known.height_pt)]  # as the process would say
        answer = self._asked(DividePage(page_index=page_index, tiling=tiling, resolution=resolution, turn_deg=turn_deg))
        if not answer.regions:
            raise self._misled("render")
        return list(answer.regions)

    def render(self, page_index: int, regions: Sequence[Region], resolution: int) -> list[NDArray[np.uint8]]:
        """Render regions of a page, each RGB of shape (resolution, resolution, 3), and pad what is to be padded.

        Arrays may be read-only, and stay as they are for as long as they are kept. Raises DocumentError of stage "render".
        """
        if not regions:
            return []
        maps = (region.frame for region in regions)
        affines = tuple((each.a, each.b, each.c, each.d, each.e, each.f) for each in maps)
        shape = (resolution, resolution, 3)
        order = RenderPage(page_index=page_index, affines=affines, resolution=resolution)
        answer = self._asked(order, reserve=len(regions) * prod(shape))
        self._ahead = page_index + 1
        if answer.rendered is None or len(answer.rendered) != len(regions):
            raise self._misled("render")
        try:
            images = self._running().frames.at(answer.rendered, shape)
        except ValueError as exc:
            raise self._misled("render") from exc
        return [padded(image, region) for image, region in zip(images, regions, strict=True)]

    def close(self) -> None:
        """End the process; `open` would start another."""
        self._order = None
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _open(self, order: OpenDocument) -> Opened:
        self._is_open = False
        answer = self._ask("open", order, self._limits.seconds_per_page * _OPEN_PAGES)
        if answer.opened is None:
            raise self._misled("open")
        self._is_open = True
        return answer.opened

    def _asked(self, order: PageOrder, *, reserve: int = 0) -> Answer:
        """Ask for something of a page of the open document; `reserve` is how many bytes of frames it will give."""

        def ask() -> Answer:
            frames = self._reopen().frames
            frames.reserve(reserve)
            return self._ask("render", order.model_copy(update={"lent": frames.lent}), self._limits.seconds_per_page)

        return _outliving(ask)

    def _reopen(self) -> Process:
        """Return the process with the document open, starting and opening again where it died."""
        if self._order is None:
            raise DocumentError("open", "unreadable", "no document is open")
        if self._process is None or not self._is_open:
            self._open(self._order)
        return self._running()

    def _running(self) -> Process:
        if self._process is None:
            self._process = Process(self._command, self._scratch)
            try:
                self._process.ask(Start(limits=self._limits).model_dump_json().encode(), _START_TIMEOUT_S)
            except (TimeoutError, Died) as exc:
                self._end()
                if isinstance(exc, Died) and exc.was_killed:
                    raise _Blameless("open", exc.code, str(exc)) from exc
                raise RunError(
                    f"the process that reads documents does not start: {str(exc) or f'no answer in {_START_TIMEOUT_S:g} s'}"
                ) from exc
        return self._process

    def _ask(self, stage: Stage, order: OpenDocument | PageOrder, timeout_s: float) -> Answer:
        """Send an order and return its answer; whatever else happens ends the process, so that no answer comes to a later order."""
        process = self._running()
        answered, own_fault = False, self._ahead is None or _page_of(order) == self._ahead
        self._ahead = None
        try:
            answer = answers.validate_json(process.ask(order.model_dump_json().encode(), timeout_s))
            answered = answer.refusal is None or not answer.refusal.fatal
        except TimeoutError as exc:
            error = DocumentError if own_fault else _Blameless
            raise error(stage, "timeout", f"not done within {timeout_s:g} s (limits.seconds_per_page)") from exc
        except Died as exc:
            error = DocumentError if own_fault and not exc.was_killed else _Blameless
            raise error(stage, exc.code, str(exc)) from exc
        except ValidationError as exc:
            raise self._misled(stage) from exc
        finally:
            if not answered:
                self._end()
        if answer.refusal is not None:
            raise DocumentError(stage, answer.refusal.code, self._unplaced(answer.refusal.message))
        return answer

    def _unplaced(self, message: str) -> str:
        """Return what was said of the document without where this node keeps it: rows say the same wherever they were made."""
        return message.replace(self._order.path, "the document") if self._order else message

    def _misled(self, stage: Stage) -> DocumentError:
        self._end()
        return DocumentError(stage, "crashed", "the process that reads documents answered something that was not asked")

    def _end(self) -> None:
        self._is_open, self._ahead = False, None
        if self._process is not None:
            self._process.end()
            self._process = None


def _page_of(order: OpenDocument | PageOrder) -> int | None:
    return None if isinstance(order, OpenDocument) else order.page_index


def _outliving(ask: Callable[[], T]) -> T:
    """Return what is asked for, of a fresh process where one ended of something else."""
    for _ in range(_MOST_TRIES - 1):
        with suppress(_Blameless):
            return ask()
    return ask()
