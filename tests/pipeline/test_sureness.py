"""Lines, cells and things have a confidence: how surely their own tokens were said, weighed."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.confidence import fingerprint, of_parts, shipped
from pipeline.readings import read, record
from pipeline.settle import WITNESS, Answered, Circumstances, PageFacts, Rows, facts_of, rows, weigher
from pipeline.sureness import said_of
from pipeline.tasks.asks import asks
from pipeline.tasks.parts import spans
from schemas.box import Box
from schemas.job import DetectTask, OcrTask, SpotTask, TableTask, Task
from schemas.page import CompletionRecord, Line
from schemas.signals import ConfidenceModel, Fitted, Weights
from schemas.table import Cell, Table
from schemas.unit import Origin
from schemas.view import Affine, Completion, Region

PAGE = Region("page", Affine(600, 0, 0, 800, 0, 0))
ORIGIN = Origin(source_id="s" * 64, uri="in/a.pdf", version="1", size_bytes=1)
FITTED = Fitted(answers=100, documents=5, wrong=10, checkpoints=())
MODEL = ConfidenceModel(
    intercept=0.0,
    weights={"least_margin": 1.0},
    fitted_on=FITTED,
    parts=Weights(intercept=2.0, weights={"least_margin": 1.0, "layer": 4.0, "page": 1.0}, fitted_on=FITTED),
    things=Weights(intercept=0.0, weights={"mean_odds": 1.0}, fitted_on=FITTED),
)
"""Weights of our own, so that others may ship."""
GIVEN = Circumstances("job", "run", datetime(2026, 1, 1, tzinfo=UTC), "hash", "scripted 1", MODEL)
SURE, UNSURE = -0.001, -1.5
QUAD, OTHER = "<loc0100><loc0100><loc0200><loc0500>", "<loc0300><loc0100><loc0400><loc0500>"


def completion(*pieces: tuple[str, float], reason: str = "stop") -> Completion:
    """Return an answer of these tokens, each with its log-probability, and eos."""
    words, logprobs = [piece for piece, _ in pieces], [logprob for _, logprob in pieces]
    return Completion(
        "".join(words),
        tuple(range(len(words) + 1)),
        (*logprobs, SURE),
        reason,
        pieces=(*words, ""),  # type: ignore[arg-type]
    )


def sure_of(task: Task, said: Completion, layer: str | None = None) -> Rows:
    (ask,) = asks(task)
    witness = layer and CompletionRecord(
        task=WITNESS, prompt="", view="page", affine=(), rung=0, raw=layer, finish_reason="stop", tokens=0
    )
    facts = PageFacts(0, 600.0, 800.0, 0, witness=witness or None)
    return rows(facts, [Answered(ask, ask.key, (record(ask, PAGE, 0, said),), 448)], ORIGIN, "d", GIVEN, 1.0)


def lines(*pieces: tuple[str, float], layer: str | None = None) -> list[float | None]:
    return [line.confidence for line in sure_of(OcrTask(type="ocr"), completion(*pieces), layer).page.lines]


def test_a_line_is_as_sure_as_its_own_tokens():
    """One line's doubt is not the next one's, blank lines are none, and every line has a confidence."""
    first, second = lines(("In", SURE), ("voice", SURE), ("\n", SURE), ("\n", SURE), ("to", UNSURE), ("tal", SURE))
    assert first is not None
    assert second is not None
    assert second < 0.5 < first < 1.0


def test_a_text_layer_speaks_for_the_lines_that_stand_in_it():
    """It is a witness of lines as of values."""
    said = (("Invoice", -0.2), ("\n", SURE), ("tolal", -0.2))
    alone, beside = lines(*said), lines(*said, layer="Invoice\ntotal")
    assert beside[0] > alone[0]
    assert beside[1] < alone[1]


def test_where_a_line_stands_does_not_make_it_unsure():
    """A place that is told vaguely says nothing of the words."""
    spot = SpotTask(type="spot")
    vague, exact = (
        sure_of(spot, _split(completion((QUAD, place), (" one", SURE), ("\n", SURE), (OTHER, SURE), (" two", -0.4)))).page.lines
        for place in (-3.0, SURE)
    )
    assert [line.confidence for line in vague] == [line.confidence for line in exact]
    assert vague[1].confidence < vague[0].confidence


def test_cells_and_things_are_as_sure_as_they_were_said():
    """Each cell of a table, each thing that was found."""
    table = completion(
        ("<table><tr><td>", SURE), ("Bolts", SURE), ("</td><td>", SURE), ("1O.50", UNSURE), ("</td></tr></table>", SURE)
    )
    bolts, price = sure_of(TableTask(type="table"), table).page.tables[0].cells
    assert price.confidence < 0.5 < bolts.confidence
    found = completion((f"{QUAD} stamp", SURE), (" ;", SURE), (f" {OTHER} logo", UNSURE))
    stamp, logo = sure_of(DetectTask(type="detect", labels=("stamp", "logo")), found).page.boxes
    assert logo.confidence < stamp.confidence


PROSE = "The goods that were ordered in March left our house on Monday and will reach you by rail within the week"


def test_a_text_layer_s_lines_and_cells_are_as_sure_as_it_is_believed():
    """A filter by confidence keeps them; of few letters it is less sure, as exchanged ones would not show; a person's word stays as it is."""
    cell = Cell(row_index=0, col_index=0, text="Bolts", box=Box(x0=0, y0=0, x1=9, y1=9))
    table = Table(table_index=0, n_rows=1, n_cols=1, html="", cells=(cell,))
    said = (Line(text=PROSE), Line(text="Bolts"), Line(text="put right", confidence=1.0))
    facts = PageFacts(0, 600.0, 800.0, 0).with_text(PROSE, said, (table,))
    page = rows(facts, [], ORIGIN, "d", GIVEN, 1.0).page
    assert [line.confidence for line in page.lines] == [0.99, 0.99, 1.0]
    assert page.tables[0].cells[0].confidence == 0.99
    few = PageFacts(0, 600.0, 800.0, 0).with_text("A-17", (Line(text="A-17"),), ())
    assert [line.confidence for line in few.lines] == [0.95]


