"""A PDF behind a password, the same bytes every time: PyMuPDF draws a new file ID whenever it encrypts.

The standard handler of revision 3 (RC4, 128 bits; PDF 1.7, 7.6.3), which every reader opens. It knows files as jobs.synth.pdf
writes them: numbered objects, strings nowhere, one trailer. RC4 keeps lengths, so the cross references stay right.
"""

import hashlib
import re
from itertools import cycle

_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
_PERMISSIONS = -4
_STREAM = re.compile(rb"(\d+) 0 obj\n(?:(?!endobj).)*?/Length (\d+)[^\n]*\nstream\n", re.DOTALL)


def locked(plain: bytes, password: str) -> bytes:
    """Return the PDF encrypted; `password` opens it, for reader and owner alike."""
    file_id = _md5(plain)
    padded = (password.encode("latin-1") + _PADDING)[:32]
    owner = _stretched(_often(padded), padded)
    key = _often(padded + owner + _PERMISSIONS.to_bytes(4, "little", signed=True) + file_id)
    user = _stretched(key, _md5(_PADDING + file_id)) + bytes(16)
    data = bytearray(plain)
    for match in _STREAM.finditer(plain):
        number, length = int(match[1]), int(match[2])
        own = _md5(key + number.to_bytes(3, "little") + bytes(2))
        data[match.end() : match.end() + length] = _rc4(own, plain[match.end() : match.end() + length])
    entry = f"/ID[<{file_id.hex()}><{file_id.hex()}>]/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P {_PERMISSIONS}"
    entry += f"/O<{owner.hex()}>/U<{user.hex()}>>>"
    trailer = plain.rindex(b"trailer\n<<") + len(b"trailer\n<<")
    return bytes(data[:trailer]) + entry.encode() + bytes(data[trailer:])


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _often(data: bytes) -> bytes:
    """Return the digest of the digest of …, 51 times in all: algorithms 2 and 3."""
    for _ in range(51):
        data = _md5(data)
    return data


def _stretched(key: bytes, data: bytes) -> bytes:
    """Return the data encrypted twenty times, with the key and with it changed by each number up to 19."""
    for turn in range(20):
        data = _rc4(bytes(byte ^ turn for byte in key), data)
    return data


def _rc4(key: bytes, data: bytes) -> bytes:
    box = list(range(256))
    j = 0
    for i, byte in zip(range(256), cycle(key), strict=False):
        j = (j + box[i] + byte) % 256
        box[i], box[j] = box[j], box[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)
