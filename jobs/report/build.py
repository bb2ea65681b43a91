"""A report from a sink: pages are read, counted and written a few at a time, in the order of their documents; then some are pictured."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from jobs.plan.kept import kept
from jobs.report.entries import notes, page_entry
from jobs.report.files import Files
from jobs.report.history import run_entry
from jobs.report.lake import Lake
from jobs.report.pictures import Picture, Sitter, chosen, pictures
from jobs.report.planned import plan_entry
from jobs.report.shapes import DocumentEntry, Overview, Throughput
from jobs.report.tally import Tally, spans
from jobs.report.trust import trust_in
from pipeline.documents.child import Child
from pipeline.errors import JobError
from pipeline.passwords import passwords
from pipeline.places import Places
from pipeline.redact import redact
from pipeline.runs import Runs
from pipeline.storage import canonical, open_store
from schemas.job import Limits
from schemas.plan import Plan
from schemas.run import RunRecord, RunSummary
from schemas.source import DocumentRow
from schemas.unit import Origin

ONE_FILE_PAGES = 40
"""Up to so many pages, a report is one file unless told otherwise."""
_ROWS_AT_ONCE = 128

Watch = Callable[[Iterator[Picture], int], Iterable[Picture]]


@dataclass(frozen=True, slots=True)
class Built:
    """What was made: the file to open, and how much is in it."""

    index: Path
    documents: int
    pages: int
    pictures: int
    unpictured: int


def build(
    sink_uri: str,
    out: Path,
    *,
    picture_limit: int | None,
    is_one_file: bool | None,
    watch: Watch = lambda taken, _: taken,
    evaluation: Path | None = None,
    dollars_per_hour: float | None = None,
) -> Built:
    """Write the report of a sink to the folder `out`; `watch` is shown the pictures as they are taken, of so many.

    `evaluation` is what `pagemill evaluate --json` said of the sink, to be shown with it; `dollars_per_hour` what a GPU costs, by default
    as the last plan was told.
    `picture_limit` None pictures every page, `is_one_file` None decides by the number of pages. Raises JobError where the sink has no
    rows, or something else than a report is in the way.
    """
    trust = trust_in(evaluation) if evaluation else ()
    lake = Lake(sink_uri)
    if not lake.documents:
        raise JobError(f"{sink_uri}: there is nothing to report; name the sink of a job that has run")
    runs = Runs(open_store(sink_uri), Places(sink_uri))
    begun, ended, plans = runs.begun(), runs.ended(), kept(sink_uri)
    price = dollars_per_hour if dollars_per_hour is not None else _planned_price(plans)
    gpus = {each.run_id: each.job.workers.gpus for each in begun}
    files = Files(out, is_one_file=len(lake) <= ONE_FILE_PAGES if is_one_file is None else is_one_file)
    try:
        tally, listed = Tally(), list(lake.by_document())
        sitters = _pages(lake, listed, tally, files)
        wanted = chosen(tally.qualities, len(lake) if picture_limit is None else picture_limit)
        missing = _take([sitters[number] for number in wanted], begun, watch, files)
        documents = _documents(listed, tally)
        pictured = tuple(number for number in wanted if number not in missing)
        index = files.finish(
            Overview(
                title=_title(sink_uri, begun),
                sink=redact(canonical(sink_uri)),
                made_at=datetime.now(UTC).isoformat(timespec="seconds"),
                version=version("pagemill"),
                prefix=_prefix([redact(document.source_uri) for document, _ in listed]),
                documents=documents,
                documents_by_status=Counter(document.status for document in documents),
                runs=tuple(run_entry(summary, gpus.get(summary.run_id, 0.0), price) for summary in ended),
                plan=plan_entry(plans, begun, ended),
                throughput=_throughput(lake, ended),
                trust=trust,
                chunks=files.chunks,
                pictured=pictured,
                unpictured={str(number): reason for number, reason in missing.items()},
                counts=tally.counts(),
            )
        )
    except BaseException:
        files.drop()
        raise
    return Built(index, len(documents), len(lake), len(pictured), len(missing))


def _planned_price(plans: Sequence[Plan]) -> float | None:
    """Return what the latest plan that was told a price was told."""
    return next((plan.dollars_per_hour for plan in reversed(plans) if plan.dollars_per_hour is not None), None)


def _pages(lake: Lake, listed: Sequence[tuple[DocumentRow, list[int]]], tally: Tally, files: Files) -> list[Sitter]:
    """Write and count every page, and return them as sitters, each at its number among all pages."""
    sitters: list[Sitter] = []
    places = [(number, document, place) for number, (document, mine) in enumerate(listed) for place in mine]
    for start in range(0, len(places), _ROWS_AT_ONCE):
        batch = places[start : start + _ROWS_AT_ONCE]
        for (number, document, _), (page, fields) in zip(batch, lake.rows([place for *_, place in batch]), strict=True):
            entry = page_entry(page, fields)
            tally.add(number, entry)
            files.add_page(entry)
            sitters.append(Sitter(len(sitters), _origin(document), page.page_index))
    return sitters


def _documents(listed: Sequence[tuple[DocumentRow, list[int]]], tally: Tally) -> tuple[DocumentEntry, ...]:
    entries, first = [], 0
    for number, (document, places) in enumerate(listed):
        said = notes(document.failures)
        tally.note(number, None, said, is_reject=document.status in ("partial", "failed"))
        pages = tally.of_document(number)
        entries.append(
            DocumentEntry(
                name=redact(document.source_uri),
                status=document.status,
                first=first,
                pages=pages.letters,
                quality=pages.quality if places else float(document.status == "ok"),
                values=pages.values,
                values_bad=pages.values_bad,
                notes=said,
            )
        )
        first += len(places)
    return tuple(entries)


def _take(sitters: Sequence[Sitter], begun: Sequence[RunRecord], watch: Watch, files: Files) -> dict[int, str]:
    """Picture pages, and return those that could not be, and why."""
    missing = {}
    limits = begun[-1].job.limits if begun else Limits()
    with Child(limits) as child:
        for picture in watch(pictures(sitters, child, _passwords(begun)), len(sitters)):
            if picture.webp is None:
                missing[picture.number] = picture.reason or "it could not be rendered"
            else:
                files.add_picture(picture.number, picture.webp)
    return missing


def _passwords(begun: Sequence[RunRecord]) -> tuple[str, ...]:
    """Return the passwords that the jobs name, where this environment has them; a page without its password is not pictured, no more."""
    found: list[str] = []
    for source in {record.job.source for record in begun}:
        with suppress(JobError):
            found += passwords(source)
    return tuple(dict.fromkeys(found))


def _throughput(lake: Lake, ended: Sequence[RunSummary]) -> Throughput | None:
    """Return how the last run went that did something whose rows still stand."""
    for summary in reversed(ended):
        if committed := lake.committed(summary.run_id):
            seconds, counts = spans(summary, committed)
            return Throughput(
                run_id=summary.run_id, started_at=summary.started_at.isoformat(), span_seconds=seconds, pages=counts
            )
    return None


def _origin(document: DocumentRow) -> Origin:
    return Origin(
        source_id=document.source_id, uri=document.source_uri, version=document.source_version, size_bytes=document.size_bytes
    )


def _title(sink_uri: str, begun: Sequence[RunRecord]) -> str:
    names = dict.fromkeys(record.job.name for record in begun)
    return ", ".join(names) or redact(sink_uri.rstrip("/").rsplit("/", 1)[-1])


def _prefix(uris: Sequence[str]) -> str:
    """Return the folder that all of these are in."""
    if not uris:
        return ""
    shared = next((k for k, (a, b) in enumerate(zip(min(uris), max(uris), strict=False)) if a != b), len(min(uris)))
    return uris[0][: uris[0].rfind("/", 0, shared) + 1]
