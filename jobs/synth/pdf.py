"""Drawn pages as a born-digital PDF, the same bytes for the same pages.

The fonts are base-14 and not embedded, so a page takes one or two kilobytes.
"""

import re
from collections.abc import Sequence

import pymupdf

from jobs.synth.canvas import Canvas

_WRITER = re.compile(rb"/Info<</Producer\([^)]*\)>>")


def pdf(canvases: Sequence[Canvas], *, turned: bool = False) -> bytes:
    """Return the pages as a PDF; `turned` stores each lying on its side, with the /Rotate that sets it upright again."""
    with pymupdf.open() as document:
        for canvas in canvases:
            _add(document, canvas, turned=turned)
        return saved(document)


def saved(document: pymupdf.Document) -> bytes:
    """Return a document's bytes without anything that differs from one time to the next."""
    data: bytes = document.tobytes(garbage=3, deflate=True, no_new_id=True)
    # The writer's name and version say nothing of the document; blanks in their place keep every offset.
    return _WRITER.sub(lambda match: b" " * len(match[0]), data)


def _add(document: pymupdf.Document, canvas: Canvas, *, turned: bool) -> None:
    width, height = (canvas.height, canvas.width) if turned else (canvas.width, canvas.height)
    page = document.new_page(width=width, height=height)
    for code in canvas.font_codes:
        page.insert_font(fontname=code)
    content = canvas.content
    if turned:
        # A quarter turn to the left, which /Rotate 90 undoes.
        content = f"0 1 -1 0 {canvas.height:.3f} 0 cm\n".encode() + content
    stream = document.get_new_xref()
    document.update_object(stream, "<<>>")
    document.update_stream(stream, content, new=True)
    page.set_contents(stream)
    if turned:
        page.set_rotation(90)
