"""What speaks for a value and against it: its tokens' probabilities, and how far others who read the same page agree. Pure.

Others are the page's text layer, the model's own text of the whole page, other views, rungs and words. It weighs nothing.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rapidfuzz import fuzz

from pipeline.readings import Voice, chosen, completed, likelihood
from pipeline.tasks.base import Ask
from pipeline.tasks.loops import looping
from schemas.field import FieldValue
from schemas.page import CompletionRecord, PartSaid
from schemas.signals import Signals
from schemas.view import Affine

_FREE_FORMS = ("string",)
_WORD = re.compile(r"[^\W\d_]{3,}")
_ALMOST = 0.9
"""The most that a value can agree with a text in which it does not stand as a whole word."""


def signals(ask: Ask, heard: Sequence[Voice], value: FieldValue, layer: str | None, text: str | None) -> Signals:
    """Return the signals of a field's value; `layer` and `text` are what the text layer and the model say of the whole page."""
    ours = chosen(heard)
    source, others = _source(ask, ours, value)
    field = ask.answer_field
    return Signals(
        mean_logprob=source.mean_logprob,
        least_logprob=source.least_logprob,
        least_margin=source.least_margin,
        tokens=source.tokens,
        finish_reason=source.finish_reason,
        loops=looping(source.raw, cut_off=source.finish_reason == "length"),
        checked=field is not None and (field.type not in _FREE_FORMS or field.pattern is not None) and value.status == "ok",
        layer=standing_in(value, layer),
        text=standing_in(value, text),
        tiles=_mean([agreement(value, other) for other in others]),
        rungs=_agreed(value, [voice for voice in heard if voice.rung < ours.rung and voice.prompt == ours.prompt]),
        named=_named(field.name, layer or text) if field else None,
        questions=_agreed(value, [voice for voice in heard if voice.rung == ours.rung and voice.prompt != ours.prompt]),
    )


def of_part(said: PartSaid, item: CompletionRecord, value: FieldValue, layer: str | None, sure: float | None) -> Signals:
    """Return the signals of a line, a cell or a thing of a completion; `sure` is how surely all parts of its page were read.

    Its words count as a `value`, and may stand in a text layer; one of no words agrees with nothing.
    """
    return Signals(
        mean_logprob=said.mean_logprob,
        least_logprob=said.least_logprob,
        least_margin=said.least_margin,
        tokens=said.tokens,
        finish_reason=item.finish_reason,
        loops=False,  # what loops is a reject, and has no parts
        layer=standing_in(value, layer),
        page_logprob=sure,
    )


def parts_logprob(said: Iterable[CompletionRecord]) -> float | None:
    """Return the mean natural log-probability of the tokens of all parts of completions, or None where no engine told."""
    return page_logprob(part for item in said for part in item.parts)


def page_logprob(said: Iterable[CompletionRecord | PartSaid]) -> float | None:
    """Return the mean natural log-probability of all tokens that were said of a page, or None where no engine told."""
    known = [(item.mean_logprob, item.tokens) for item in said if item.mean_logprob is not None]
    tokens = sum(count for _, count in known)
    return sum(mean * count for mean, count in known) / tokens if tokens else None


def agreement(one: FieldValue, other: FieldValue) -> float:
    """Return how far two answers say the same, from 0 to 1: in their type where they have one, else by their letters."""
    if one.status != other.status:
        return 0.0
    if one.status == "absent":
        return 1.0
    typed = [(each.value_number, each.value_date, each.value_bool, each.currency) for each in (one, other)]
    if any(part is not None for part in typed[0][:3]):
        return float(typed[0] == typed[1])
    return fuzz.ratio(_plain(one.value_text), _plain(other.value_text)) / 100


def standing_in(value: FieldValue, text: str | None) -> float | None:
    """Return how far a value's words stand in a page's text: 1 where they do as whole words; None of no value or no text."""
    words, page = _plain(value.value_raw or value.value_text), _plain_page(text)
    if value.status == "absent" or not words or not page:
        return None
    return 1.0 if _has(page, words) else _ALMOST * fuzz.partial_ratio(words, page) / 100


def stands_in(value: FieldValue, text: str) -> bool:
    """Return whether a value's words stand in a text as whole words."""
    words = _plain(value.value_raw or value.value_text)
    return value.status != "absent" and bool(words) and _has(_plain_page(text), words)


def _named(name: str, text: str | None) -> float | None:
    """Return the share of a name's words, of three letters or more, that stand in a page's text; None of no words or no text."""
    wanted, there = (set(_WORD.findall(each.casefold())) for each in (name, text or ""))
    return len(wanted & there) / len(wanted) if wanted and there else None


def _source(ask: Ask, voice: Voice, value: FieldValue) -> tuple[CompletionRecord, list[FieldValue]]:
    """Return the completion that gave the value, or the least sure of those that found none; and what other views gave."""
    given = [
        (item, reading.value) for item in voice.records if (reading := ask.decode(completed(item), Affine(*item.affine))).value
    ]
    same = [(item, said) for item, said in given if said == value]
    if not same or value.status == "absent":
        return min(voice.records, key=lambda item: item.least_logprob if item.least_logprob is not None else 0.0), []
    source = max((item for item, _ in same), key=likelihood)
    return source, [said for item, said in given if said and said.status != "absent" and item is not source]


def _agreed(value: FieldValue, others: Sequence[Voice]) -> float | None:
    return _mean([agreement(value, voice.reading.value) if voice.reading.value else 0.0 for voice in others])


def _mean(numbers: Sequence[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


def _has(page: str, words: str) -> bool:
    return words in page and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", page) is not None


def _plain(text: str | None) -> str:
    return " ".join((text or "").casefold().split())


_plain_page = lru_cache(maxsize=4)(_plain)
"""All lines of a page are looked for in the same two texts, each of which may be long."""
