"""Whether lines that a model read are right: lines of a page's row, and the parts of its completions with what speaks for each of them.

A line is right where its words stand in the page's true text, one after the other; of a tile, that may be a part of a line.
"""

import re
from collections.abc import Iterator

from jobs.evaluate.reliability import Judged
from pipeline.settle import WITNESS
from pipeline.signals import of_part, parts_logprob
from pipeline.tasks.parts import spans
from pipeline.tasks.tokens import QUAD
from schemas.field import FieldValue
from schemas.job import TEXTS
from schemas.page import PageRow

_PLACE = re.compile(QUAD)


def lines_judged(page: PageRow, true: str) -> list[tuple[float, bool]]:
    """Return how sure each line that a model read is, where it says so, and whether it is right."""
    if page.text_source != "model":
        return []
    whole = _plain(true)
    return [(line.confidence, _plain(line.text) in whole) for line in page.lines if line.confidence is not None]


def parts_judged(document: str, page: PageRow, true: str) -> Iterator[Judged]:
    """Yield each line of the completions that read a page's text."""
    whole = _plain(true)
    layer = next((item.raw for item in page.completions if item.task == WITNESS), None)
    for key in TEXTS:
        said = [item for item in page.completions if item.task == key and item.finish_reason == "stop"]
        sure = parts_logprob(said)
        for item in said:
            found = spans(key, item.raw)
            if len(found) != len(item.parts):
                continue
            for (start, end), part in zip(found, item.parts, strict=True):
                words = _plain(_PLACE.sub(" ", item.raw[start:end]))
                value = FieldValue(status="ok", value_raw=words)
                signals = of_part(part, item, value, layer, sure)
                yield Judged(document, value, signals, words in whole, checkpoint=page.checkpoint_hash)


def _plain(text: str) -> str:
    return " ".join(text.split())
