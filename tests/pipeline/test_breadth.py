"""Whatever people send, and whatever it does to the process that opens it, ends as rows that say so."""

import io
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pymupdf
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from pipeline.documents.child import Child
from schemas.job import Limits

ROOT = Path(__file__).parents[2]
HOSTILE = (sys.executable, "-I", "-B", str(Path(__file__).parent / "documents" / "hostile_reader.py"), str(ROOT))
MANY = 20_000
STRICT = Limits(pages=MANY - 1, pixels=3_000_000, bytes=4_000_000)
IMPATIENT = Limits(seconds_per_page=2, memory=500_000_000)

Rows = list[dict[str, object]]


def encrypted(pdf: bytes) -> bytes:
    with pymupdf.open(stream=pdf) as document:
        return document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="user", owner_pw="owner")


def pages(count: int) -> bytes:
    """Return a PDF of so many empty pages."""
    kids = b" ".join(b"%d 0 R" % number for number in range(3, count + 3))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>"
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count %d/Kids[%b]>>" % (count, kids), *[page] * count]
    data, places = bytearray(b"%PDF-1.7\n"), []
    for number, each in enumerate(objects, 1):
        places.append(b"%010d 00000 n \n" % len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table, size = b"".join(places), len(objects) + 1
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, len(data))
    return bytes(data) + b"xref\n0 %d\n0000000000 65535 f \n%b%b" % (size, table, end)


def without_last_object(pdf: bytes) -> bytes:
    """Cut a PDF off before its last object, which is what is drawn on its page."""
    return pdf[: pdf.rindex(b"endobj", 0, pdf.rindex(b"endobj"))] + b"endobj\n"


def plan() -> bytes:
    """Return a page of 10^5 points, which is 35 m, with words to match."""
    with pymupdf.open() as document:
        document.new_page(width=100_000, height=100_000).insert_text((20_000, 50_000), "a plan", fontsize=12_000)
        return document.tobytes()


def picture(words: str, file_format: str = "PNG") -> bytes:
    image = Image.new("L", (300, 200), 255)
    ImageDraw.Draw(image).text((20, 20), words, fill=0, font=ImageFont.load_default(24))
    return _stored(image, file_format)


def bomb() -> bytes:
    """Return a PNG of a few hundred bytes that says it has 3,600 million pixels."""
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(99))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def in_pdf(image: bytes) -> bytes:
    with pymupdf.open() as document:
        document.new_page(width=595, height=842).insert_image(pymupdf.Rect(0, 0, 595, 842), stream=image, keep_proportion=False)
        return document.tobytes()


def show_through() -> bytes:
    """Return a scan of an empty page through which the print of the other side shines: faint, blurred and mirrored."""
    other = Image.new("L", (1240, 1754), 255)
    for row in range(40):
        ImageDraw.Draw(other).text(
            (120, 150 + 36 * row), "the quick brown fox jumps over the lazy dog", fill=0, font=ImageFont.load_default(26)
        )
    ghost = 255 - np.asarray(ImageOps.mirror(other).filter(ImageFilter.GaussianBlur(1.5)), dtype=np.float64)
    grain = np.random.default_rng(3).normal(0, 3, ghost.shape)
    return _stored(Image.fromarray(np.clip(244 + grain - 0.15 * ghost, 0, 255).astype(np.uint8)), "JPEG")


def _stored(image: Image.Image, file_format: str) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format)
    return file.getvalue()


