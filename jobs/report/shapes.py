"""What the browser is given: a page as it is shown, a document as it is listed, and the overview. Keys are what report.js reads."""

from schemas.shape import Shape

Rect = tuple[float, float, float, float]
"""x0, y0, x1, y1 in points from the page's top left, rounded to a tenth."""


class Piece(Shape):
    """Something with a place: a line of text, or a thing that was found (then `text` is its label).

    `rough`: the rect is what was looked at, a tile or the whole page, and it stands somewhere in it.
    """

    text: str
    rect: Rect | None = None
    rough: bool = False
    confidence: float | None = None


class CellEntry(Shape):
    """A cell of a table."""

    row: int
    col: int
    rows: int = 1
    cols: int = 1
    text: str = ""
    rect: Rect | None = None
    rough: bool = False


class TableEntry(Shape):
    """A table, as its cells."""

    n_rows: int
    n_cols: int
    rect: Rect | None = None
    rough: bool = False
    cells: tuple[CellEntry, ...] = ()


class FieldEntry(Shape):
    """A value: `raw` is what was read, `meaning` what it stands for where its type says more than the text."""

    name: str
    question: str
    status: str
    reason: str | None = None
    raw: str | None = None
    meaning: str | None = None
    confidence: float | None = None
    rect: Rect | None = None
    rough: bool = False
    box_source: str | None = None
    value_source: str | None = None
    rung: int | None = None


class Asked(Shape):
    """One request and what the model said; `odds` is the geometric mean of its tokens' probabilities."""

    task: str
    prompt: str
    view: str
    rung: int
    raw: str
    finish: str
    tokens: int
    odds: float | None = None


class Note(Shape):
    """A failure, or a remark of the machine."""

    stage: str
    code: str
    message: str
    task: str | None = None


class Agreement(Shape):
    """The model's words held against the text layer's, order aside; `only_*` are some of the words that one side alone has."""

    score: float
    only_model: tuple[str, ...] = ()
    only_layer: tuple[str, ...] = ()


class PageEntry(Shape):
    """One page. `quality` orders pages, 0 the worst and 1 the best; `text` is given where there are no lines.

    `source_id` and `index` name the page in a file of corrections.
    """

    source_id: str
    index: int
    status: str
    quality: float
    width: float | None = None
    height: float | None = None
    source: str | None = None
    seconds: float = 0.0
    engine: str | None = None
    agreement: Agreement | None = None
    text: str | None = None
    lines: tuple[Piece, ...] = ()
    fields: tuple[FieldEntry, ...] = ()
    tables: tuple[TableEntry, ...] = ()
    things: tuple[Piece, ...] = ()
    asked: tuple[Asked, ...] = ()
    notes: tuple[Note, ...] = ()


class DocumentEntry(Shape):
    """One document: `first` is the number of its first page among all pages of the report; `pages` has a letter a page (o, b, p, f)."""

    name: str
    status: str
    first: int
    pages: str = ""
    quality: float = 0.0
    values: int = 0
    values_bad: int = 0
    notes: tuple[Note, ...] = ()


class Count(Shape):
    """How often something was seen, and some places to look at: (document, page) numbers in the report; page -1 is the whole document."""

    name: str
    count: int
    detail: str = ""
    examples: tuple[tuple[int, int], ...] = ()


class RungCount(Shape):
    """What one rung of the ladder was asked."""

    rung: int
    pages: int
    requests: int
    tokens: int
    cut_short: int


class FieldCount(Shape):
    """What came of one field over all pages."""

    name: str
    ok: int = 0
    absent: int = 0
    invalid: int = 0
    rejected: int = 0
    confidence: float | None = None


class RunEntry(Shape):
    """A run that ended; times as ISO 8601 in UTC. `kind` says what it did where it did not read what was left to do."""

    run_id: str
    job: str
    kind: str | None = None
    started_at: str
    seconds: float
    pages: int
    rejected: float
    requests: int
    tokens: int
    engine_seconds: float
    engine: str | None = None
    dollars: float | None = None
    exit_code: int


class PlanEntry(Shape):
    """A plan that was kept, held against the runs of its job that followed: a row each of name, planned, low, high and what came of it."""

    made_at: str
    job: str
    looked_at: int
    runs: int
    rows: tuple[tuple[str, float, float, float, float | None], ...]
    taken_for_granted: tuple[str, ...] = ()


class Histogram(Shape):
    """Counts in equal bins from 0 to 1; `median` of the values."""

    title: str
    about: str
    counts: tuple[int, ...]
    median: float


class Throughput(Shape):
    """Pages that were committed in each of equal spans of a run."""

    run_id: str
    started_at: str
    span_seconds: float
    pages: tuple[int, ...]


class Counts(Shape):
    """What all pages come to. Remarks are failures that made no page what it is."""

    pages: dict[str, int]
    page_seconds: float = 0.0
    requests: int = 0
    tokens: int = 0
    rejects: tuple[Count, ...] = ()
    remarks: tuple[Count, ...] = ()
    field_counts: tuple[FieldCount, ...] = ()
    field_reasons: tuple[Count, ...] = ()
    rungs: tuple[RungCount, ...] = ()
    histograms: tuple[Histogram, ...] = ()


class Trust(Shape):
    """Confidence held against labels (jobs.evaluate.reliability), of `what`: of each bin its mean confidence, the share that is right and how many
    they are; and of the surest share of all, the share that is wrong.
    """

    what: str
    answers: int
    wrong: int
    auc: float | None = None
    calibration_error: float
    bins: tuple[tuple[float, float, int], ...]
    risks: tuple[tuple[float, float], ...]


class Overview(Shape):
    """The whole report but its pages.

    `prefix` is what all documents' names begin with; `chunks` holds the number of each data file's first page, `pictured` the numbers
    of the pages with a picture, and `unpictured` why others that were to have one have none.
    """

    title: str
    sink: str
    made_at: str
    version: str
    prefix: str
    counts: Counts
    documents_by_status: dict[str, int]
    runs: tuple[RunEntry, ...] = ()
    plan: PlanEntry | None = None
    throughput: Throughput | None = None
    trust: tuple[Trust, ...] = ()
    documents: tuple[DocumentEntry, ...] = ()
    chunks: tuple[int, ...] = ()
    pictured: tuple[int, ...] = ()
    unpictured: dict[str, str]
