"""How far confidence can be trusted where the errors are made up: AUC, calibration error and accuracy at 80% coverage, on held-out documents.

`python tests/bench/confidence.py [--documents 400] [--unseen 8 9]`. Made-up documents are answered by a reader who errs by seed
(pipeline.engines.misreading), without a picture: some have a text layer, some questions are asked in two words or on two rungs. Weights are fitted
to the documents of one seed, and held against those of other seeds. The figures are of the machine that weighs, not of a model.
"""

import argparse
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import numpy as np

from jobs.evaluate.calibrate import calibrated, held_out
from jobs.evaluate.lines import parts_judged
from jobs.evaluate.reliability import Judged, reliability
from jobs.evaluate.values import equal
from jobs.synth.document import generate
from pipeline.company import in_company
from pipeline.confidence import confidence, of_parts, shipped
from pipeline.engines.reader import read
from pipeline.engines.scripted import misread_completion
from pipeline.readings import record
from pipeline.settle import Answered, Circumstances, PageFacts, rows
from pipeline.tasks.asks import asks
from pipeline.tasks.base import Ask
from schemas.field import FieldRow
from schemas.job import AnswerField, AnswerTask, OcrTask
from schemas.page import CompletionRecord
from schemas.signals import Signals, Weights
from schemas.truth import DocumentTruth, FieldTruth, PageTruth
from schemas.unit import Origin
from schemas.view import Affine, Region, Request, View

KINDS = ("invoice", "receipt", "form", "letter", "statement")
RATES = (0.003, 0.01, 0.03, 0.06)
ELSEWHERE = (
    "what is the passport number?",
    "what is the blood group?",
    "what is the flight number?",
    "what is the VAT rate?",
)
_IMAGE = np.zeros((448, 448, 3), np.uint8)
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
(OCR,) = asks(OcrTask(type="ocr", max_tokens=4096))
Two = tuple[list[Judged], list[Judged]]


def main() -> None:
    """Answer, judge, and say how far the confidence of answers can be trusted."""
    options = asked_for()
    answers, lines = of_documents(of_document, options.documents, options.seed)
    print(f"{'answers':24} {'n':>6} {'wrong':>6} {'AUC':>7} {'ECE':>7} {'at 80%':>8}")
    show("all, held out", answers, held_out(answers, options.seed))
    without = [answer for answer in answers if answer.signals.layer is None]
    show("no text layer, held out", without, held_out(without, options.seed))
    show("lines, held out", lines, held_out(lines, options.seed))
    model = calibrated(answers, "made-up documents, read by a reader who errs by seed; no trained checkpoint", lines)
    of_lines = of_parts(model, is_thing=False)
    for seed in options.unseen:
        unseen, unseen_lines = of_documents(of_document, options.documents, seed)
        show(f"seed {seed}, weights of {options.seed}", unseen, [sureness(answer, model) for answer in unseen])
        show(f"lines, seed {seed}", unseen_lines, [sureness(line, of_lines) for line in unseen_lines])
    whole = [(line.signals.mean_logprob or 0.0) * (line.signals.tokens or 0) for line in lines]
    show("lines, product alone", lines, [float(np.exp(logprob)) for logprob in whole])
    logprobs = [answer.signals.mean_logprob or 0.0 for answer in answers]
    show("mean probability alone", answers, [float(np.exp(logprob)) for logprob in logprobs])
    for weights in (model, of_lines):
        print({name: round(weight, 2) for name, weight in weights.weights.items()}, round(weights.intercept, 2))
    if options.write:
        options.write.write_text(model.model_copy(update={"things": shipped().things}).model_dump_json(indent=2) + "\n")


def show(name: str, answers: Sequence[Judged], sure: Sequence[float]) -> None:
    """Print one line of figures."""
    found = reliability(sure, [answer.is_right for answer in answers])
    print(
        f"{name:24} {found.answers:6} {found.wrong:6} {found.auc:7.3f} {found.calibration_error:7.3f} {found.right_at_80:8.2%}"
    )


def asked_for() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--unseen", type=int, nargs="*", default=[8, 9])
    parser.add_argument("--write", type=Path)
    return parser.parse_args()


