"""Which examples are learned from and which are held out to be asked at the end: whole documents, chosen by their uri."""

import hashlib
from collections.abc import Sequence

from jobs.train.examples import Example


def split(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Return what to learn and what to ask. Adding documents moves none from one side to the other but at the border."""
    documents = sorted(
        {example.uri for example in examples}, key=lambda uri: hashlib.sha256(f"{seed}\0{uri}".encode()).digest()
    )
    count = min(len(documents) - 1, max(1, round(share * len(documents)))) if share > 0 else 0
    held_out = set(documents[:count])
    return [each for each in examples if each.uri not in held_out], [each for each in examples if each.uri in held_out]
