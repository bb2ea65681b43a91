"""Pictures of pages, rendered by the same killable child that rendered them for the model. Which pages get one is chosen here, too."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.cache import DocumentCache
from pipeline.documents.child import Child
from pipeline.errors import DocumentError, StorageError
from pipeline.redact import redact
from pipeline.storage import open_store
from schemas.unit import Origin

LONG_SIDE_PX = 1200
_WEBP_QUALITY = 62


@dataclass(frozen=True, slots=True)
class Sitter:
    """A page to be pictured: `number` is its own among all pages of the report."""

    number: int
    origin: Origin
    page_index: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A page's picture in WebP, or why there is none."""

    number: int
    webp: bytes | None
    reason: str | None = None


def chosen(qualities: Sequence[float], limit: int) -> list[int]:
    """Return which pages get a picture, by number: the worst half of `limit`, and as many again, evenly spread over the others."""
    if len(qualities) <= limit:
        return list(range(len(qualities)))
    worst = sorted(range(len(qualities)), key=lambda number: (qualities[number], number))[: (limit + 1) // 2]
    others = sorted(set(range(len(qualities))) - set(worst))
    spread = [others[len(others) * k // (limit // 2)] for k in range(limit // 2)]
    return sorted({*worst, *spread})


def pictures(sitters: Sequence[Sitter], child: Child, passwords: Sequence[str] = ()) -> Iterator[Picture]:
    """Yield a picture of each page; each document is opened once. A page that cannot be had says why."""
    for origin, pages in groupby(sitters, key=lambda sitter: sitter.origin):
        wanted = list(pages)
        try:
            child.open(DocumentCache(open_store(origin.uri)).path(origin), passwords=passwords)
        except (DocumentError, StorageError) as error:
            yield from (Picture(sitter.number, None, redact(str(error))) for sitter in wanted)
        else:
            yield from (_picture(sitter, child) for sitter in wanted)


def _picture(sitter: Sitter, child: Child) -> Picture:
    try:
        probe = child.probe(sitter.page_index, text_layer=False)
        regions = child.regions(sitter.page_index, "none", LONG_SIDE_PX)
        (frame,) = child.render(sitter.page_index, regions, LONG_SIDE_PX)
    except DocumentError as error:
        return Picture(sitter.number, None, redact(str(error)))
    return Picture(sitter.number, _webp(frame, probe.width_pt, probe.height_pt))


def _webp(frame: NDArray[np.uint8], width_pt: float, height_pt: float) -> bytes:
    # The frame is square, as models want it: its longer side is right, the shorter one is made so.
    scale = LONG_SIDE_PX / max(width_pt, height_pt)
    size = (max(1, round(width_pt * scale)), max(1, round(height_pt * scale)))
    file = io.BytesIO()
    Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS).save(file, "WEBP", quality=_WEBP_QUALITY, method=4)
    return file.getvalue()
