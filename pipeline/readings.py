"""From completions to what they say: one reading a task out of every view, every rung and every way in which it was asked. Pure.

It does not know pages' rows, nor what else is known of a page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import atan2, exp, inf, pi

from pipeline.coverage import COVERED, is_covered, touches
from pipeline.pieces import Part
from pipeline.provenance import told
from pipeline.stitch import stitched
from pipeline.sureness import Weigh, said_of, weighed
from pipeline.tasks.base import Ask, Reading
from schemas.box import Box
from schemas.job import TEXTS
from schemas.page import CompletionRecord
from schemas.view import Affine, Completion, Region

_RANK = {"value": 0, "absent": 1, "reject": 2}


@dataclass(frozen=True, slots=True)
class Voice:
    """What the views of one rung say to one prompt: `reading` of all of them together, `records` the completions behind it."""

    rung: int
    prompt: str
    records: tuple[CompletionRecord, ...]
    reading: Reading


def record(ask: Ask, region: Region, rung: int, completion: Completion, prompt: str | None = None) -> CompletionRecord:
    """Return a completion as rows keep it; an engine's error stands in `raw`, under finish_reason "error"."""
    affine = region.affine
    return CompletionRecord(
        task=ask.key,
        prompt=ask.prompt if prompt is None else prompt,
        view=region.name,
        affine=(affine.a, affine.b, affine.c, affine.d, affine.e, affine.f),
        rung=rung,
        raw=completion.text if completion.error is None else completion.error,
        finish_reason=completion.finish_reason,
        tokens=len(completion.token_ids),
        mean_logprob=completion.mean_logprob,
        least_logprob=min(completion.logprobs, default=None),
        least_margin=min(completion.margins, default=None),
        places=region.places if ask.key == "ocr" else (),
        parts=said_of(ask.key, completion),
    )


def read(ask: Ask, records: Sequence[CompletionRecord], weigh: Weigh | None = None) -> Reading:
    """Decode a task's completions on its last rung and join what the views say: rejected if any view was, absent if all are.

    A reject of text, tables or things has what the other views say. Of a question that was asked in several words, the first answer counts, and
    absence before a reject. With `weigh`, lines, cells and things have a confidence.
    """
    return chosen(voices(ask, records, weigh)).reading


def voices(ask: Ask, records: Sequence[CompletionRecord], weigh: Weigh | None = None) -> tuple[Voice, ...]:
    """Return what each rung said to each prompt, in the order in which they were asked; of a page that was turned, each way apart.

    A rung that looked only at the part of the page that needed it speaks for the whole: what it did not show again stays as it was read.
    """
    groups: dict[tuple[int, int, str], list[CompletionRecord]] = {}
    for item in records:
        groups.setdefault((item.rung, _quarter(item), item.prompt), []).append(item)
    heard: dict[tuple[int, int, str], Voice] = {}
    for (rung, quarter, prompt), items in groups.items():
        below = [key for key in heard if key[0] < rung and key[1:] == (quarter, prompt)]
        whole = _over(ask, heard[max(below)].records, items) if below else items
        heard[rung, quarter, prompt] = Voice(rung, prompt, tuple(whole), _joined(ask, whole, weigh))
    return tuple(heard.values())


def chosen(heard: Sequence[Voice]) -> Voice:
    """Return the voice that counts, of which there must be one; of a page that was turned, the way in which most was read, and surest."""
    last = max(voice.rung for voice in heard)
    at_last = [voice for voice in heard if voice.rung == last]
    best = min(at_last, key=lambda voice: _RANK[voice.reading.verdict])
    if len({_quarter(voice.records[0]) for voice in at_last}) == 1 or best.reading.verdict != "value":
        return best
    return max((voice for voice in at_last if voice.reading.verdict == "value"), key=_sureness)


def in_need(ask: Ask, records: Sequence[CompletionRecord], least_text: float = 0.0) -> tuple[Affine, ...] | None:
    """Return which views of what is not settled must be looked at again; None is all of it.

    That is what was rejected, else text that is fainter than `least_text`, else what gave the value.
    """
    parts, is_rejected = _unsettled(ask, chosen(voices(ask, records)).records)
    if not is_rejected:
        parts = faint(ask, parts, least_text) or parts
    if not parts or any(region_of(item).is_page for item in parts):
        return None
    return tuple(Affine(*item.affine) for item in parts)


def faint(ask: Ask, records: Iterable[CompletionRecord], least: float) -> list[CompletionRecord]:
    """Return the views of a text whose tokens' mean probability is below `least`; other tasks have none, as one word says little."""
    if ask.key not in TEXTS:
        return []
    return [item for item in records if item.mean_logprob is not None and exp(item.mean_logprob) < least]


def region_of(item: CompletionRecord) -> Region:
    """Return what was shown of the page."""
    return Region(item.view, Affine(*item.affine), item.places)


def completed(item: CompletionRecord) -> Completion:
    """Return a kept completion as the engine gave it, as far as decoding needs it."""
    is_error = item.finish_reason == "error"
    reason = item.finish_reason if item.finish_reason in {"stop", "length"} else "error"
    return Completion(
        text="" if is_error else item.raw,
        token_ids=(),
        logprobs=(),
        finish_reason=reason,  # type: ignore[arg-type]  # narrowed by the line above
        error=item.raw if is_error else None,
    )


