"""Documents of many seeds in a folder, each beside its truth: NAME.pdf and NAME.truth.json."""

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

from jobs.synth.document import KINDS, Split, generate
from jobs.synth.finish import FINISHES, SUFFIXES, Finish
from schemas.truth import DocumentTruth

TRUTH_SUFFIX = ".truth.json"


def synth(
    out: Path, *, count: int, seed: int, kinds: Sequence[str] = (), finishes: Sequence[str] = (), split: Split = "train"
) -> list[Path]:
    """Write `count` documents, turn by turn of each kind and finish, and their truths; return the documents' paths.

    None named means all of them, of finishes all that can be read. Raises ValueError for a name that is not there.
    """
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for index, (kind, finish) in zip(range(count), _turns(kinds or tuple(KINDS), chosen(finishes)), strict=False):
        data, truth = generate(kind, seed + index, finish, split)
        paths.append(save(out, f"{index:06}-{kind}-{finish}", data, truth))
    return paths


def save(out: Path, name: str, data: bytes, truth: DocumentTruth) -> Path:
    """Write one document and its truth; return the document's path."""
    path = out / f"{name}{suffix(truth.finish)}"
    path.write_bytes(data)
    (out / f"{name}{TRUTH_SUFFIX}").write_text(truth.model_dump_json(exclude_defaults=True), encoding="utf-8")
    return path


def truth_of(path: Path) -> DocumentTruth:
    """Read the truth that lies beside a document."""
    beside = path.with_name(path.stem + TRUTH_SUFFIX)
    return DocumentTruth.model_validate_json(beside.read_text(encoding="utf-8"))


def suffix(finish: str) -> str:
    """Return the ending of a finish's file names."""
    return next((ending for name, ending in SUFFIXES.items() if name == finish), ".pdf")


def chosen(finishes: Sequence[str]) -> tuple[Finish, ...]:
    """Return finishes by their names; all that can be read where none is named. Raises ValueError."""
    unknown = sorted(set(finishes) - set(FINISHES))
    if unknown:
        raise ValueError(f"no finish {unknown[0]!r}: there are {', '.join(FINISHES)}")
    return tuple(finish for finish in FINISHES if finish in finishes or (not finishes and finish != "truncated"))


def _turns(kinds: Sequence[str], finishes: Sequence[Finish]) -> Iterator[tuple[str, Finish]]:
    """Yield every pairing of kinds and finishes, for ever."""
    pairs = [(kind, finish) for finish, kind in product(finishes, kinds)]
    while True:
        yield from pairs
