"""Documents without end, for a trainer: one for each seed, its kind and finish drawn from the seed too."""

from collections.abc import Iterable, Iterator, Sequence

from jobs.synth.document import KINDS, Split, generate, stream
from jobs.synth.finish import Finish
from schemas.truth import DocumentTruth

READABLE: tuple[str, ...] = tuple(kind for kind in KINDS if kind != "blank")


def samples(
    seeds: Iterable[int],
    *,
    split: Split = "train",
    kinds: Sequence[str] = READABLE,
    finishes: Sequence[Finish] = ("pdf", "scan"),
) -> Iterator[tuple[bytes, DocumentTruth]]:
    """Yield each seed's document and truth; a kind or finish that is named twice comes twice as often.

    Any range of seeds may be taken by any worker in any order. What "evaluate" yields, no seed of "train" can.
    """
    for seed in seeds:
        turn = stream(split, "turn", seed)
        yield generate(turn.choice(kinds), seed, turn.choice(finishes), split)
