"""Documents that hang, eat memory or burst: made to be as bad as PDFs get, in a few kilobytes each. Nothing here knows how they are read."""

import zlib
from collections.abc import Iterable, Mapping
from functools import cache

_CATALOG = (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>")
_FONT = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"


@cache
def laughs(levels: int = 12, width: int = 12) -> bytes:
    """Return a page that draws a form that draws a form twelve times, and so on: it would be done in thousands of years."""
    last = _stream(b"/Type/XObject/Subtype/Form/BBox[0 0 200 200]", [b"0 0 m 9 9 l S\n" * width])
    forms = [
        _stream(
            b"/Type/XObject/Subtype/Form/BBox[0 0 200 200]/Resources<</XObject<</F %d 0 R>>>>" % (6 + level),
            [b"/F Do\n" * width],
        )
        for level in range(levels - 1)
    ]
    return _page(b"/XObject<</F 5 0 R>>", _stream(b"", [b"/F Do"]), *forms, last)


@cache
def glutton(letters: int = 40_000_000) -> bytes:
    """Return a page with millions of letters on top of each other, in 130 KB: whoever keeps each has no memory left."""
    words = b"(the quick brown fox jumps over the lazy dog) Tj\n"
    return _page(_FONT, _stream(b"", [b"BT /F 5 Tf 10 10 Td ", *[words * 20_000] * (letters // (44 * 20_000)), b"ET"]))


@cache
def burst(megabytes: int = 200) -> bytes:
    """Return a page of a megabyte whose content unpacks to two hundred, of nothing but states that are saved and never restored."""
    return _page(b"", _stream(b"", [b"q " * 500_000] * megabytes))


@cache
def poster(side_px: int = 32_000) -> bytes:
    """Return a page that shows an image of a thousand million pixels, all of them there."""
    image = b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 1" % (side_px, side_px)
    rows = [bytes(side_px // 8 * 1000)] * (side_px // 1000)
    return _page(b"/XObject<</I 5 0 R>>", _stream(b"", [b"200 0 0 200 0 0 cm /I Do"]), _stream(image, rows))


@cache
def nest(depth: int = 300_000) -> bytes:
    """Return a page whose resources are brackets within brackets, deeper than any stack."""
    return _page(b"/X " + b"[" * depth + b"]" * depth, _stream(b"", [b"0 0 m 9 9 l S"]))


def fine(words: str) -> bytes:
    """Return a page that says something, and does nothing else."""
    return _page(_FONT, _stream(b"", [b"BT /F 12 Tf 20 160 Td (%b) Tj ET" % words.encode()]))


MADE = {"laughs": laughs, "glutton": glutton, "burst": burst, "poster": poster, "nest": nest}


def another(data: bytes, number: int) -> bytes:
    """Return the same document with other bytes, so that it is a document of its own."""
    return data + b"\n%% number %d" % number


def hostile(share: float, of: int) -> Mapping[str, bytes]:
    """Return that share of `of` documents, of every kind in turn, by names that say the kind."""
    kinds = list(MADE)
    return {
        f"{kinds[number % len(kinds)]}-{number:04}.pdf": another(MADE[kinds[number % len(kinds)]](), number)
        for number in range(round(share * of))
    }


def _page(resources: bytes, content: bytes, *more: bytes) -> bytes:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<<" + resources + b">>/Contents 4 0 R>>"
    return _file([*_CATALOG, page, content, *more])


def _stream(entries: bytes, pieces: Iterable[bytes]) -> bytes:
    packing = zlib.compressobj(1)
    data = b"".join([*map(packing.compress, pieces), packing.flush()])
    return b"<<" + entries + b"/Filter/FlateDecode/Length %d>>stream\n" % len(data) + data + b"\nendstream"


def _file(objects: list[bytes]) -> bytes:
    data, places = bytearray(b"%PDF-1.7\n"), []
    for number, each in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
    data += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, end)
    return bytes(data)
