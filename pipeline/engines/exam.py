"""The questions of the parity gate: fixed pages, drawn by arithmetic alone so that they are the same pixels everywhere.

Pure: no fonts, no files, no random numbers. What the right answers are, the reference says (parity.py).
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from schemas.box import Box
from schemas.view import Affine, Region, Request, View

ANSWER_TOKENS = 16
PROMPTS = (("form", "ocr"), ("form", "answer en what is the total?"), ("photo", "caption en"), ("photo", "detect total ; date"))
_LINES = ("INVOICE 2041", "DATE 2026-03-14", "ITEM 7 59.00", "TAX 14.50", "TOTAL 73.50")
# Five columns a letter, the lowest bit on top.
_LETTERS = {
    " ": (0, 0, 0, 0, 0),
    "-": (8, 8, 8, 8, 8),
    ".": (0, 96, 96, 0, 0),
    "0": (62, 81, 73, 69, 62),
    "1": (0, 66, 127, 64, 0),
    "2": (66, 97, 81, 73, 70),
    "3": (33, 65, 69, 75, 49),
    "4": (24, 20, 18, 127, 16),
    "5": (39, 69, 69, 69, 57),
    "6": (60, 74, 73, 73, 48),
    "7": (1, 113, 9, 5, 3),
    "9": (6, 73, 73, 41, 30),
    "A": (126, 17, 17, 17, 126),
    "C": (62, 65, 65, 65, 34),
    "D": (127, 65, 65, 34, 28),
    "E": (127, 73, 73, 73, 65),
    "I": (0, 65, 127, 65, 0),
    "L": (127, 64, 64, 64, 64),
    "M": (127, 2, 12, 2, 127),
    "N": (127, 4, 8, 16, 127),
    "O": (62, 65, 65, 65, 62),
    "T": (1, 1, 127, 1, 1),
    "V": (31, 32, 64, 32, 31),
    "X": (99, 20, 8, 20, 99),
}


def requests(resolution: int) -> list[Request]:
    """Return the questions for a checkpoint of this resolution; those on one page share its view."""
    views = {"form": _view(0, _form(resolution)), "photo": _view(1, _photo(resolution))}
    return [Request(views[page], prompt, ANSWER_TOKENS) for page, prompt in PROMPTS]


def digest(resolution: int) -> str:
    """Return the sha256 of all that is asked, so that answers to other questions are never taken for answers to these."""
    total = hashlib.sha256()
    for request in requests(resolution):
        total.update(f"{request.prompt}\0{request.max_tokens}\0".encode() + request.view.image.tobytes())
    return total.hexdigest()


def _view(page_index: int, image: NDArray[np.uint8]) -> View:
    side = float(image.shape[0])
    return View("parity", page_index, Region("page", Affine.of_box(Box(x0=0.0, y0=0.0, x1=side, y1=side))), image)


def _form(side: int) -> NDArray[np.uint8]:
    """Draw an invoice: lines of text of several sizes, hairlines, a grey block."""
    page = np.full((side, side), 255, np.uint8)
    top = side // 16
    for index, line in enumerate(_LINES):
        scale = max(1, side // 112 - index % 2)
        ink = np.kron(_letters(line), np.ones((scale, scale), np.uint8)).astype(bool)
        left = side // 20 + index * side // 50
        height, width = min(ink.shape[0], side - top), min(ink.shape[1], side - left)
        page[top : top + height, left : left + width][ink[:height, :width]] = 20
        top += ink.shape[0] + side // 24
        page[top - side // 48, side // 20 : -side // 20] = 90
    page[-side // 8 : -side // 12, side // 3 : -side // 5] = 170
    return np.repeat(page[:, :, None], 3, axis=2)


def _letters(line: str) -> NDArray[np.uint8]:
    """Return a line of text as 0 and 1, seven pixels high."""
    columns = np.array([column for letter in line for column in (*_LETTERS[letter], 0)], np.uint8)
    bits: NDArray[np.uint8] = (columns[None, :] >> np.arange(7, dtype=np.uint8)[:, None]).astype(np.uint8) & np.uint8(1)
    return bits


def _photo(side: int) -> NDArray[np.uint8]:
    """Draw colours that run into one another under a fine grain, which any resampling would blur."""
    y, x = np.mgrid[0:side, 0:side].astype(np.int64)
    slopes = np.stack([x * 255 // side, y * 255 // side, (x + y) * 255 // (2 * side)], axis=2)
    grain = (x * 7919 + y * 104729 + x * y * 31) % 97
    mixed: NDArray[np.int64] = np.clip(slopes + grain[:, :, None] - 48, 0, 255)
    return mixed.astype(np.uint8)
