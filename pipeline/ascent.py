"""A page on its way up the ladder: what is still asked of it, which views it is shown, and what was said so far.

It knows neither documents nor engines: the worker renders, asks, and writes down here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.coverage import touches
from pipeline.framing import is_for
from pipeline.overlay import combine, readdressed
from pipeline.questions import Question, is_asked_nowhere, is_asked_of
from pipeline.readings import read
from pipeline.settle import Answered, Circumstances, PageFacts, Rows, rows
from pipeline.signals import page_logprob
from pipeline.unsettled import Beside
from schemas.job import TEXTS
from schemas.page import CompletionRecord
from schemas.unit import Origin, Unit
from schemas.view import Affine, View


@dataclass(slots=True)
class Ascent:
    """A page on its way up the ladder: `asked` is what its rows lack, `views` what the next rung shows of it, once rendered.

    `needs` names the views of the rung below that an unsettled question must look at again, by its key; None is all of the page. `spent`
    counts the page's requests, and `unasked` the questions that there were none left for. `verified` has what was read in values' places.
    """

    unit: Unit
    facts: PageFacts
    asked: tuple[Question, ...]
    prior: Rows | None = None
    views: list[View] | None = None
    records: dict[str, list[CompletionRecord]] = field(default_factory=dict)
    resolutions: dict[str, int] = field(default_factory=dict)
    needs: dict[str, tuple[Affine, ...] | None] = field(default_factory=dict)
    spent: int = 0
    unasked: set[str] = field(default_factory=set)
    verified: dict[str, CompletionRecord] = field(default_factory=dict)

    @property
    def keys(self) -> frozenset[str]:
        """Return the keys that its rows are to answer now."""
        return frozenset(question.ask.key for question in self.asked)

    def wanting(self) -> list[Question]:
        """Return the questions that the model is to answer."""
        return [question for question in self._mine() if not self.facts.spares(question.ask)]

    def parts(self) -> list[Affine] | None:
        """Return the views that any question must look at again, or None for all of the page."""
        wanted = [part for part in self.needs.values() if part is not None]
        return [each for part in wanted for each in part] if wanted and len(wanted) == len(self.needs) else None

    def shown(self, question: Question) -> list[View]:
        """Return the views that the question is asked of."""
        parts = self.needs.get(question.ask.key)
        mine = [view for view in self.views or () if is_for(view.region, question.ask)]
        return [view for view in mine if parts is None or touches(view.region.affine, parts)]

    def reads_as_nothing(self) -> bool:
        """Return whether a page that is not blank gave no text; where none was asked for, whether every answer is a reject."""
        said = [(question.ask, records) for question in self.wanting() if (records := self.records.get(question.ask.key))]
        texts = [(ask, records) for ask, records in said if ask.key in TEXTS]
        verdicts = {read(ask, records).verdict for ask, records in texts or said}
        return verdicts == ({"absent"} if texts else {"reject"}) and self.facts.layer_text is None

    def beside(self) -> Beside:
        """Return what was said of the page, for whom it is a witness."""
        texts = [
            read(question.ask, said).text
            for question in self.asked
            if question.ask.key in TEXTS and (said := self.records.get(question.ask.key))
        ]
        known = self.prior.page.text if self.prior and self.prior.page.text_source == "model" else None
        return Beside(next(filter(None, texts), known), page_logprob(item for said in self.records.values() for item in said))

    def is_answered(self, question: Question, rung: int) -> bool:
        """Return whether a rung gave a value, so that the question need not be asked there in other words."""
        said = [item for item in self.records.get(question.ask.key, ()) if item.rung == rung]
        return bool(said) and read(question.ask, said).verdict == "value"

    def answers(self) -> list[Answered]:
        return [
            Answered(
                question.ask,
                question.fingerprint,
                tuple(self.records.get(key, ())),
                self.resolutions.get(key),
                verified=self.verified.get(key),
            )
            for question in self._mine()
            for key in [question.ask.key]
        ] + [Answered(question.ask, question.fingerprint, (), is_elsewhere=True) for question in self._nowhere()]

    def rows(self, origin: Origin, given: Circumstances, seconds: float) -> Rows:
        """Return the page's rows for one origin of its document, laid over those that it had."""
        prior = self.prior and readdressed(self.prior, origin, given)
        if prior and not self.asked:
            return prior
        new = rows(self.facts, self.answers(), origin, self.unit.document_id, given, seconds)
        return combine(prior, new, self.keys) if prior else new

    def _mine(self) -> list[Question]:
        """Return the questions that are this page's: a field may be asked of some pages alone."""
        return [each for each in self.asked if is_asked_of(each, self.facts.page_index, self.unit.page_count)]

    def _nowhere(self) -> list[Question]:
        """Return, on a document's last page, the questions that are no page's of it, so that they are not missed without a word."""
        count = self.unit.page_count
        if count is None or self.facts.page_index != count - 1:
            return []
        return [each for each in self.asked if is_asked_nowhere(each, count)]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a page, in certain words."""

    page: Ascent
    question: Question
    prompt: str


def first_prompts(question: Question) -> tuple[str, ...]:
    """Return the prompts that are asked at once: all of them where they are to confirm one another."""
    return question.ask.prompts if question.ask.confirm else question.ask.prompts[:1]


def by_view(asked: Sequence[Asked]) -> list[tuple[Asked, View]]:
    """Return what is asked of each view of one page."""
    shown = {id(each): {view.region.name for view in each.page.shown(each.question)} for each in asked}
    return [(each, view) for view in asked[0].page.views or () for each in asked if view.region.name in shown[id(each)]]
