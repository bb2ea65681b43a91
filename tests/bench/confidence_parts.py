"""How far the confidence of cells and of things that were found can be trusted where the errors are made up; and the weights of things.

`python tests/bench/confidence_parts.py [--documents 400] [--unseen 8 9] [--write pipeline/confidence.json]`.

Made-up documents are answered by a reader who errs by seed, without a picture: letters of cells are mistaken as in pipeline.engines.misreading,
and now and then another cell is read; things are found elsewhere, or where nothing is. Half of the documents have a text layer beside. A cell is
right where it says what stands in that row and column, a thing where one of its label shares half of their area. The figures are of the machine
that weighs, not of a model.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from math import exp, expm1, log
from random import Random

from confidence import KINDS, RATES, asked_for, of_documents, show, sureness

from jobs.evaluate.calibrate import fitted, held_out
from jobs.evaluate.reliability import Judged
from jobs.synth.document import generate
from pipeline.confidence import of_parts, shipped
from pipeline.engines.misreading import misread
from pipeline.readings import read, record
from pipeline.signals import of_part, parts_logprob
from pipeline.tasks.asks import asks
from pipeline.tasks.detect import encode as things_as_text
from pipeline.tasks.table import encode as tables_as_text
from schemas.box import Box, LabelledBox
from schemas.field import FieldValue
from schemas.job import DetectTask, TableTask
from schemas.page import CompletionRecord
from schemas.signals import ConfidenceModel
from schemas.truth import PageTruth
from schemas.view import Affine, Completion, Region

LABELS = ("title", "table", "total", "signature", "logo", "stamp")
_TAG, _TOKEN = re.compile(r"(<[^>]*>)"), re.compile(r"<[a-z]+\d+>|\s?\w{1,4}|[^\w\s]|\s")
_MARKUP, _LEAST, _SURE = -1e-4, 1e-9, -1e-3
_ELSEWHERE, _NOTHING, _NEIGHBOUR = 4.0, 3.0, 0.5
"""How much oftener than a letter is misread a thing is placed elsewhere, or found where it is not, or a cell read as another."""
(TABLES,) = asks(TableTask(type="table", max_tokens=8192))
(THINGS,) = asks(DetectTask(type="detect", labels=LABELS))
Said = tuple[str, float]


def main() -> None:
    """Answer, judge, and say how far the confidence of cells and things can be trusted."""
    options = asked_for()
    print(f"{'parts':32} {'n':>6} {'wrong':>6} {'AUC':>7} {'ECE':>7} {'at 80%':>8}")
    of_lines = of_parts(shipped(), is_thing=False)
    cells, things = of_documents(of_document, options.documents, options.seed)
    for name, parts in (("cells", cells), ("things", things)):
        show(f"{name}, weights of lines", parts, [sureness(part, of_lines) for part in parts])
        show(f"{name}, own, held out", parts, held_out(parts, options.seed))
    own = fitted(things, "made-up things, found by a reader who errs by seed; no trained checkpoint")
    for seed in options.unseen:
        cells, things = of_documents(of_document, options.documents, seed)
        show(f"cells, seed {seed}, lines", cells, [sureness(part, of_lines) for part in cells])
        show(f"things, seed {seed}, lines", things, [sureness(part, of_lines) for part in things])
        show(f"things, seed {seed}, own", things, [sureness(part, own) for part in things])
    print({key: round(weight, 2) for key, weight in own.weights.items()}, round(own.intercept, 2))
    if options.write:
        model = ConfidenceModel.model_validate_json(options.write.read_bytes()).model_copy(update={"things": own})
        options.write.write_text(model.model_dump_json(indent=2) + "\n")


def of_document(number: int, seed: int) -> tuple[list[Judged], list[Judged]]:
    """Return the judged cells and things of one document, read under conditions of its own."""
    cells, things = list[Judged](), list[Judged]()
    rng = Random(f"{seed}/{number}")  # noqa: S311 - documents, not secrets
    _, truth = generate(KINDS[number % len(KINDS)], 9000 + seed * 1000 + number)
    rate, has_layer = rng.choice(RATES), rng.random() < 0.5
    for page in truth.pages:
        whole = Region("page", Affine(page.width_pt, 0, 0, page.height_pt, 0, 0))
        layer, trouble = page.text if has_layer else None, rate * exp(rng.gauss(0.0, 0.8))
        kept = record(
            TABLES, whole, 0, _completed([*_tables(page, whole.affine, trouble, rng, f"{seed}/{number}/{page.page_index}")])
        )
        cells += _cells(truth.document_id, kept, page, layer)
        kept = record(THINGS, whole, 0, _completed([*_things(page, whole.affine, trouble, rng)]))
        things += _found(truth.document_id, kept, page)
    return cells, things


def _tables(page: PageTruth, affine: Affine, trouble: float, rng: Random, where: str) -> Iterator[Said]:
    """Yield the tokens of a page's tables: markup as sure as it is of who knows it, and words misread."""
    others = [cell.text for table in page.tables for cell in table.cells if cell.text]
    for number, piece in enumerate(_TAG.split(tables_as_text(page.tables, affine))):
        if not piece or _TAG.fullmatch(piece):
            yield from ((token, _MARKUP) for token in [piece] if token)
            continue
        is_other = rng.random() < _NEIGHBOUR * trouble
        words = _TOKEN.findall(rng.choice(others) if is_other else piece)
        wrong = misread(words, (), trouble, where, f"{where}/{number}")
        first = (-rng.expovariate(1.2),) if is_other else ()
        yield from zip(wrong.pieces, (*first, *wrong.logprobs[len(first) :]), strict=True)


