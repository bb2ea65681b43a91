"""What lies beyond the part of a page that a padded view shows: white, whatever the page has there."""

import numpy as np
from numpy.typing import NDArray

from schemas.view import Region

_WHITE = 255


def pad(pixels: NDArray[np.uint8], region: Region) -> None:
    """Whiten a view of a region, (n, n, 3), to the right of the region and below it."""
    along, down = region.part
    height, width = pixels.shape[:2]
    pixels[:, round(along * width) :] = _WHITE
    pixels[round(down * height) :] = _WHITE
