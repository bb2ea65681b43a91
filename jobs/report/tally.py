"""What all pages come to, counted as they pass by, so that no more than one document's pages need be in memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from jobs.report.shapes import Count, Counts, FieldCount, FieldEntry, Histogram, Note, PageEntry, RungCount
from schemas.run import RunSummary

BAD = ("invalid", "rejected")
_BINS, _EXAMPLES = 20, 5
_SPANS = 60


@dataclass
class PagesOf:
    """A document's pages: a letter each, the worst page's quality, and its field values, all and bad."""

    letters: str = ""
    quality: float = 1.0
    values: int = 0
    values_bad: int = 0

    def add(self, entry: PageEntry) -> None:
        self.letters += entry.status[0]
        self.quality = min(self.quality, entry.quality)
        self.values += len(entry.fields)
        self.values_bad += sum(field.status in BAD for field in entry.fields)


class Tally:
    """The counts of a report."""

    def __init__(self) -> None:
        self.qualities: list[float] = []
        self._statuses: Counter[str] = Counter()
        self._seconds = 0.0
        self._documents: dict[int, PagesOf] = {}
        self._rejects, self._remarks, self._reasons = _Kinds(), _Kinds(), _Kinds()
        self._rungs: dict[int, _Rung] = {}
        self._fields: dict[str, _Field] = {}
        self._confidences: list[float] = []
        self._odds: list[float] = []
        self._agreements: list[float] = []

    def add(self, document: int, entry: PageEntry) -> None:
        """Count the next page of document number `document`."""
        mine = self._documents.setdefault(document, PagesOf())
        page = len(mine.letters)
        mine.add(entry)
        self._statuses[entry.status] += 1
        self._seconds += entry.seconds
        self.qualities.append(entry.quality)
        self.note(document, page, entry.notes, is_reject=entry.status in ("partial", "failed"))
        for field in entry.fields:
            self._fields.setdefault(field.name, _Field()).add(field)
            if field.status in BAD:
                code, _, why = (field.reason or field.status).partition(": ")
                self._reasons.add(f"{field.name}/{code}", why, (document, page))
        self._confidences += [field.confidence for field in entry.fields if field.confidence is not None]
        self._agreements += [entry.agreement.score] if entry.agreement else []
        self._asked(entry)

    def note(self, document: int, page: int | None, notes: Iterable[Note], *, is_reject: bool) -> None:
        """Count failures, which made a page or document what it is, or remarks, which did not; page None is the document itself."""
        for note in notes:
            kinds = self._rejects if is_reject else self._remarks
            kinds.add(f"{note.stage}/{note.code}", note.message, (document, -1 if page is None else page))

    def of_document(self, document: int) -> "PagesOf":
        """Return what was counted of one document."""
        return self._documents.get(document, PagesOf())

    def counts(self) -> Counts:
        """Return the overview's counts."""
        return Counts(
            pages=dict(self._statuses),
            page_seconds=round(self._seconds, 1),
            requests=sum(rung.requests for rung in self._rungs.values()),
            tokens=sum(rung.tokens for rung in self._rungs.values()),
            rejects=self._rejects.counts(),
            remarks=self._remarks.counts(),
            field_counts=tuple(each.count(name) for name, each in self._fields.items()),
            field_reasons=self._reasons.counts(),
            rungs=tuple(each.count(rung) for rung, each in sorted(self._rungs.items())),
            histograms=self._histograms(),
        )

    def _histograms(self) -> tuple[Histogram, ...]:
        wanted = [
            ("Confidence", "field values, from unsure to sure", self._confidences),
            ("Agreement with the text layer", "pages, by the share of words that both have", self._agreements),
            ("Token probability", "answers, by the mean of their tokens; not calibrated", self._odds),
        ]
        return tuple(_histogram(title, about, values) for title, about, values in wanted if values)

    def _asked(self, entry: PageEntry) -> None:
        for item in entry.asked:
            self._rungs.setdefault(item.rung, _Rung()).add(item.tokens, is_cut=item.finish == "length")
            self._odds += [item.odds] if item.odds is not None else []
        for rung in {item.rung for item in entry.asked}:
            self._rungs[rung].pages += 1


def spans(summary: RunSummary, committed: Iterable[datetime]) -> tuple[float, tuple[int, ...]]:
    """Return the seconds of a span, and the pages committed in each of a run's spans; `committed` has a time a page."""
    total = max(1.0, (summary.ended_at - summary.started_at).total_seconds())
    counts = [0] * _SPANS
    for moment in committed:
        share = (moment - summary.started_at).total_seconds() / total
        counts[min(_SPANS - 1, max(0, int(share * _SPANS)))] += 1
    return total / _SPANS, tuple(counts)


class _Kinds:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._details: dict[str, str] = {}
        self._examples: dict[str, list[tuple[int, int]]] = {}

    def add(self, name: str, detail: str, place: tuple[int, int]) -> None:
        self._counts[name] += 1
        self._details.setdefault(name, detail)
        examples = self._examples.setdefault(name, [])
        if len(examples) < _EXAMPLES and place not in examples:
            examples.append(place)

    def counts(self) -> tuple[Count, ...]:
        return tuple(
            Count(name=name, count=count, detail=self._details[name], examples=tuple(self._examples[name]))
            for name, count in self._counts.most_common()
        )


class _Rung:
    def __init__(self) -> None:
        self.pages = self.requests = self.tokens = self.cut = 0

    def add(self, tokens: int, *, is_cut: bool) -> None:
        self.requests += 1
        self.tokens += tokens
        self.cut += is_cut

    def count(self, rung: int) -> RungCount:
        return RungCount(rung=rung, pages=self.pages, requests=self.requests, tokens=self.tokens, cut_short=self.cut)


class _Field:
    def __init__(self) -> None:
        self._statuses: Counter[str] = Counter()
        self._sum, self._n = 0.0, 0

    def add(self, field: FieldEntry) -> None:
        self._statuses[field.status] += 1
        if field.confidence is not None:
            self._sum, self._n = self._sum + field.confidence, self._n + 1

    def count(self, name: str) -> FieldCount:
        of = self._statuses
        mean = round(self._sum / self._n, 4) if self._n else None
        return FieldCount(
            name=name, ok=of["ok"], absent=of["absent"], invalid=of["invalid"], rejected=of["rejected"], confidence=mean
        )


def _histogram(title: str, about: str, values: list[float]) -> Histogram:
    counts = [0] * _BINS
    for value in values:
        counts[min(_BINS - 1, max(0, int(value * _BINS)))] += 1
    return Histogram(title=title, about=about, counts=tuple(counts), median=round(median(values), 4))
