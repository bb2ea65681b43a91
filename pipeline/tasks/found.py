"""What detect, segment and refer share: a question for things, and answers of places, mask codes if asked for, and labels, joined by ` ; `.

One damaged part rejects the whole answer: a model that lost its form has lost its count too, and a missing signature that looks like
"no signature" is worse than asking again at a finer rung. The same thing named twice in the same place counts once.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.tasks.base import Ask, Reading
from pipeline.tasks.faults import absent, parsed
from pipeline.tasks.prompts import filled
from pipeline.tasks.tokens import CODES, QUAD, Malformed, bins, codes, fractions
from schemas.box import LabelledBox
from schemas.view import Affine, Completion

_PART = re.compile(rf"\s*(?P<quad>{QUAD})\s*(?P<codes>{CODES})?(?P<label>[^<>;]*)")


@dataclass(frozen=True, slots=True)
class Found:
    """One thing: its label as the job spells it, its place (u0, v0, u1, v1) in fractions of the view, and its mask's 16 codes."""

    label: str
    place: tuple[float, float, float, float]
    codes: tuple[int, ...] = ()


Labelled = Callable[[Found, Affine], LabelledBox]
"""Puts a thing on the page."""


def ask_for(
    key: str,
    labels: Sequence[str],
    template: str,
    max_tokens: int,
    labelled: Labelled,
    *,
    masks: bool = False,
    weights: str = "",
    label_optional: bool = False,
) -> Ask:
    """Return the question for all labels at once; `weights` names what decodes the masks."""
    joined = " ; ".join(labels)
    prompt = filled(template, labels=joined, phrase=joined)

    def read(completion: Completion, affine: Affine) -> Reading:
        return decode(completion, affine, labels, prompt, labelled, masks=masks, label_optional=label_optional)

    settings = f"{joined}\0{weights}" if masks else joined
    return Ask(key=key, prompt=prompt, max_tokens=max_tokens, decode=read, settings=settings)


def decode(
    completion: Completion,
    affine: Affine,
    labels: Sequence[str],
    prompt: str,
    labelled: Labelled,
    *,
    masks: bool = False,
    label_optional: bool = False,
) -> Reading:
    """Return the things as `labelled` puts them on the page, `absent` where there are none, or what was wrong with the answer."""

    def read(text: str) -> Reading:
        things = parse(text, labels, masks=masks, label_optional=label_optional)
        if not things:
            return absent("nothing_found", f"nothing of {', '.join(labels)} was found")
        return Reading(verdict="value", boxes=tuple(labelled(thing, affine) for thing in things))

    return parsed(completion, prompt, read)


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
