"""The form that detect, segment and refer share: places, mask codes if asked for, and a label, joined by ` ; `.

One damaged part rejects the whole answer: a model that lost its form has lost its count too, and a missing signature that looks like
"no signature" is worse than asking again at a finer rung. The same thing named twice in the same place counts once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.tasks.tokens import CODES, QUAD, Malformed, bins, codes, fractions

_PART = re.compile(rf"\s*(?P<quad>{QUAD})\s*(?P<codes>{CODES})?(?P<label>[^<>;]*)")


@dataclass(frozen=True, slots=True)
class Found:
    """One thing: its label as the job spells it, its place (u0, v0, u1, v1) in fractions of the view, and its mask's 16 codes."""

    label: str
    place: tuple[float, float, float, float]
    codes: tuple[int, ...] = ()


def parse(text: str, labels: Sequence[str], *, masks: bool = False, label_optional: bool = False) -> tuple[Found, ...]:
    """Return what was found, in the model's order. Raises Malformed, with words for what was wrong.

    `label_optional` lets a sole label go without saying, as fine-tunes for one phrase were trained.
    """
    if not text.strip():
        return ()
    spelled = {_folded(label): label for label in labels}
    if label_optional and len(labels) == 1:
        spelled[""] = labels[0]
    return tuple(dict.fromkeys(_part(part, spelled, masks=masks) for part in text.split(";")))


def _part(part: str, spelled: dict[str, str], *, masks: bool) -> Found:
    match = _PART.fullmatch(part)
    if not match:
        raise Malformed(f"{_excerpt(part)} is not four places and a label")
    if bool(match["codes"]) != masks:
        raise Malformed(f"{_excerpt(part)} has {'no mask' if masks else 'a mask that was not asked for'}")
    label = spelled.get(_folded(match["label"]))
    if label is None:
        raise Malformed(f"{match['label'].strip()!r} was not asked for")
    return Found(label, fractions(bins(match["quad"])), codes(match["codes"] or ""))


def _folded(label: str) -> str:
    return " ".join(label.casefold().split())


def _excerpt(part: str, longest: int = 80) -> str:
    part = part.strip()
    return repr(part if len(part) <= longest else part[: longest - 1] + "…")