# name: (what it is, the document's status, its failures' codes, and of each page its status and codes)
Expected = tuple[Callable[[Callable[..., bytes]], bytes], str, list[str], list[tuple[str, list[str]]]]
SENT: dict[str, Expected] = {
    "encrypted.pdf": (lambda pdf: encrypted(pdf("secret")), "failed", ["password_needed"], []),
    "truncated.pdf": (lambda pdf: pdf("one")[:300], "failed", ["damaged"], []),
    "cut.pdf": (lambda pdf: without_last_object(pdf("one")), "failed", ["repaired"], [("failed", ["damaged"])]),
    "without-end.pdf": (lambda pdf: pdf("one")[: pdf("one").rindex(b"startxref")], "ok", ["repaired"], [("ok", [])]),
    "truncated.png": (lambda _: picture("one")[:-400], "failed", [], [("failed", ["damaged"])]),
    "empty.pdf": (lambda _: b"", "failed", ["empty"], []),
    "letter.pdf": (lambda _: b"Dear Sir or Madam, this is a letter.\n" * 9, "failed", ["unknown_type"], []),
    "picture.pdf": (lambda _: picture("a picture"), "ok", [], [("ok", [])]),
    "document.png": (lambda pdf: pdf("a document"), "ok", [], [("ok", [])]),
    "no-pages.pdf": (lambda _: pages(0), "failed", ["no_pages"], []),
    "vast.pdf": (lambda _: plan(), "ok", [], [("ok", [])]),
    "many.pdf": (lambda _: pages(MANY), "failed", ["too_many_pages"], []),
    "bomb.png": (lambda _: bomb(), "failed", ["too_many_pixels"], []),
    "large.pdf": (lambda _: in_pdf(_stored(Image.new("L", (2000, 2000)), "PNG")), "failed", [], [("failed", ["too_many_pixels"])]),
    "heavy.pdf": (lambda _: b"%PDF-1.7\n" + bytes(STRICT.bytes), "failed", ["too_many_bytes"], []),
    "show-through.jpg": (lambda _: show_through(), "ok", [], [("blank", [])]),
    "show-through.pdf": (lambda _: in_pdf(show_through()), "ok", [], [("blank", [])]),
}  # fmt: skip


def test_whatever_is_sent_ends_as_rows_that_say_so(machine, tmp_path):
    """Each document has a row with its status and the reason, each page that can be counted too, and blank ones cost no request."""
    with Child(STRICT) as inspecting, Child(STRICT) as reading:
        mill = machine.Mill(tmp_path, (inspecting, reading))
        for name, (made, *_) in SENT.items():
            mill.put(name, made(machine.pdf))
        ran = mill.run(mill.job(limits=STRICT))
    assert not ran.left
    assert {name: _ended(mill, name) for name in SENT} == {name: tuple(expected) for name, (_, *expected) in SENT.items()}
    assert ran.requests == sum(status == "ok" for *_, each in SENT.values() for status, _ in each)
    assert mill.verify().is_exact


@pytest.fixture
def hostile(machine: ModuleType, tmp_path: Path) -> Iterator[object]:
    """Return a Mill whose documents misbehave as their first words say (see documents/hostile_reader.py)."""
    with Child(IMPATIENT, command=HOSTILE) as inspecting, Child(IMPATIENT, command=HOSTILE) as reading:
        yield machine.Mill(tmp_path, (inspecting, reading))


@pytest.mark.parametrize(("does", "code"), [("segfault", "crashed"), ("loop", "timeout"), ("eat", "out_of_memory")])
def test_whatever_a_document_does_to_its_process_ends_as_rows(hostile, does, code):
    """A crash, an endless loop and a flood of memory cost the page they happen on, or the document that cannot be opened for them."""
    hostile.put("page.pdf", f"probe {does}".encode())
    hostile.put("whole.pdf", f"open {does}".encode())
    hostile.put("harmless.pdf", b"nothing")
    ran = hostile.run()
    assert not ran.left
    assert _ended(hostile, "page.pdf") == ("partial", [], [("failed", [code]), ("ok", [])])
    assert _ended(hostile, "whole.pdf") == ("failed", [code], [])
    assert _ended(hostile, "harmless.pdf") == ("ok", [], [("ok", []), ("ok", [])])
    assert hostile.verify().is_exact


@pytest.mark.slow
def test_each_of_twenty_thousand_pages_has_its_row(mill):
    """A file of as many pages as limits.pages allows by default is read to its last page."""
    mill.put("many.pdf", pages(MANY))
    ran = mill.run(units_per_part=50)
    assert (ran.selected.pages, ran.requests, ran.left) == (MANY, 0, [])
    report = mill.verify()
    assert report.is_exact
    assert (report.documents, report.pages, report.pages_blank) == (1, MANY, MANY)


def _ended(mill, name: str) -> tuple[object, list[object], list[tuple[object, list[object]]]]:
    """Return how a document ended: its status and failures, and those of its pages."""
    document = mill.document(name)
    rows = [row for row in mill.rows() if row["source_uri"] == str(mill.source / name)]
    assert [row["page_index"] for row in rows] == list(range(document["page_count"] or 0))
    return document["status"], _codes(document), [(row["status"], _codes(row)) for row in rows]


def _codes(row: dict[str, object]) -> list[object]:
    return [failure["code"] for failure in row["failures"]]
