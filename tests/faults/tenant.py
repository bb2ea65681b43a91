"""Somebody else's program on the same Ray: it fills the object store and the disk that it spills to, says FULL, and keeps them so.

It ends with its stdin, and what it held is free again.
"""

import os
import sys

import numpy as np
import ray
from ray.exceptions import ObjectStoreFullError, OutOfDiskError

LARGEST_BYTES, SMALLEST_BYTES = 1 << 20, 1 << 10


def main() -> None:
    """Put objects until not even a small one has room."""
    ray.init(address=os.environ["RAY_ADDRESS"], log_to_driver=False)
    held, size_bytes = [], LARGEST_BYTES
    while size_bytes >= SMALLEST_BYTES:
        try:
            held.append(ray.put(np.zeros(size_bytes, np.uint8)))
        except (ObjectStoreFullError, OutOfDiskError):
            size_bytes //= 2
    sys.stdout.write(f"FULL of {len(held)} objects\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