def of_documents(of_document: Callable[[int, int], Two], count: int, seed: int) -> Two:
    """Return what is judged, of two sorts, of so many documents of a seed."""
    found = [of_document(number, seed) for number in range(count)]
    return [each for one, _ in found for each in one], [each for _, other in found for each in other]


def sureness(answer: Judged, model: Weights) -> float:
    """Return how sure an answer is by these weights."""
    return confidence(answer.signals, answer.value, model)


def of_document(number: int, seed: int) -> tuple[list[Judged], list[Judged]]:
    """Return the judged answers of one document, read under conditions of its own, and its judged lines."""
    answers, lines = list[Judged](), list[Judged]()
    rng = Random(f"{seed}/{number}")  # noqa: S311 - documents, not secrets
    _, truth = generate(KINDS[number % len(KINDS)], 9000 + seed * 1000 + number)
    rate, has_layer, rungs, confirm = rng.choice(RATES), rng.random() < 0.5, rng.choice((1, 1, 2)), rng.random() < 0.4
    for page in truth.pages:
        whole = Region("page", Affine(page.width_pt, 0, 0, page.height_pt, 0, 0))
        facts = PageFacts(page.page_index, page.width_pt, page.height_pt, 0, witness=_witness(page, rng) if has_layer else None)
        wanted = [*page.fields, *_not_there(truth, rng)]
        answered = [Answered(OCR, "ocr", (said(truth, page, OCR, OCR.prompt, whole, 0, rate),), 448)]
        for field in wanted:
            (ask,) = asks(AnswerTask(type="answer", fields=(_asked(field, confirm=confirm),)))
            kept = [
                said(truth, page, ask, prompt, whole, rung, rate / (1 + rung))
                for rung in range(rungs)
                for prompt in ask.prompts
            ]
            answered.append(Answered(ask, ask.key, tuple(kept), 448))
        origin = Origin(source_id=truth.document_id, uri=f"{number}.pdf", version="1", size_bytes=1)
        made = rows(facts, answered, origin, truth.document_id, Circumstances("bench", "bench", _NOW), 0.0)
        made = in_company(made, frozenset(each.ask.key for each in answered), shipped())
        known = {field.name: field for field in wanted}
        answers += (_judged(row, known[row.name]) for row in made.fields if row.status in ("ok", "absent"))
        lines += parts_judged(truth.document_id, made.page, page.text)
    return answers, lines


def said(
    truth: DocumentTruth, page: PageTruth, ask: Ask, prompt: str, region: Region, rung: int, rate: float
) -> CompletionRecord:
    """Return what the reader who errs says."""
    view = View(truth.document_id, page.page_index, region, _IMAGE)
    text = read(page, region.affine, prompt) or ""
    completion = misread_completion(page, text, Request(view, f"{prompt} rung {rung}", ask.max_tokens), rate, 0)
    return record(ask, region, rung, completion, prompt)


def _asked(field: FieldTruth, *, confirm: bool) -> AnswerField:
    other = (f"please tell me: {field.question}",) if confirm else ()
    return AnswerField(name=field.name, question=field.question, type=field.type, rephrased=other, confirm=confirm)


def _not_there(truth: DocumentTruth, rng: Random) -> list[FieldTruth]:
    """Return questions that the document does not answer."""
    absent = truth.pages[0].fields[:1] and truth.pages[0].fields[0].value.model_copy(
        update={"status": "absent", "value_text": None}
    )
    asked = rng.sample(ELSEWHERE, 2) if absent else []
    names = [question.removeprefix("what is the ").rstrip("?").replace(" ", "_") for question in asked]
    return [
        FieldTruth(name=name, question=question, type="string", value=absent)
        for name, question in zip(names, asked, strict=True)
    ]


def _witness(page: PageTruth, rng: Random) -> CompletionRecord:
    """Return a text layer: the page's text, of which one in ten lacks a part."""
    text = page.text if rng.random() > 0.1 else page.text[: len(page.text) // 2]
    return CompletionRecord(
        task="text_layer", prompt="", view="page", affine=(), rung=0, raw=text, finish_reason="stop", tokens=0
    )


def _judged(row: FieldRow, field: FieldTruth) -> Judged:
    return Judged(row.source_id, row, row.signals or Signals(), equal(row, field.value, field.type), row.confidence)


if __name__ == "__main__":
    main()
