"""Whether what was said of a page so far can stand, or must climb to the ladder's next rung. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.confidence import confidence
from pipeline.readings import chosen, faint, voices
from pipeline.settle import PageFacts
from pipeline.signals import signals
from pipeline.tasks.base import Ask
from schemas.page import CompletionRecord
from schemas.signals import ConfidenceModel

_AGREES = 0.5
"""Less agreement than this is another answer, and no misread letter."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What was said of a page beside one answer: the text that was read of it, and the mean log-probability of all its tokens."""

    text: str | None = None
    logprob: float | None = None


@dataclass(frozen=True, slots=True)
class Least:
    """How sure an answer must be to stand: a value's confidence, and the mean probability of a token in each view's text."""

    value: float = 0.0
    text: float = 0.0


def why_unsettled(
    ask: Ask,
    records: Sequence[CompletionRecord],
    facts: PageFacts,
    model: ConfidenceModel | None = None,
    least: Least = Least(),
    beside: Beside = Beside(),
) -> str | None:
    """Return why what was said so far cannot stand and should climb to the next rung, or None where it can.

    That is a reject's code, and where something is the `least` that will do, "low_confidence", or, of values, "disagreement": views, words or
    the page's text layer say something else.
    """
    if not records:
        return "not_asked"
    heard = voices(ask, records)
    reading = chosen(heard).reading
    if reading.verdict == "reject":
        return reading.code or "rejected"
    if reading.value is None:
        return "low_confidence" if faint(ask, chosen(heard).records, least.text) else None
    if not least.value or model is None:
        return None
    known = signals(ask, heard, reading.value, facts.layer_text, beside.text)
    known = known.model_copy(update={"page_logprob": beside.logprob})
    if any(each is not None and each < _AGREES for each in (known.tiles, known.questions, known.layer)):
        return "disagreement"
    return "low_confidence" if confidence(known, reading.value, model) < least.value else None