def test_rows_of_before_get_it_as_they_are_made_anew():
    """As by `redecode`, or when a field is added."""
    facts = PageFacts(0, 600.0, 800.0, 0).with_text(PROSE, (Line(text=PROSE),), ())
    page = rows(facts, [], ORIGIN, "d", GIVEN, 1.0).page
    before = page.model_copy(update={"lines": tuple(line.model_copy(update={"confidence": None}) for line in page.lines)})
    assert facts_of(before).lines == page.lines


def test_an_engine_that_does_not_tell_leaves_lines_without():
    """Nothing is made up where tokens and text do not fit together."""
    (ask,) = asks(OcrTask(type="ocr"))
    said = completion(("one", SURE), ("\n", SURE), ("two", SURE))
    for told in (replace(said, pieces=()), replace(said, pieces=("one", "two", "", "")), replace(said, logprobs=())):
        assert record(ask, PAGE, 0, told).parts == ()
        assert [line.confidence for line in sure_of(OcrTask(type="ocr"), told).page.lines] == [None, None]


def test_what_is_kept_is_enough_to_weigh_again():
    """Rows made anew from a record say the same, as `redecode` must."""
    (ask,) = asks(OcrTask(type="ocr"))
    kept = record(ask, PAGE, 0, completion(("one", -0.3), ("\n", SURE), ("two", SURE)))
    again = CompletionRecord.model_validate_json(kept.model_dump_json())
    assert [part.tokens for part in again.parts] == [2, 1]  # a line with its end
    assert read(ask, [again], weigher(MODEL, None, [again])) == read(ask, [kept], weigher(MODEL, None, [kept]))


def test_a_model_without_weights_of_parts_weighs_them_as_the_one_that_ships():
    """Which weights were taken names the model all the same."""
    for is_thing, name in ((False, "parts"), (True, "things")):
        assert of_parts(MODEL.model_copy(update={name: None}), is_thing=is_thing) == getattr(shipped(), name)
        assert of_parts(MODEL, is_thing=is_thing) == getattr(MODEL, name)
    other = MODEL.parts.model_copy(update={"intercept": -4.0})
    assert fingerprint(MODEL.model_copy(update={"parts": other})) != fingerprint(MODEL)


@given(st.sampled_from(["ocr", "spot", "table", "detect", "segment", "refer.stamp", "answer.total"]), st.text())
def test_parts_of_any_answer_stand_in_it_one_after_another(key, answer):
    """Whatever a model says: within the answer, in order, and nothing counted twice."""
    found = spans(key, answer)
    assert all(start < end for start, end in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    assert not found or (found[0][0] >= 0 and found[-1][1] <= len(answer))


@given(st.lists(st.tuples(st.text(), st.floats(-20, 0)), max_size=20))
def test_any_tokens_make_parts_that_are_within_them(pieces):
    """No part is surer than the surest token, nor has more tokens than there are."""
    parts = said_of("ocr", completion(*pieces))
    for part in parts:
        assert part.least_logprob <= part.mean_logprob + 1e-9 <= max(logprob for _, logprob in pieces) + 1e-6
    assert sum(part.tokens for part in parts) <= len(pieces)


@pytest.mark.parametrize("text", ["one\n", "one\r\ntwo", "\n\none"])
def test_lines_are_counted_as_the_decoder_counts_them(text):
    """Else a line would be given another one's confidence."""
    (ask,) = asks(OcrTask(type="ocr"))
    said = completion(*((letter, log(0.9)) for letter in text))
    assert len(record(ask, PAGE, 0, said).parts) == len(ask.decode(said, PAGE.affine).lines)


def _split(said: Completion) -> Completion:
    """Return an answer's tokens with each place as four tokens of its own, as checkpoints say them."""
    pieces: list[str] = []
    logprobs: list[float] = []
    for piece, logprob in zip(said.pieces, said.logprobs, strict=True):
        each = [f"<loc{part}" for part in piece.split("<loc")[1:]] if piece.startswith("<loc") else [piece]
        pieces += each
        logprobs += [logprob] * len(each)
    return replace(said, token_ids=tuple(range(len(pieces))), pieces=tuple(pieces), logprobs=tuple(logprobs))