def _things(page: PageTruth, affine: Affine, trouble: float, rng: Random) -> Iterator[Said]:
    """Yield the tokens of a page's things: some stand elsewhere, some nowhere; what is wrong is seldom sure, and what is right nearly always."""
    there = [each for each in page.boxes if each.label in LABELS]
    found = [
        (each, False) if rng.random() > _ELSEWHERE * trouble else (_elsewhere(each.label, page, rng), True) for each in there
    ]
    found += [(_elsewhere(label, page, rng), True) for label in LABELS if rng.random() < _NOTHING * trouble]
    for number, (thing, is_wrong) in enumerate(found):
        for piece in _TOKEN.findall((" ; " if number else "") + things_as_text([thing], affine)):
            is_sure = rng.random() < (0.4 if is_wrong else 0.95)
            yield piece, -rng.expovariate(40.0 if is_sure else 1.2)


def _elsewhere(label: str, page: PageTruth, rng: Random) -> LabelledBox:
    width, height = rng.uniform(0.05, 0.4) * page.width_pt, rng.uniform(0.02, 0.3) * page.height_pt
    x0, y0 = rng.uniform(0, page.width_pt - width), rng.uniform(0, page.height_pt - height)
    return LabelledBox(label=label, box=Box(x0=x0, y0=y0, x1=x0 + width, y1=y0 + height))


def _cells(document: str, kept: CompletionRecord, page: PageTruth, layer: str | None) -> Iterator[Judged]:
    true = {(table.table_index, cell.row_index, cell.col_index): cell.text for table in page.tables for cell in table.cells}
    found = [(table.table_index, cell) for table in read(TABLES, [kept]).tables for cell in table.cells]
    sure = parts_logprob([kept])
    for (index, cell), part in zip(found, kept.parts, strict=True) if len(found) == len(kept.parts) else ():
        if cell.text:
            value = FieldValue(status="ok", value_raw=cell.text)
            is_right = _plain(cell.text) == _plain(true.get((index, cell.row_index, cell.col_index), ""))
            yield Judged(document, value, of_part(part, kept, value, layer, sure), is_right)


def _found(document: str, kept: CompletionRecord, page: PageTruth) -> Iterator[Judged]:
    boxes, sure = read(THINGS, [kept]).boxes, parts_logprob([kept])
    for thing, part in zip(boxes, kept.parts, strict=True) if len(boxes) == len(kept.parts) else ():
        value = FieldValue(status="ok", value_raw=None)
        is_right = any(true.label == thing.label and _overlap(true.box, thing.box) >= 0.5 for true in page.boxes)
        yield Judged(document, value, of_part(part, kept, value, None, sure), is_right)


def _overlap(one: Box, other: Box) -> float:
    width, height = min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0)
    both = max(0.0, width) * max(0.0, height)
    return both / (one.width * one.height + other.width * other.height - both)


def _completed(said: Sequence[Said]) -> Completion:
    pieces, logprobs = [piece for piece, _ in said], [min(logprob, -_LEAST) for _, logprob in said]
    return Completion(
        text="".join(pieces),
        token_ids=tuple(range(len(said) + 1)),
        logprobs=(*logprobs, _SURE),
        finish_reason="stop",
        margins=tuple(max(0.0, logprob - log(-expm1(logprob))) for logprob in chain(logprobs, [_SURE])),
        pieces=(*pieces, ""),
    )


def _plain(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    main()
