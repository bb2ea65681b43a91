"""Broken inputs from whole ones, by seed: bytes for documents, text for answers. They need no coverage and no library, only time."""

import random

_NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"255",
    b"65536",
    b"2147483647",
    b"-2147483648",
    b"4294967296",
    b"99999999999999999999",
    b"1e308",
    b"NaN",
)
_WORDS = (
    b"/Kids",
    b"/Parent",
    b"/Length",
    b"/Filter",
    b"/FlateDecode",
    b"/JBIG2Decode",
    b"/MediaBox",
    b"/Contents",
    b"<<",
    b">>",
    b"[",
    b"stream",
)
_PIECES = (
    "<loc0000>", "<loc1023>", "<loc9999>", "<seg000>", "<seg127>", "<td", "</table>", "<tr>", ";", "\n", "\x00", "\ud7ff", "\u202e", "٣", "½",
    "1e999", "-", "€", "99/99/9999", "<", "&amp", "nan", "∞", " " * 50, "\U0001f600",
)  # fmt: skip


def mutated(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """Return a document with one to a few faults; `other` lends pieces."""
    broken = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        _break(broken, other, rng)
    return bytes(broken)


def garbled(text: str, rng: random.Random) -> str:
    """Return an answer with one to a few faults."""
    for _ in range(rng.choice((1, 2, 4, 8))):
        at = rng.randrange(len(text) + 1)
        to = min(len(text), at + rng.choice((0, 1, 3, 20)))
        piece = rng.choice((rng.choice(_PIECES), text[at:to] * rng.choice((0, 2, 30)), chr(rng.randrange(1, 0xD7FF))))
        text = text[:at] + piece + text[to:]
    return text


def _break(data: bytearray, other: bytes, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    length = min(len(data) - at, rng.choice((1, 2, 4, 16, 200, 5000)))
    match rng.randrange(8):
        case 0:
            del data[at:]
        case 1:
            del data[at : at + length]
        case 2:
            data[at:at] = data[at : at + length] * rng.choice((1, 2, 50))
        case 3:
            data[at : at + length] = rng.randbytes(length)
        case 4:
            start = rng.randrange(len(other) + 1)
            data[at : at + length] = other[start : start + length]
        case 5:
            _swap_token(data, at, rng)
        case 6:
            data[at : at + length] = bytes([rng.choice((0, 1, 127, 128, 255))]) * length
        case _:
            for position in range(at, at + length):
                data[position] ^= 1 << rng.randrange(8)


def _swap_token(data: bytearray, at: int, rng: random.Random) -> None:
    """Put another number in the place of the next one, or another word of PDF's into the text."""
    start = next((position for position in range(at, min(at + 2000, len(data))) if chr(data[position]).isdigit()), None)
    if start is None or rng.random() < 0.3:
        data[at:at] = rng.choice(_WORDS)
        return
    end = start
    while end < len(data) and chr(data[end]).isdigit():
        end += 1
    data[start:end] = rng.choice(_NUMBERS)
