"""COCO's uncompressed run-length encoding of a mask, as JSON: runs down the columns, the first of them outside."""

import json

import numpy as np
from numpy.typing import NDArray


def encode_rle(mask: NDArray[np.bool_]) -> str:
    """Return {"size": [rows, columns], "counts": [...]} of a mask of shape (rows, columns)."""
    pixels = np.concatenate([[False], mask.ravel(order="F")])
    edges = np.flatnonzero(pixels[1:] != pixels[:-1])
    counts = np.diff(np.concatenate([[0], edges, [mask.size]]))
    return json.dumps({"size": list(mask.shape), "counts": counts.tolist()}, separators=(",", ":"))


def decode_rle(text: str) -> NDArray[np.bool_]:
    """Return the mask, of shape (rows, columns). Raises ValueError where the runs do not fill it."""
    encoded = json.loads(text)
    rows, columns = encoded["size"]
    counts = encoded["counts"]
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, counts).reshape((rows, columns), order="F")
