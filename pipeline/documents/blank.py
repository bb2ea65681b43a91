"""Whether a page is blank, from a small gray picture of it; it knows neither documents nor text layers."""

import numpy as np
from numpy.typing import NDArray


def is_blank(gray: NDArray[np.uint8]) -> bool:
    """Say whether nothing stands on the page. `gray` has shape (height, width), some 72 dots an inch, 255 is white."""
    return bool(gray.min() >= 250)
