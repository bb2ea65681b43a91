"""What lies beyond the part of a page that a padded view shows: white, whatever the page has there."""

import numpy as np
from numpy.typing import NDArray

from schemas.view import Region

_WHITE = 255


def padded(pixels: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    """Return a view of a region, (n, n, 3), as it is, or, if it is padded, a copy that is white to the right of the region and below it."""
    if not region.is_padded:
        return pixels
    along, down = region.part
    height, width = pixels.shape[:2]
    whitened = pixels.copy()
    whitened[:, round(along * width) :] = _WHITE
    whitened[round(down * height) :] = _WHITE
    return whitened
