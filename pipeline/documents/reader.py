"""The child's side: one process that opens documents, and may die of them.

It obeys orders from standard input and answers on standard output until the input ends; a page that most often comes next is described
before it is asked for. It knows no storage, no job, no model.
"""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil, floor
from pathlib import Path
from typing import BinaryIO

import cv2
from pydantic import TypeAdapter

from pipeline.documents import confine
from pipeline.documents.blank import is_uniform
from pipeline.documents.document import Document, open_document
from pipeline.documents.gutters import grid_of
from pipeline.documents.picture import Pixels
from pipeline.documents.sheets import NewSheet, Sheets
from pipeline.documents.tiles import whole_page
from pipeline.documents.whitespace import PICTURE_PX, cut, find_print, in_order
from pipeline.documents.wire import (
    HEADER,
    Answer,
    DividePage,
    OpenDocument,
    Opened,
    Order,
    PageOrder,
    ProbePage,
    Ready,
    Refusal,
    RenderPage,
    Start,
    answers,
    frame,
    orders,
)
from pipeline.errors import DocumentError
from schemas.job import Limits
from schemas.view import Affine, Region

LIBRARIES = ("pipeline.documents.image", "pipeline.documents.pdf")
"""Loaded before the memory that they take is measured, and before the first document waits for them."""

Opener = Callable[[Path, Limits, Sequence[str], NewSheet], Document]


def main(opener: Opener = open_document, libraries: Sequence[str] = LIBRARIES) -> None:
    """Serve until standard input ends. Arguments: the parent's process id and the descriptor of the frames' memory."""
    confine.die_with(int(sys.argv[1]))
    frames_fd = int(sys.argv[2])
    orders_in, answers_out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2, 1)  # a library that prints must not break the messages
    limits = TypeAdapter(Start).validate_json(_read(orders_in)).limits
    confine.close_off()  # before libraries start threads, which inherit it
    for library in libraries:
        importlib.import_module(library)
    cv2.setNumThreads(1)  # there are as many readers as cores to use, and threads that wait for one another take time of all
    confine.forbid_writing()
    desk, answer = _Desk(opener, limits, frames_fd), Answer()
    confine.bound_memory(limits.memory)
    _send(answers_out, Answer(ready=Ready()))
    while payload := _read(orders_in):
        order = orders.validate_json(payload)
        if isinstance(order, PageOrder):
            desk.sheets.spare(order.lent)
        if not desk.has_foreseen(order):
            if _is_fatal(answer):  # of what was done ahead, which was not asked for
                return
            answer = _answer(desk, order)
        _send(answers_out, answer)
        if _is_fatal(answer):
            return
        if ahead := desk.foresee(order):  # while the parent is busy with the views
            answer = _answer(desk, ahead)


