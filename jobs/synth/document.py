"""One document of a seed: which kind is drawn, how it is finished, and its truth put together."""

import hashlib
from collections.abc import Callable
from random import Random
from typing import Literal

from jobs.synth import article, form, invoice, letter, receipt, statement, text
from jobs.synth.canvas import Canvas
from jobs.synth.finish import FINISHES, Finish, finished
from jobs.synth.locales import Locale, locale
from jobs.synth.style import Style
from schemas.truth import DocumentTruth

Split = Literal["train", "evaluate", "shipped"]
Drawing = Callable[[Random, Locale], tuple[Canvas, ...]]

KINDS: dict[str, Drawing] = {
    "invoice": invoice.draw,
    "receipt": receipt.draw,
    "letter": letter.draw,
    "form": form.draw,
    "statement": statement.draw,
    "article": article.draw,
    "text": text.draw,
    "blank": lambda rng, _: (Style.draw(rng).sheet(),),
}
"""By name: a statement is a table over two pages, an article a page of two columns, a text a piece of a page, for training."""
_ATTEMPTS = 200
_BACKS = 0.2
"""The share of documents that are printed on both sides, which only a scan shows."""


def generate(kind: str, seed: int, finish: Finish = "pdf", split: Split = "train") -> tuple[bytes, DocumentTruth]:
    """Return a document's bytes and truth, always the same for the same four arguments.

    The split is a part of the seed, so that no seed of one split can give a document of another. The finish is not: the
    same kind, seed and split have the same content in every finish. Raises ValueError for a kind or finish that is not there.
    """
    if kind not in KINDS:
        raise ValueError(f"no kind {kind!r}: there are {', '.join(KINDS)}")
    if finish not in FINISHES:
        raise ValueError(f"no finish {finish!r}: there are {', '.join(FINISHES)}")
    place, canvases = _drawn(kind, stream(split, kind, seed))
    file = finished(canvases, finish, stream(split, kind, seed, finish), _back(stream(split, kind, seed, "back"), place))
    truth = DocumentTruth(
        document_id=hashlib.sha256(file.data).hexdigest(),
        kind=kind,
        finish=finish,
        split=split,
        seed=seed,
        media_type=file.media_type,
        language=place.language,
        password=file.password,
        damage=file.damage,
        pages=file.pages,
    )
    return file.data, truth


def stream(*parts: str | int) -> Random:
    """Return the one stream of these parts; Random hashes a text with sha512, so near seeds have nothing in common."""
    return Random("/".join(map(str, parts)))  # noqa: S311 - documents, not secrets


def _drawn(kind: str, rng: Random) -> tuple[Locale, tuple[Canvas, ...]]:
    """Draw until everything has its room: some draws put more on a page than it holds."""
    for _ in range(_ATTEMPTS):
        place = locale(rng)
        canvases = KINDS[kind](rng, place)
        if all(canvas.fits() for canvas in canvases):
            return place, canvases
    raise RuntimeError(f"no {kind} fitted its page in {_ATTEMPTS} attempts")


def _back(rng: Random, place: Locale) -> Canvas | None:
    """Draw what is on the sheet's other side, if anything is."""
    return letter.draw(rng, place)[0] if rng.random() < _BACKS else None
