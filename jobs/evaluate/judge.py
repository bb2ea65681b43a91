"""Hold one true thing against what a run said of its page: the numbers that scores are summed from, and what they are grouped by.

A page or an answer that is not there is judged as an empty one: it is an error, not a gap.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from jobs.evaluate import boxes, text, trees, values
from jobs.evaluate.boxes import Matched
from jobs.evaluate.expected import Expected
from jobs.evaluate.lines import lines_judged, parts_judged
from jobs.evaluate.reliability import Judged
from jobs.evaluate.said import TEXT_LAYER, UNKNOWN, Asked, Said, State, wanted
from jobs.evaluate.text import Share
from pipeline.tasks import detect, spot, table
from schemas.box import Box, LabelledBox
from schemas.field import FieldValue
from schemas.job import TEXTS, THINGS
from schemas.table import Table
from schemas.view import Affine, Completion

FREE = ("caption", "question", "raw")
_ABSENT = FieldValue(status="absent")


@dataclass(frozen=True, slots=True)
class Case:
    """One judged answer to the question `key`.

    `traits` are what it is grouped by, in order; `shares` are summed by metric, `found` makes average precision, and `judged` is there of
    a field's answer that was taken, whose confidence can be held against the truth; `lines` are how sure those of a text are, and whether
    rightly so, and `parts` the lines of its completions.
    """

    document: str
    key: str
    task: str
    traits: tuple[tuple[str, str], ...]
    state: State
    shares: tuple[tuple[str, Share], ...]
    found: tuple[Matched, ...] | None = None
    judged: Judged | None = None
    lines: tuple[tuple[float, bool], ...] = ()
    parts: tuple[Judged, ...] = ()


def judge(expected: Expected, said: Said) -> Case | str:
    """Return the judged answer, or why there is none to judge."""
    if expected.region is not None:
        return "labels of a part of a page"
    if expected.task in TEXTS:
        return _judged(expected, said, TEXTS, _text)
    if expected.task == "answer":
        return _judged(expected, said, ("answer",), _field)
    if expected.task in THINGS:
        types = ("detect", "segment") if expected.task == "detect" else (expected.task,)
        return _judged(expected, said, types, _things)
    if expected.task == "table":
        return _judged(expected, said, ("table",), _tables)
    return _judged(expected, said, (expected.task,), _words)


def _judged(
    expected: Expected, said: Said, types: tuple[str, ...], judging: Callable[[Expected, Said, Asked], Case | str]
) -> Case | str:
    by_prompt = expected.prompt if expected.task not in (*TEXTS, "detect", "table") else None
    asked = wanted(said.asked, types, by_prompt, expected.question, expected.name)
    if asked is None:
        return f"the run does not ask for it: {expected.task}"
    return judging(expected, said, asked)


def _text(expected: Expected, said: Said, asked: Asked) -> Case:
    read = (said.row.text if said.row else None) or ""
    true = _true_text(expected)
    shares = (("cer", text.character_errors(read, true)), ("wer", text.word_errors(read, true)))
    from_layer = said.row is not None and said.row.text_source == "text_layer"
    case = _case(expected, said, asked, shares, task="text", from_layer=from_layer)
    if said.row is None:
        return case
    return replace(case, lines=tuple(lines_judged(said.row, true)), parts=tuple(parts_judged(case.document, said.row, true)))


def _field(expected: Expected, said: Said, asked: Asked) -> Case | str:
    if asked.field is None:
        raise ValueError(f"{asked.key} asks for no field")
    row, kind = said.fields.get(asked.field.name), asked.field.type
    absent = expected.is_absent
    if absent:
        right = row is not None and values.equal(row, _ABSENT, kind)
        near = float(row is not None and row.status == "absent")
    else:
        known = [value for value in _true_values(expected, asked) if value.status == "ok"]
        if not known:
            return f"labels that cannot be read as a field of type {kind}"
        right = row is not None and any(values.equal(row, true, kind) for true in known)
        near = text.likeness(row.value_text or "", expected.answers) if row and row.status in ("ok", "invalid") else 0.0
    state: State = "missing" if row is None else "rejected" if row.status in ("rejected", "invalid") else "said"
    from_layer = row is not None and row.value_source == "text_layer"
    shares = (("exact", (float(right), 1.0)), ("anls", (near, 1.0)))
    rung, resolution = (row.rung, row.resolution) if row else (None, None)
    case = _case(
        expected, said, asked, shares, task="fields", from_layer=from_layer, state=state, rung=rung, resolution=resolution
    )
    if row is None or row.status not in ("ok", "absent") or row.signals is None:
        return case
    return replace(case, judged=Judged(case.document, row, row.signals, right, row.confidence, row.checkpoint_hash))


def _things(expected: Expected, said: Said, asked: Asked) -> Case | str:
    true = expected.boxes
    if expected.target is not None:
        if said.row is None or not said.row.width_pt or not said.row.height_pt:
            # Places in a model's words have no size without the page's: there is something, and none of it was found.
            true = tuple(LabelledBox(label=name, box=Box(x0=0, y0=0, x1=1, y1=1)) for name in _labels_in(expected.target))
        else:
            true = detect.decode(_completion(expected.target), _whole(said), _labels_in(expected.target)).boxes
    known = asked.labels if expected.labels is None else tuple(name for name in asked.labels if name in expected.labels)
    if not known:
        return "the run asks for other labels: detect"
    true = tuple(item for item in true if item.label in known)
    found = tuple(item for item in (said.row.boxes if said.row else ()) if item.label in known)
    overlaps = boxes.overlaps(found, true)
    shares = (("iou", (sum(overlaps), float(len(true)))),)
    return _case(expected, said, asked, shares, found=boxes.matched(found, true))


def _tables(expected: Expected, said: Said, asked: Asked) -> Case | str:
    true, found = expected.tables, (said.row.tables if said.row else ())
    if expected.target is not None:
        decoded = table.decode(_completion(expected.target), _whole(said))
        if decoded.verdict == "reject":
            return "a table that is not whole"
        true = decoded.tables
    if not true and not found and said.state(asked.key) == "said":
        return "pages without a table, on which none was found"
    return _case(
        expected, said, asked, (("teds", _mean(found, true, words=True)), ("teds_struct", _mean(found, true, words=False)))
    )


def _words(expected: Expected, said: Said, asked: Asked) -> Case:
    kept = [each for each in (said.row.completions if said.row else ()) if each.task == asked.key]
    read = max(kept, key=lambda each: each.rung).raw if kept else None
    true = expected.answers or ((expected.target or ""),)
    right = read is not None and text.same(read, true)
    near = text.likeness(read, true) if read is not None else 0.0
    state: State = "missing" if said.row is None else "rejected" if read is None else said.state(asked.key)
    shares = (("exact", (float(right), 1.0)), ("anls", (near, 1.0)))
    return _case(expected, said, asked, shares, state=state)


def _case(
    expected: Expected,
    said: Said,
    asked: Asked,
    shares: tuple[tuple[str, Share], ...],
    *,
    task: str | None = None,
    found: tuple[Matched, ...] | None = None,
    from_layer: bool = False,
    state: State | None = None,
    rung: int | None = None,
    resolution: int | None = None,
) -> Case:
    rung = said.rung(asked.key) if rung is None else rung
    resolution = resolution or said.resolution(rung)
    traits = [("kind", expected.kind)]
    if expected.finish:
        traits.append(("finish", expected.finish))
    if asked.field is not None:
        traits += [("type", asked.field.type), ("field", asked.field.name)]
    traits += [
        ("resolution", TEXT_LAYER if from_layer else str(resolution or UNKNOWN)),
        ("rung", TEXT_LAYER if from_layer else UNKNOWN if rung is None else str(rung + 1)),
        ("prompt", asked.prompt),
    ]
    document = said.uri or expected.place.document
    return Case(document, asked.key, task or asked.type, tuple(traits), state or said.state(asked.key), shares, found)


def _true_text(expected: Expected) -> str:
    if expected.target is not None and expected.task == "spot":
        return spot.decode(_completion(expected.target), Affine(1, 0, 0, 1, 0, 0)).text or ""
    return expected.answers[0] if expected.answers else expected.target or ""


def _true_values(expected: Expected, asked: Asked) -> list[FieldValue]:
    """Return the right values in the type that the run asks for."""
    if asked.field is None:
        return []
    if expected.value is not None and expected.type == asked.field.type:
        return [expected.value]
    return [values.as_asked(answer, asked.field, asked.lang) for answer in expected.answers]


def _mean(found: tuple[Table, ...], true: tuple[Table, ...], *, words: bool) -> Share:
    alike = trees.likenesses(found, true, words=words)
    return (sum(alike), float(len(alike))) if alike else (0.0, 1.0)


def _labels_in(target: str) -> list[str]:
    return sorted({part.rsplit(">", 1)[-1].strip() for part in target.split(";")} - {""})


def _whole(said: Said) -> Affine:
    row = said.row
    return Affine((row.width_pt if row else None) or 1.0, 0.0, 0.0, (row.height_pt if row else None) or 1.0, 0.0, 0.0)


def _completion(text_said: str) -> Completion:
    return Completion(text=text_said, token_ids=(), logprobs=(), finish_reason="stop")