class _Desk:
    """The one document that is open."""

    def __init__(self, opener: Opener, limits: Limits, frames_fd: int) -> None:
        self._opener = opener
        self._limits = limits
        self.sheets = Sheets(frames_fd)
        self._document: Document | None = None
        self._probed: ProbePage | None = None
        self._foreseen: ProbePage | None = None

    def obey(self, order: Order) -> Answer:
        match order:
            case OpenDocument():
                return self._open(order)
            case ProbePage():
                self._probed = order
                return Answer(probe=self._page(order.page_index).probe(order.page_index, text_layer=order.text_layer))
            case RenderPage():
                return self._render(order)
            case DividePage():
                return Answer(regions=self._divide(order))

    def foresee(self, order: Order) -> ProbePage | None:
        """Return what is asked next: after a page was described and its views rendered, what the page after it is like, if it is wanted."""
        self._foreseen, probed = None, self._probed
        if self._document is None or probed is None or not probed.go_on or not isinstance(order, RenderPage):
            return None
        following = order.page_index + 1
        if probed.page_index == order.page_index and following < self._document.page_count:
            self._foreseen = ProbePage(page_index=following, text_layer=probed.text_layer, go_on=False)
        return self._foreseen

    def has_foreseen(self, order: Order) -> bool:
        """Say whether this is what was foreseen; whether the page after it is wanted too, only the order itself tells."""
        foreseen = self._foreseen
        if foreseen is None or not isinstance(order, ProbePage):
            return False
        if (order.page_index, order.text_layer) != (foreseen.page_index, foreseen.text_layer):
            return False
        self._probed = order
        return True

    def _open(self, order: OpenDocument) -> Answer:
        self._probed = None
        if self._document is not None:
            self._document.close()
            self._document = None
        self._document = document = self._opener(Path(order.path), self._limits, order.passwords, self.sheets.next)
        return Answer(opened=Opened(document.media_type, document.page_count, document.is_repaired))

    def _divide(self, order: DividePage) -> tuple[Region, ...]:
        """Divide the page as it would lie upright, and place the parts where they are."""
        document = self._page(order.page_index)
        seen = document.pose(order.page_index)
        pose = replace(seen, turn_deg=(seen.turn_deg + order.turn_deg) % 360)
        width_pt, height_pt = pose.upright_size_pt
        whole = whole_page(width_pt, height_pt)
        if order.tiling == "none":
            return (pose.placed(whole),)
        (picture,) = document.render(order.page_index, [pose.placed(whole).affine], PICTURE_PX)
        match order.tiling:
            case "grid":
                lines = in_order(find_print(picture, width_pt, height_pt))
                tiles = grid_of(lines, width_pt, height_pt, order.resolution)
                regions = [tile for tile in tiles if tile.places or not is_uniform(_within(picture, tile, whole))] or tiles[:1]
            case "whitespace" | "layout":
                is_known = order.tiling == "layout" and pose.is_upright
                blocks = document.layout(order.page_index) if is_known else ()
                regions = cut(picture, width_pt, height_pt, order.resolution, blocks)
        return tuple(pose.placed(region) for region in regions)

    def _render(self, order: RenderPage) -> Answer:
        affines = [Affine(*numbers) for numbers in order.affines]
        views = self._page(order.page_index).render(order.page_index, affines, order.resolution)
        return Answer(rendered=self.sheets.hold(views, len(affines) * order.resolution**2 * 3))

    def _page(self, page_index: int) -> Document:
        if self._document is None:
            raise DocumentError("render", "no_such_page", "no document is open")
        if not 0 <= page_index < self._document.page_count:
            count = self._document.page_count
            raise DocumentError("render", "no_such_page", f"page_index {page_index} of a document with {count} pages")
        return self._document


def _within(picture: Pixels, region: Region, whole: Region) -> Pixels:
    """Return the part of a picture of the whole page that shows a region, which lies upright on it."""
    height, width, _ = picture.shape
    part = region.affine.then(whole.affine.back()).box(0.0, 0.0, 1.0, 1.0)
    x0, y0 = max(floor(part.x0 * width), 0), max(floor(part.y0 * height), 0)
    return picture[y0 : ceil(part.y1 * height), x0 : ceil(part.x1 * width)]


def _answer(desk: _Desk, order: Order) -> Answer:
    try:
        return desk.obey(order)
    except DocumentError as exc:
        return Answer(refusal=Refusal(code=exc.code, message=str(exc), fatal=exc.code == "out_of_memory"))
    except MemoryError:
        return Answer(refusal=Refusal(code="out_of_memory", message="it needed more than limits.memory", fatal=True))


def _is_fatal(answer: Answer) -> bool:
    return answer.refusal is not None and answer.refusal.fatal


def _read(file: BinaryIO) -> bytes:
    header = file.read(HEADER.size)
    return file.read(HEADER.unpack(header)[0]) if header else b""


def _send(file: BinaryIO, answer: Answer) -> None:
    file.write(frame(answers.dump_json(answer)))
    file.flush()
