"""The grain of work: a range of pages of one document, and what a worker reports of a group of them."""

from datetime import datetime
from itertools import zip_longest

from schemas.page import Failure
from schemas.shape import Shape
from schemas.witness import Witnessed

UNIT_PAGES = 32


class Origin(Shape):
    """One source object, as far as its pages' rows need it."""

    source_id: str
    uri: str
    version: str
    size_bytes: int


class Prior(Shape):
    """Rows that exist already: the file of pages/ that holds them (relative to the sink), whose they are, and the tasks they answer."""

    pages_file: str
    source_id: str
    tasks: tuple[str, ...]
    jobs: tuple[str, ...]


class Unit(Shape):
    """Pages `first_page` up to `first_page + n_pages` of one document.

    Every origin holds the same bytes and gets rows of its own; the model reads the document once, from the first of them.
    `prior` says where rows of these pages already stand: then only the tasks that those rows lack are asked, and none at all
    where they lack nothing. `page_count` is that of the whole document.
    """

    document_id: str
    media_type: str
    origins: tuple[Origin, ...]
    first_page: int
    n_pages: int
    page_count: int | None = None
    prior: Prior | None = None


class UnitOutcome(Shape):
    """What became of one origin's pages of a unit.

    `statuses` has one letter a page: o (ok), b (blank), p (partial) or f (failed). `tasks` holds the fingerprints that the rows
    answer, `jobs` the names of the jobs that asked. `required` are the required fields that any of the pages was asked; `found` has a text a
    page then, the names of those of which the page has a valid value, with spaces between.
    """

    source_id: str
    document_id: str
    first_page: int
    n_pages: int
    statuses: str
    tasks: tuple[str, ...]
    jobs: tuple[str, ...]
    required: tuple[str, ...] = ()
    found: tuple[str, ...] = ()


class Tally(Shape):
    """What the work cost, summed. `rungs` are the requests of each rung of the ladder; `verified` are those of them that read values' places again.

    `retries` counts engines that were started again, `store_retries` requests to the store that were made again.
    """

    requests: int = 0
    rungs: tuple[int, ...] = ()
    verified: int = 0
    tokens: int = 0
    engine_seconds: float = 0.0
    seconds: float = 0.0
    retries: int = 0
    store_retries: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            requests=self.requests + other.requests,
            rungs=tuple(map(sum, zip_longest(self.rungs, other.rungs, fillvalue=0))),
            verified=self.verified + other.verified,
            tokens=self.tokens + other.tokens,
            engine_seconds=self.engine_seconds + other.engine_seconds,
            seconds=self.seconds + other.seconds,
            retries=self.retries + other.retries,
            store_retries=self.store_retries + other.store_retries,
        )


class Left(Shape):
    """A unit that was given up for this pass without a row: its store or its engine was out of reach; the next run takes it up."""

    unit: Unit
    failure: Failure


class Reject(Shape):
    """One kind of failure: how often, and one place to look at."""

    stage: str
    code: str
    count: int
    example_uri: str
    example_page: int | None = None
    message: str


class StagedPart(Shape):
    """A part that a worker staged: rows of pages/ and fields/ in files of their own, not yet anybody's to read.

    `part_id` names the folder under staging; `processed_at` stands in all of its rows.
    """

    part_id: str
    outcomes: tuple[UnitOutcome, ...]
    left: tuple[Left, ...] = ()
    n_fields: int
    rejects: tuple[Reject, ...] = ()
    engine: str | None = None
    tally: Tally = Tally()
    witnessed: Witnessed = Witnessed()
    processed_at: datetime
