"""The whole of an evaluation on one screen: labels, rows, judgement, scores, and what could not be judged."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jobs.evaluate.calibrate import calibrated, held_out, is_enough
from jobs.evaluate.expected import Expected, Labels, LeftOut
from jobs.evaluate.forms import Form, read_expected
from jobs.evaluate.judge import Case, judge
from jobs.evaluate.reliability import Judged, Reliability, reliability
from jobs.evaluate.report import LeftOutCount, Report
from jobs.evaluate.said import Asked, Said, Sink, read_sink
from jobs.evaluate.scores import scores
from pipeline.errors import JobError
from schemas.job import TEXTS

RESAMPLES = 1000


def evaluate(
    sink_uri: str,
    labels_uri: str,
    *,
    form: Form | None = None,
    listed_only: bool = False,
    resamples: int = RESAMPLES,
    seed: int = 0,
    calibrate_to: Path | None = None,
) -> Report:
    """Return how near a sink's rows come to labels.

    A labelled page without a row is an error; with `listed_only` that holds only of documents that the sink's runs found in their
    source, and others are left out and counted. With `calibrate_to`, weights of confidence are fitted to the labels and written there.
    Raises JobError where there is nothing to judge, or too little to learn from.
    """
    labels, sink = read_expected(labels_uri, form), read_sink(sink_uri)
    cases, left_out = judged(labels, sink, listed_only=listed_only)
    if not cases:
        reasons = "; ".join(f"{each.reason} ({each.count})" for each in left_out)
        raise JobError(f"{labels_uri} has no label for what {sink_uri} holds: {reasons}")
    places = {(each.document, index) for each, index in cases}
    found = [each for each, _ in cases]
    answers = [each.judged for each in found if each.judged is not None]
    calibrated_fields, calibrated_lines = _calibrated(found, calibrate_to, seed, labels_uri) if calibrate_to else (None, None)
    return Report(
        sink_uri=sink_uri,
        labels_uri=labels_uri,
        form=labels.form,
        resamples=resamples,
        seed=seed,
        pages=len(places),
        documents=len({document for document, _ in places}),
        left_out=left_out,
        scores=scores(found, resamples=resamples, seed=seed),
        confidence=_confidence([(each.confidence, each.is_right) for each in answers]),
        lines=_confidence([line for each in found for line in each.lines]),
        calibrated=calibrated_fields,
        calibrated_lines=calibrated_lines,
    )


def _confidence(answers: Sequence[tuple[float | None, bool]]) -> Reliability | None:
    known = [(sure, is_right) for sure, is_right in answers if sure is not None]
    return reliability(*zip(*known, strict=True)) if known else None


def _calibrated(cases: Sequence[Case], path: Path, seed: int, labels_uri: str) -> tuple[Reliability | None, Reliability | None]:
    """Fit the weights of confidence into a file, and return how good those of fields, and of lines, are on documents that they have not seen."""
    answers = [each.judged for each in cases if each.judged is not None]
    parts = [part for each in cases for part in each.parts]
    lines = _held_out(parts, seed) if is_enough(parts) else None
    fields = _held_out(answers, seed) if is_enough(answers) or lines is None else None
    model = calibrated(answers, f"labels {labels_uri.rstrip('/').rsplit('/', 1)[-1]}", parts)
    path.write_text(model.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return fields, lines


def _held_out(answers: Sequence[Judged], seed: int) -> Reliability:
    return reliability(held_out(answers, seed), [each.is_right for each in answers])


def judged(labels: Labels, sink: Sink, *, listed_only: bool = False) -> tuple[list[tuple[Case, int]], tuple[LeftOutCount, ...]]:
    """Return every judged answer with its page's index, and what was left out, most frequent first."""
    cases: list[tuple[Case, int]] = []
    left = list(labels.left_out)
    seen: dict[tuple[str, int], Said] = {}
    for expected in _once(labels):
        said, index = sink.page(expected.place), expected.place.page_index
        where = f"{said.uri or expected.place.document} page {index + 1}"
        if listed_only and said.uri is None:
            left.append(LeftOut("labels of documents that the run's source does not have", where))
            continue
        seen[said.uri or expected.place.document, index] = said
        case = judge(expected, said)
        if isinstance(case, str):
            left.append(LeftOut(case, where))
        else:
            cases.append((case, index))
    left += [*_pages_without(sink, seen), *_answers_without(seen, {(case.document, index, case.key) for case, index in cases})]
    return cases, _counted(left)


def _once(labels: Labels) -> list[Expected]:
    """Return labels, those that stand twice once: copies of a document have the same truth beside each."""
    found: dict[Expected, Expected] = {}
    for each in labels.expected:
        place = replace(each.place, stem=None) if each.place.document_id else each.place
        found.setdefault(replace(each, place=place), each)
    return list(found.values())


def _pages_without(sink: Sink, seen: Mapping[tuple[str, int], Said]) -> Iterator[LeftOut]:
    ids = {(said.row.document_id, index) for (_, index), said in seen.items() if said.row}
    for (uri, index), row in sorted(sink.pages.items()):
        if (uri, index) not in seen and (row.document_id, index) not in ids:
            yield LeftOut("pages without a label", f"{uri} page {index + 1}")


def _answers_without(seen: Mapping[tuple[str, int], Said], known: Collection[tuple[str, int, str]]) -> Iterator[LeftOut]:
    for (uri, index), said in seen.items():
        for asked in said.asked:
            # One truth of the text serves both tasks that read it, and boxes likewise.
            if said.row and not any((uri, index, other.key) in known for other in said.asked if _alike(asked, other)):
                yield LeftOut(f"answers without a label: {asked.key}", f"{uri} page {index + 1}")


def _alike(one: Asked, other: Asked) -> bool:
    return one == other or any({one.type, other.type} <= set(types) for types in (TEXTS, ("detect", "segment")))


def _counted(left: Sequence[LeftOut]) -> tuple[LeftOutCount, ...]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for each in left:
        reasons[each.reason].append(each.example)
    counts = [LeftOutCount(reason=reason, count=len(where), example=where[0]) for reason, where in reasons.items()]
    return tuple(sorted(counts, key=lambda each: (-each.count, each.reason)))
