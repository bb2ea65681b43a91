"""Looks at the documents of a sample as a run would: inspected, probed and divided into views, in the killable child. No model is asked.

What is counted is exact but for the tokens of answers, which are guessed from how much is printed, by the constants below.
"""

import random
from collections.abc import Sequence

from jobs.plan.estimate import Seen
from jobs.plan.todo import Candidate
from pipeline.cache import DocumentCache
from pipeline.desk import Desk
from pipeline.documents.child import Child
from pipeline.errors import DocumentError, StorageError
from pipeline.framing import framed, is_for
from pipeline.inspection import Inspector
from pipeline.questions import Question, is_asked_of, questions
from pipeline.settle import PageFacts
from pipeline.storage import open_store
from pipeline.tasks.base import Ask
from schemas.job import Job
from schemas.unit import Origin, Unit
from schemas.view import Region

FEWEST, MOST = 6, 24
"""How many of a document's pages are looked at, a third of them between these bounds: they are much alike, and other documents tell more."""
UNREADABLE, PAGES, TEXT_LAYER, BLANK, RUNGS = range(5)
"""The columns: documents that cannot be opened, pages, pages with a text layer that is taken, blank pages, then a rung's three, and
three for values' places that are read again, each value on one page of its document."""
REQUESTS, VIEWS, TOKENS = range(3)
_TOKENS_A_CHARACTER = {"embedded": 1.0}
_USUAL_TOKENS_A_CHARACTER = 0.35
_SHORT_ANSWER, _OTHER_ANSWER = 8, 24
_LONGER = {"ocr": 1.0, "spot": 1.6, "table": 1.6}  # places beside the words
_GLYPH = 0.5  # a character's width, in heights of its line


def columns(rungs: int) -> int:
    """Return how many columns a page has, with so many rungs."""
    return RUNGS - PAGES + 3 * (rungs + 1)


class Looker:
    """Opens documents for one job; close it, as it holds the child."""

    def __init__(self, job: Job, passwords: Sequence[str], seed: int) -> None:
        self._job, self._seed = job, seed
        self._child = Child(job.limits)
        self._inspector = Inspector(job, "plan", passwords, child=self._child)
        self._desk = Desk(job, DocumentCache(open_store(job.source.uri)), passwords, child=self._child)
        self._questions = questions(job)

    def close(self) -> None:
        self._child.close()

    def look(self, candidate: Candidate) -> Seen | None:
        """Return what a document is; None where its bytes cannot be had now."""
        try:
            if candidate.new is None:
                return self._known(candidate.units)
            inspected = self._inspector.inspect(candidate.new)
        except StorageError:
            return None
        if inspected.document_id is None or inspected.page_count is None:
            return Seen(0, (), (1.0,))
        origin = Origin(**{name: getattr(inspected, name) for name in Origin.model_fields})
        unit = Unit(
            document_id=inspected.document_id,
            media_type=inspected.media_type or "",
            origins=(origin,),
            first_page=0,
            n_pages=inspected.page_count,
            page_count=inspected.page_count,
        )
        return self._known((unit,))

    def _known(self, units: Sequence[Unit]) -> Seen:
        pages = [(unit, page) for unit in units for page in range(unit.first_page, unit.first_page + unit.n_pages)]
        wanted = min(len(pages), max(FEWEST, min(MOST, len(pages) // 3)))
        some = random.Random(f"{self._seed}{units[0].document_id}").sample(pages, wanted)  # noqa: S311
        return Seen(len(pages), tuple(self._page(unit, page) for unit, page in some), (0.0,))

    def _page(self, unit: Unit, page_index: int) -> tuple[float, ...]:
        done = frozenset(unit.prior.tasks) if unit.prior else frozenset()
        facts = self._desk.look(unit, page_index)
        mine = [each for each in self._questions if is_asked_of(each, page_index, unit.page_count)]
        asked = [each for each in mine if each.fingerprint not in done and not facts.spares(each.ask)]
        origins = float(len(unit.origins))
        kinds = (origins, origins * (facts.text_source == "text_layer"), origins * facts.is_blank)
        again = sum(_share(each, unit) for each in asked if each.ask.answer_field and each.ask.answer_field.verify)
        return (*kinds, *self._rungs(facts, asked), again, again, again * _SHORT_ANSWER)

    def _rungs(self, facts: PageFacts, asked: Sequence[Question]) -> list[float]:
        """Return requests, views and answer tokens of each rung, should all of it be asked there."""
        ladder = self._job.render.ladder
        if not asked:
            return [0.0] * 3 * len(ladder)
        try:
            characters = self._characters(facts)
            regions = [self._child.regions(facts.page_index, rung.tiles, rung.resolution) for rung in ladder]
        except DocumentError:
            return [0.0] * 3 * len(ladder)
        rate = _TOKENS_A_CHARACTER.get(self._job.model.checkpoint, _USUAL_TOKENS_A_CHARACTER)
        asks = [each.ask for each in asked]
        return [
            float(number)
            for rung, shown in zip(ladder, regions, strict=True)
            for number in _rung(shown, asks, rung.resolution, characters * rate)
        ]

    def _characters(self, facts: PageFacts) -> float:
        """Return how much is printed: by the page's text layer, or by the lines of print that can be made out."""
        layer = self._child.probe(facts.page_index, text_layer=True).text_layer
        if layer is not None and layer.verdict == "trusted":
            return float(len(layer.text))
        return sum(map(_printed, self._child.regions(facts.page_index, "whitespace", 448)))


def _share(question: Question, unit: Unit) -> float:
    """Return which part of a document a page is, of the pages that are asked a question."""
    count = unit.page_count or unit.first_page + unit.n_pages
    return 1 / max(1, sum(is_asked_of(question, page, unit.page_count) for page in range(count)))


def _printed(region: Region) -> float:
    """Return about how many characters the lines of a region hold."""
    box = region.affine.box(0, 0, 1, 1)
    flat = region.places
    lines = zip(flat[0::4], flat[1::4], flat[2::4], flat[3::4], strict=True)
    return sum((u1 - u0) * box.width / max(_GLYPH * (v1 - v0) * box.height, 1.0) for u0, v0, u1, v1 in lines)


def _rung(regions: Sequence[Region], asks: Sequence[Ask], resolution: int, printed: float) -> tuple[float, float, float]:
    """Return requests, views and answer tokens of regions, should all of this be asked there of so much print in tokens."""
    views = framed(regions, asks, resolution)
    counts = [sum(is_for(view, ask) for view in views) for ask in asks]
    tokens = sum(count * _tokens(ask, printed / count) for ask, count in zip(asks, counts, strict=True) if count)
    return sum(counts), len(views), tokens


def _tokens(ask: Ask, printed: float) -> float:
    """Return about how many tokens one answer has, where a view shows so much print in tokens; the last token ends it."""
    other = float(_SHORT_ANSWER if ask.answer_field else _OTHER_ANSWER)
    return min(printed * _LONGER[ask.key] + 1 if ask.key in _LONGER else other, float(ask.max_tokens))
