"""The grain of work: a range of pages of one document, and what a worker reports of a group of them."""

from datetime import datetime

from schemas.page import Failure
from schemas.shape import Shape

UNIT_PAGES = 32


class Origin(Shape):
    """One source object, as far as its pages' rows need it."""

    source_id: str
    uri: str
    version: str
    size_bytes: int


class Unit(Shape):
    """Pages `first_page` up to `first_page + n_pages` of one document.

    Every origin holds the same bytes and gets rows of its own; the model reads the document once, from the first of them.
    `prior` names the part that already holds rows of these pages and `prior_source_id` whose rows they are: then only the
    tasks that those rows lack are asked, and none at all where they lack nothing.
    """

    document_id: str
    media_type: str
    origins: tuple[Origin, ...]
    first_page: int
    n_pages: int
    attempts: int = 0
    prior: str | None = None
    prior_source_id: str | None = None
    prior_tasks: tuple[str, ...] = ()


class UnitOutcome(Shape):
    """What became of one origin's pages of a unit; `tasks` holds the fingerprints that its rows answer."""

    source_id: str
    document_id: str
    first_page: int
    n_pages: int
    pages_ok: int
    pages_blank: int
    pages_partial: int
    pages_failed: int
    tasks: tuple[str, ...]


class Tally(Shape):
    """What the work cost, summed."""

    requests: int = 0
    tokens: int = 0
    engine_seconds: float = 0.0
    seconds: float = 0.0
    retries: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            requests=self.requests + other.requests,
            tokens=self.tokens + other.tokens,
            engine_seconds=self.engine_seconds + other.engine_seconds,
            seconds=self.seconds + other.seconds,
            retries=self.retries + other.retries,
        )


class Left(Shape):
    """A unit that was given up for this pass without a row: its store or its engine was out of reach; the next run takes it up."""

    unit: Unit
    failure: Failure


class StagedPart(Shape):
    """A part that a worker staged: rows of pages/ and fields/ in files of their own, not yet anybody's to read.

    `part_id` names the folder under staging; `rejects` counts the failures of its pages by "stage/code".
    """

    part_id: str
    outcomes: tuple[UnitOutcome, ...]
    left: tuple[Left, ...] = ()
    n_pages: int
    n_fields: int
    bytes_pages: int
    bytes_fields: int
    rejects: tuple[tuple[str, int], ...] = ()
    tally: Tally = Tally()
    staged_at: datetime
