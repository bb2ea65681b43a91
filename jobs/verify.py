"""`pagemill verify`: the proof that every page has exactly one row, in words, and what to do where it has not."""

import click

from schemas.run import Finding, FindingCode, VerifyReport

RERUN, DAMAGE = "run the job again", "files were changed by something else than Pagemill"

# What a finding means, and what cures it.
MEANINGS: dict[FindingCode, str] = {
    "page_missing": f"pages without a row: {DAMAGE}; restore them, or rerun those documents",
    "page_doubled": f"pages with more than one row: {DAMAGE}; remove the copies",
    "page_unknown": f"rows of pages that the ledger does not know: {DAMAGE}; remove those files",
    "pages_unread": f"documents whose pages are not all read yet: {RERUN}",
    "field_doubled": f"field values that stand twice: {DAMAGE}; remove the copies",
    "field_orphan": f"field values whose page has no row: {DAMAGE}; restore the page's file",
    "document_missing": f"documents without a row: {DAMAGE}; restore documents/, or {RERUN}",
    "document_doubled": f"documents with more than one row: {DAMAGE}; remove the copies",
    "document_wrong": f"documents whose counts are not those of their pages: {DAMAGE}; restore the files",
    "file_missing": f"files that were published and are gone: {DAMAGE}; restore them",
    "file_unreadable": f"files that cannot be read whole: {DAMAGE}; restore them",
    "file_unknown": f"files in the datasets that no run published: {DAMAGE}; remove them",
    "table_behind": f"Iceberg tables that do not show what the ledger holds: {RERUN}, or `pagemill compact`",
}


@click.command()
@click.argument("sink")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def verify(sink: str, *, as_json: bool) -> int:
    """Recount the datasets under SINK from storage, and hold them against the ledger.

    Exit codes: 0 every page of every document has exactly one row; 1 something is not as it must be; 3 pages are still to be read.
    """
    from pipeline.verify import verify as recount

    report = recount(sink)
    click.echo(report.model_dump_json(indent=2) if as_json else in_words(report))
    return exit_code(report)


def exit_code(report: VerifyReport) -> int:
    """Return 0 for an exact sink, 3 where another run makes it exact, and 1 where a person must look."""
    if report.is_exact:
        return 0
    return 3 if {finding.code for finding in report.findings} <= {"pages_unread", "table_behind"} else 1


def in_words(report: VerifyReport) -> str:
    """Return what was counted, what is wrong, and what to do about it."""
    counted = (
        f"{report.sink_uri}: {report.documents:,} documents, {report.pages:,} pages ({report.pages_ok:,} read, {report.pages_blank:,} blank, "
        f"{report.pages_partial:,} in part, {report.pages_failed:,} failed), {report.fields:,} field values"
    )
    verdict = "exact: every page of every document has exactly one row" if report.is_exact else "not exact"
    return "\n".join([counted, *(_in_words(finding) for finding in report.findings), verdict])


def _in_words(finding: Finding) -> str:
    return f"  {finding.count:,} × {finding.code}: {MEANINGS[finding.code]}\n    for example {finding.example}"
