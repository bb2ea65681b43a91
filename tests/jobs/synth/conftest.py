"""Pages as pixels, for tests that look whether the truth lies on the ink."""

from collections.abc import Callable

import numpy as np
import pymupdf
import pytest
from numpy.typing import NDArray

from schemas.truth import DocumentTruth

SCALE = 3.0
"""Pixels a point."""

Gray = NDArray[np.uint8]


@pytest.fixture(scope="session")
def pages_as_seen() -> Callable[[bytes, DocumentTruth], list[Gray]]:
    """Return a function that renders a document's pages at SCALE, in gray, by the sizes that the truth gives."""
    return _rendered


def _rendered(data: bytes, truth: DocumentTruth) -> list[Gray]:
    with pymupdf.open(stream=data) as document:
        if truth.password:
            assert document.authenticate(truth.password)
        assert document.page_count == len(truth.pages)
        return [_gray(document[page.page_index], page.width_pt, page.height_pt) for page in truth.pages]


def _gray(page: pymupdf.Page, width_pt: float, height_pt: float) -> Gray:
    across, down = SCALE * width_pt / page.rect.width, SCALE * height_pt / page.rect.height
    pixels = page.get_pixmap(matrix=pymupdf.Matrix(across, down), colorspace=pymupdf.csGRAY, alpha=False)
    return np.frombuffer(pixels.samples, dtype=np.uint8).reshape(pixels.height, pixels.width)