def _unsettled(ask: Ask, records: Sequence[CompletionRecord]) -> tuple[list[CompletionRecord], bool]:
    """Return what was rejected, and that it was; else what gave a value."""
    alone = [(item, ask.decode(completed(item), region_of(item).frame).verdict) for item in records]
    rejected = [item for item, verdict in alone if verdict == "reject"]
    return rejected or [item for item, verdict in alone if verdict == "value"], bool(rejected)


def _over(ask: Ask, below: Sequence[CompletionRecord], items: Sequence[CompletionRecord]) -> list[CompletionRecord]:
    """Return a finer rung's completions with those of the rung below that it did not show again, each where it was in reading order.

    What the finer rung was to look at, it did, though where a tile's print is not kept nobody can tell from the views: they leave out white paper.
    """
    finer, whole, is_in = [Affine(*item.affine) for item in items], [], False
    parts, is_rejected = _unsettled(ask, below)
    meant = parts if is_rejected or ask.key not in TEXTS else []  # of texts, only what is faint is looked at again
    for item in below:
        is_meant = item in meant and not item.places and touches(Affine(*item.affine), finer)
        if not is_meant and not _is_shown_again(item, finer):
            whole.append(item)
        elif not is_in:
            whole += items
            is_in = True
    return whole if is_in else [*whole, *items]


def _is_shown_again(item: CompletionRecord, finer: Sequence[Affine]) -> bool:
    """Return whether finer views show what a view showed: of its print where that is known, as tiles leave out white paper.

    A whole page is: nothing tells which part of it is in need, so that all of its print is looked at.
    """
    region = region_of(item)
    affine, places = region.affine, item.places
    if region.is_page or not places:
        return region.is_page or is_covered(affine, finer)
    lines = [Affine.of_box(affine.box(*places[at : at + 4])) for at in range(0, len(places), 4)]
    return sum(is_covered(line, finer) for line in lines) >= COVERED * len(lines)


def likelihood(item: CompletionRecord) -> float:
    """Return the mean natural log-probability of what was said, minus infinity where no engine told."""
    return item.mean_logprob if item.mean_logprob is not None else -inf


def _quarter(item: CompletionRecord) -> int:
    """Return by how many quarter turns a view is turned from the page; it may lie askew beside."""
    a, b = (item.affine or (1.0, 0.0))[:2]
    return round(atan2(b, a) / (pi / 2)) % 4


def _sureness(voice: Voice) -> float:
    """Return the mean log-probability of a voice's tokens; what tells none is least sure."""
    known = [(item.mean_logprob, item.tokens) for item in voice.records if item.mean_logprob is not None]
    tokens = sum(count for _, count in known)
    return sum(mean * count for mean, count in known) / tokens if tokens else -inf


def _joined(ask: Ask, shown: Sequence[CompletionRecord], weigh: Weigh | None) -> Reading:
    turn = Affine(*shown[0].affine).turn()
    parts = [_part(ask, item, turn, weigh) for item in shown]
    rejected = [part.reading for part in parts if part.reading.verdict == "reject"]
    values = [part for part in parts if part.reading.verdict == "value"]
    if rejected and (ask.answer_field or not values):  # who refuses a view may have missed the one true value
        return rejected[0]
    if not values:
        return parts[0].reading if len(parts) == 1 else Reading(verdict="absent")
    tile = None if any(part.is_page for part in values) else reduce(Box.union, (part.view for part in values))
    whole = stitched(values, turn)
    tables = [
        made if made.box_source else said for made, said in zip(whole.tables, told(whole, ask.key, tile).tables, strict=True)
    ]
    whole = replace(whole, tables=tuple(tables))  # what was put together of pieces has cells of its own
    return _without(whole, rejected, len(parts)) if rejected else whole


def _without(whole: Reading, rejected: Sequence[Reading], views: int) -> Reading:
    """Return what is left of a page of which some views were rejected, as a reject with the first one's reason."""
    message = f"{rejected[0].message} ({len(rejected)} of {views} views; what the others say is kept)"
    return replace(whole, verdict="reject", code=rejected[0].code, message=message)


def _part(ask: Ask, item: CompletionRecord, turn: Affine | None, weigh: Weigh | None) -> Part:
    """Decode a completion; lines and tables once more as they are on the page set upright, where they are level."""
    completion, region = completed(item), region_of(item)
    affine, is_page = region.affine, region.is_page
    view = affine.box(0, 0, 1, 1)
    decoded = weighed(ask.decode(completion, region.frame), item, weigh)
    reading = told(decoded, ask.key, None if is_page else view)
    if not decoded.lines and not decoded.tables:
        return Part(reading, view, reading, affine, item.places, is_page=is_page, logprob=likelihood(item))
    upright = affine.then(turn.back()) if turn else affine
    level = weighed(ask.decode(completion, region.frame.then(turn.back())), item, weigh) if turn else decoded
    of_tile = told(level, ask.key, None if is_page else upright.box(0, 0, 1, 1))
    tables = tuple(table if table.box else tiled for table, tiled in zip(level.tables, of_tile.tables, strict=True))
    level = replace(of_tile, tables=tables)
    return Part(reading, view, level, upright, item.places, is_page=is_page, logprob=likelihood(item))
