"""What came of a run, in words that a person on call can act on. Pure: it says what the summary holds and looks nothing up."""

from shlex import quote

from jobs.progress import duration
from pipeline.errors import ObjectChanged, ObjectMissing
from schemas.run import RunSummary
from schemas.unit import Reject

_SHOWN = 8


def in_words(summary: RunSummary, python: str = "python", pagemill: str = "pagemill") -> str:
    """Return what came in, what came out, what failed and why, where it all is, and what the exit code means.

    `python` is the interpreter that the query to try names: one that has DuckDB; `pagemill` is how the proof's command is reached.
    """
    return "\n".join(
        [
            _headline(summary),
            *_came_in(summary),
            *_came_out(summary),
            *_failed(summary),
            *_whereabouts(summary, python, pagemill),
            _verdict(summary),
        ]
    )


def _headline(summary: RunSummary) -> str:
    took = duration((summary.ended_at - summary.started_at).total_seconds())
    return f"{summary.job_name}: run {summary.run_id}, {took}"


def _came_in(summary: RunSummary) -> list[str]:
    if summary.documents_retried:
        opened = summary.objects_inspected - summary.documents_unreadable
        return [
            f"  in        {_n(summary.documents_retried, 'document')} that could not be opened before, tried again: {opened:,} can be now"
        ]
    if summary.kind != "run":  # pages that are there already, read or decoded again
        return []
    listed, new = _n(summary.objects_listed, "object"), f"{summary.objects_inspected:,} new"
    gone = f", {summary.objects_deleted:,} gone from the source since" if summary.objects_deleted else ""
    return [f"  in        {listed} listed, {summary.objects_known:,} known from earlier runs, {new}{gone}"]


def _came_out(summary: RunSummary) -> list[str]:
    if not summary.pages_selected and not summary.documents_unreadable:
        return [f"  out       {_nothing(summary)}"]
    pages = f"{_n(summary.pages_ok, 'page')} read, {summary.pages_blank:,} blank, {summary.pages_partial:,} in part, {summary.pages_failed:,} failed"
    lines = [f"  out       {pages}; {_n(summary.fields, 'field value')}"]
    if summary.engine:
        lines.append(f"  model     {summary.engine}: {summary.tally.requests:,} requests, {summary.tally.tokens:,} tokens")
    if summary.store_retries:
        lines.append(f"  storage   {_n(summary.store_retries, 'request')} made again, as the store failed in passing")
    if summary.witnessed.pages:
        seen = summary.witnessed
        lines.append(
            f"  witness   {_n(seen.pages, 'text layer')} beside the model's text: {seen.cer:.1%} of its characters otherwise, "
            f"{seen.word_recall:.1%} of its words found"
        )
    return lines


def _nothing(summary: RunSummary) -> str:
    if summary.where is not None:
        return (
            f"nothing was read: no page of this job that is still at its source has rows of which this holds: {summary.where}"
        )
    return (
        "nothing to do: every page is read already" if summary.kind == "run" else "nothing to do: no page of this job is meant"
    )


def _failed(summary: RunSummary) -> list[str]:
    lines = []
    if summary.documents_unreadable and summary.documents_retried:
        lines.append(
            f"  rejects   {_n(summary.documents_unreadable, 'document')} still cannot be opened, which counts for nothing here"
        )
    elif summary.documents_unreadable:
        lines.append(f"  rejects   {_n(summary.documents_unreadable, 'document')} could not be opened at all")
    elif summary.rejects:
        lines.append("  rejects   commonest first:")
    lines += [_reject(reject) for reject in summary.rejects[:_SHOWN]]
    if len(summary.rejects) > _SHOWN:
        lines.append(f"            and {len(summary.rejects) - _SHOWN} more kinds: see `failures` in documents/ and pages/")
    return lines


def _reject(reject: Reject) -> str:
    page = "" if reject.example_page is None else f" page {reject.example_page + 1}"
    return f"  {reject.count:>7,} × {reject.stage}/{reject.code}: {reject.message}\n            for example {reject.example_uri}{page}"


def _whereabouts(summary: RunSummary, python: str, pagemill: str) -> list[str]:
    sink = summary.sink_uri.rstrip("/")
    columns = "SELECT source_uri, page_index, status, text FROM"
    if summary.sink_format == "iceberg":
        code = f'import duckdb; from pipeline import read; pages = read("{sink}"); duckdb.sql("{columns} pages").show()'
    else:
        code = f'import duckdb; duckdb.sql("""{columns} "{sink}/pages/*/*.parquet" """).show()'
    return [
        f"  results   {sink}/documents, {sink}/pages, {sink}/fields",
        f"  query     {python} -c {quote(code)}",
        f"  proof     {pagemill} verify {quote(sink)}",
    ]


def _verdict(summary: RunSummary) -> str:
    if summary.exit_code == 0:
        return "exit code 0: complete"
    if summary.exit_code == 1:
        return (
            f"exit code 1: complete, but {summary.reject_rate:.1%} of the pages were rejected, more than the {summary.max_reject_rate:.1%}"
            " that `accept.max_reject_rate` allows; running it again does not read them again"
        )
    ended = summary.stopped or ("it was interrupted" if summary.interrupted else None)
    why = ended or "; ".join(summary.left_reasons) or "work is left"
    left = f" {_n(summary.left, 'unit')} of up to 32 pages left." if summary.left else ""
    return f"exit code 3: not complete: {why}.{left} {_cure(summary)}"


def _cure(summary: RunSummary) -> str:
    moved = tuple(f"{error.__name__}: " for error in (ObjectMissing, ObjectChanged))
    if summary.kind == "rerun" and any(reason.startswith(moved) for reason in summary.left_reasons):
        return "`pagemill run` sees what is gone from the source, or has changed there, since it was read; the same command goes on after that"
    return "The same command goes on where this one ended"


def _n(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
