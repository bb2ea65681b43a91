"""What a run says of each page: its rows, what its job asked, and at which resolution and rung the answer was found."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from jobs.evaluate.expected import Place, folded, stem
from jobs.evaluate.unaided import asks_of, field_unaided, page_unaided
from pipeline.errors import JobError
from pipeline.places import Places
from pipeline.reader import read
from pipeline.runs import Runs
from pipeline.storage import canonical, open_store
from pipeline.tasks.asks import asks
from schemas.arrow import from_table
from schemas.field import FieldRow
from schemas.job import AnswerField, Job, Task
from schemas.page import PageRow
from schemas.source import DocumentRow

State = Literal["said", "rejected", "missing"]
TEXT_LAYER = "text layer"
UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a job: `labels` of those for boxes, `field` and `lang` of those for a field."""

    key: str
    type: str
    prompt: str
    labels: tuple[str, ...] = ()
    field: AnswerField | None = None
    lang: str = "en"


@dataclass(frozen=True, slots=True)
class Said:
    """One page as the run left it; `row` is None where there is no row. `asked` is what the run asked of it."""

    uri: str | None
    row: PageRow | None
    fields: dict[str, FieldRow]
    asked: tuple[Asked, ...]
    resolutions: tuple[int, ...]

    def state(self, key: str) -> State:
        """Return whether a task's answer is there, was rejected, or is missing with the whole page."""
        if self.row is None:
            return "missing"
        failed = self.row.status == "failed" or any(failure.task == key for failure in self.row.failures)
        return "rejected" if failed else "said"

    def rung(self, key: str) -> int | None:
        """Return the last rung that the task was asked at, or None where the model was not asked."""
        return max((each.rung for each in self.row.completions if each.task == key), default=None) if self.row else None

    def resolution(self, rung: int | None) -> int | None:
        """Return the resolution of a rung of the job's ladder."""
        return self.resolutions[rung] if rung is not None and rung < len(self.resolutions) else None


@dataclass(frozen=True, slots=True)
class Asking:
    """What a run's job asks of every page, and the resolutions of its ladder."""

    asked: tuple[Asked, ...]
    resolutions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sink:
    """A sink's rows, found by place. `runs` are in order of time; `documents` are those that hold now, read or not."""

    uri: str
    runs: dict[str, Asking]
    documents: list[DocumentRow]
    pages: dict[tuple[str, int], PageRow]
    fields: dict[str, dict[str, FieldRow]]
    latest: dict[str, Asked]
    finders: tuple[dict[str, list[str]], ...]

    def page(self, place: Place) -> Said:
        """Return what is said of a page; of one that has no row, with all that any run of the sink asks."""
        uri = self.find(place)
        row = self.pages.get((uri, place.page_index)) if uri else None
        if row is None:
            return Said(uri, None, {}, tuple(self.latest.values()), ())
        asking = self.runs.get(row.run_id, Asking((), ()))
        return Said(uri, row, self.fields.get(row.page_id, {}), self._asked_of(row, asking), asking.resolutions)

    def _asked_of(self, row: PageRow, asking: Asking) -> tuple[Asked, ...]:
        """Add what other runs asked of the page and its row still answers: a page's last run is not always its only one."""
        mine = {each.key for each in asking.asked}
        held = dict.fromkeys(each.task for each in row.completions)
        held |= dict.fromkeys(f"answer.{name}" for name in self.fields.get(row.page_id, {}))
        return (*asking.asked, *(self.latest[key] for key in held if key not in mine and key in self.latest))

    def find(self, place: Place) -> str | None:
        """Return the uri of the document that is meant; raises JobError where a name is several documents'."""
        by_id, by_uri, by_name, by_stem = self.finders
        wanted = canonical(place.uri) if place.uri else None
        file = place.name.rsplit("/", 1)[-1] if place.name else None
        for finder, key in ((by_id, place.document_id), (by_uri, wanted)):
            if key and (found := finder.get(key)):
                return found[0]  # the same bytes under several names are read once, and judged once
        by_file = by_name.get(file, []) if file else []
        bare = place.stem or (stem(file) if file else "")
        return _only(by_file or by_stem.get(bare, []), place)


def read_sink(uri: str) -> Sink:
    """Read a sink's rows as they are now. Raises JobError where no run has been."""
    documents = [row for row in from_table(read(uri, "documents"), DocumentRow) if row.status not in ("superseded", "deleted")]
    pages = from_table(read(uri, "pages"), PageRow)
    begun = Runs(open_store(uri), Places(uri)).begun()
    known_asks = asks_of(run.job for run in begun)
    known = {page.page_id: page for page in pages}
    fields: dict[str, dict[str, FieldRow]] = defaultdict(dict)
    for row in from_table(read(uri, "fields"), FieldRow):
        fields[row.page_id][row.name] = field_unaided(row, known.get(row.page_id), known_asks)
    unaided = [page_unaided(page, known_asks) for page in pages]
    return sink(uri, {run.run_id: run.job for run in begun}, documents, unaided, fields)


def sink(
    uri: str,
    jobs: dict[str, Job],
    documents: Sequence[DocumentRow],
    pages: Sequence[PageRow],
    fields: dict[str, dict[str, FieldRow]],
) -> Sink:
    """Return rows with what finds them."""
    ordered = sorted(documents, key=lambda row: row.source_uri)
    by_id = _index(ordered, lambda row: row.document_id or "")
    by_uri = _index(ordered, lambda row: row.source_uri)
    by_name = _index(ordered, lambda row: row.source_uri.rsplit("/", 1)[-1])
    by_stem = _index(ordered, lambda row: stem(row.source_uri))
    places = {(row.source_uri, row.page_index): row for row in pages}
    runs = {
        run_id: Asking(questions(job), tuple(rung.resolution for rung in job.render.ladder)) for run_id, job in jobs.items()
    }
    latest = {each.key: each for asking in runs.values() for each in asking.asked}
    return Sink(uri, runs, ordered, places, fields, latest, (by_id, by_uri, by_name, by_stem))


def questions(job: Job) -> tuple[Asked, ...]:
    """Return what a job asks of every page."""
    return tuple(each for task in job.tasks for each in _of_task(task))


def _of_task(task: Task) -> Iterable[Asked]:
    labels = task.labels if task.type in ("detect", "segment") else (task.phrase,) if task.type == "refer" else ()
    lang = task.lang if task.type == "answer" else "en"
    for ask in asks(task):
        yield Asked(ask.key, task.type, ask.prompt, labels, ask.answer_field, lang)


def _index(documents: Sequence[DocumentRow], key: Callable[[DocumentRow], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in documents:
        found[key(row)].append(row.source_uri)
    return found


def _only(found: list[str], place: Place) -> str | None:
    if len(found) > 1:
        raise JobError(f"the label of {place.document} could mean {found[0]} or {found[1]}: evaluate a run over one of them")
    return found[0] if found else None


def wanted(
    asked: Sequence[Asked], types: Sequence[str], prompt: str | None, question: str | None, name: str | None
) -> Asked | None:
    """Return the question of these task types that a label means: by its prompt, its question, or the field's name."""
    ours = [each for each in asked if each.type in types]
    if prompt is None and question is None and name is None:
        return ours[0] if ours else None
    for each in ours:
        if prompt is not None and each.prompt == prompt:
            return each
    for each in ours:
        if question and each.field and folded(each.field.question) == folded(question):
            return each
    for each in ours:
        if name and each.field and folded(each.field.name) == folded(name):
            return each
    return None
