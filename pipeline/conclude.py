"""What a document's rows come to once all that was read of it is known: cells get their values, values are held against one another and weighed,
and what nothing places stands on the whole page.

Pure. The order matters: sums need cells' values, and what a check has failed is not weighed. Of a document of which only some pages are at hand
nothing is held against the others: its rows wait, marked, until all are (whole.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.columns import Columns, columned, columns_of
from pipeline.company import in_company
from pipeline.crosscheck import checks, cross_checked
from pipeline.ladder import waiting
from pipeline.provenance import on_the_page
from pipeline.settle import Rows
from schemas.crosscheck import CrossCheck
from schemas.job import Task
from schemas.signals import ConfidenceModel
from schemas.unit import Origin, Unit

UNJUDGED = waiting("whole:", 0)
"""What rows carry, beside the fingerprints of what they answer, that wait for the other pages of their document."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a job says of how its rows hang together, and how values are weighed."""

    columns: Columns
    checks: tuple[CrossCheck, ...]
    model: ConfidenceModel | None

    @property
    def are_of_documents(self) -> bool:
        """Return whether a page's rows depend on those of other pages."""
        return bool(self.checks or self.columns.columns)


def rules_of(tasks: Sequence[Task], model: ConfidenceModel | None) -> Rules:
    """Return the rules of a job's tasks."""
    return Rules(columns_of(tasks), checks(tasks), model)


@dataclass(frozen=True, slots=True)
class Finished:
    """A page's rows for one origin of its unit, as far as the page alone tells: the keys that were `asked`, and what a part is told of them."""

    unit: Unit
    origin: Origin
    rows: Rows
    asked: frozenset[str]
    tasks: tuple[str, ...]
    jobs: tuple[str, ...]


def together(pages: Iterable[Finished], rules: Rules) -> Iterator[Finished]:
    """Yield pages, each in the light of the others of its unit; those of one unit come in their order."""
    known: dict[tuple[str, int, str], list[Finished]] = {}
    for page in pages:
        known.setdefault((page.unit.document_id, page.unit.first_page, page.origin.source_id), []).append(page)
    for mine in known.values():
        yield from in_document(mine, rules)


def in_document(pages: Sequence[Finished], rules: Rules) -> Iterator[Finished]:
    """Yield some or all pages of one source object, which come in their order, each in the light of the others."""
    whole = len(pages) == pages[0].unit.page_count
    told = concluded([page.rows for page in pages], [page.asked for page in pages], rules, is_whole=whole)
    mark = () if whole or not rules.are_of_documents else (UNJUDGED,)
    for page, rows in zip(pages, told, strict=True):
        yield replace(page, rows=rows, tasks=(*(task for task in page.tasks if task != UNJUDGED), *mark))


def concluded(pages: Sequence[Rows], asked: Sequence[frozenset[str]], rules: Rules, *, is_whole: bool) -> tuple[Rows, ...]:
    """Return pages of one document, in their order, of whose rows those were made now that answer the keys that were `asked` of each page.

    `is_whole`: they are all of its pages.
    """
    typed = columned(pages, rules.columns)
    held = cross_checked(typed, rules.checks, rules.model) if is_whole else typed
    told = (in_company(made, keys, rules.model) for made, keys in zip(held, asked, strict=True))
    return tuple(Rows(*on_the_page(made.page, made.fields)) for made in told)
