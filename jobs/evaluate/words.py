"""An evaluation in words: tables on a terminal, and in Markdown."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from jobs.evaluate.reliability import Reliability
from jobs.evaluate.report import METRICS, By, Metric, Report, Score

_TITLES: dict[By, str] = {
    "all": "",
    "kind": "kind",
    "finish": "finish",
    "type": "field type",
    "field": "field",
    "resolution": "resolution",
    "rung": "rung",
    "prompt": "prompt",
}
_EDGES = "95% intervals over resampled documents; pages and answers that are missing or rejected count as wrong."
_TOO_FEW = (
    "calibrated: too few labelled answers are right, or wrong, to fit the weights of fields: those that ship stand in the file"
)
_AN_ERROR_RATE = frozenset({"cer", "wer"})


def show(report: Report, console: Console) -> None:
    """Print a report on a terminal."""
    console.print(_headline(report), highlight=False, markup=False, soft_wrap=True)
    for task, metrics, rows in _by_task(report.scores):
        table = Table(title=task, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for name in ("", "", *(METRICS[metric] for metric in metrics), "answers", "missing", "rejected"):
            table.add_column(name, justify="right" if name else "left", no_wrap=bool(name), overflow="fold")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for line in _notes(report):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def markdown(report: Report) -> str:
    """Return a report as Markdown, for a model card or a pull request."""
    lines = [_headline(report), ""]
    for task, metrics, rows in _by_task(report.scores):
        heads = ["by", "group", *(METRICS[metric] for metric in metrics), "answers", "missing", "rejected"]
        lines += [f"**{task}**", "", markdown_table(heads, rows), ""]
    return "\n".join([*lines, *(f"- {line}" for line in _notes(report))])


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown; cells may hold anything but line breaks."""
    rule = ["---", "---", *["---:"] * (len(heads) - 2)]
    return "\n".join(f"| {' | '.join(map(_escaped, row))} |" for row in (heads, rule, *rows))


def _by_task(scores: Sequence[Score]) -> Iterator[tuple[str, list[Metric], list[list[str]]]]:
    """Yield each task with its metrics and its rows: what they are grouped by, the group, values and counts."""
    for task in dict.fromkeys(score.task for score in scores):
        ours = [score for score in scores if score.task == task]
        metrics = list(dict.fromkeys(score.metric for score in ours))
        groups = dict.fromkeys((score.by, score.group) for score in ours)
        yield task, metrics, [_cells(by, group, metrics, ours) for by, group in groups]


def _cells(by: By, group: str, metrics: Sequence[Metric], scores: Sequence[Score]) -> list[str]:
    found = {score.metric: score for score in scores if (score.by, score.group) == (by, group)}
    any_of = next(iter(found.values()))
    values = [_value(found[metric]) if metric in found else "" for metric in metrics]
    return [_TITLES[by], group, *values, f"{any_of.answers:,}", f"{any_of.missing:,}", f"{any_of.rejected:,}"]


def _value(score: Score) -> str:
    if score.metric in _AN_ERROR_RATE:
        return f"{score.value:.2%} [{score.low:.2%}, {score.high:.2%}]"
    return f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"


def _headline(report: Report) -> str:
    pages = f"{report.pages:,} page{'' if report.pages == 1 else 's'}"
    documents = f"{report.documents:,} document{'' if report.documents == 1 else 's'}"
    return f"{report.sink_uri} against {report.labels_uri} ({report.form}): {pages} of {documents}"


def _notes(report: Report) -> list[str]:
    left = [f"left out: {each.count:,} × {each.reason}, for example {each.example}" for each in report.left_out]
    return [
        _EDGES,
        *_trust("confidence", report.confidence),
        *_trust("lines", report.lines, "lines"),
        *_trust("calibrated", report.calibrated),
        *_trust("calibrated", report.calibrated_lines, "lines"),
        *([_TOO_FEW] if report.calibrated_lines and not report.calibrated else []),
        *left,
    ]


def _trust(name: str, found: Reliability | None, what: str = "answers") -> list[str]:
    """Say how far confidence can be trusted; of new weights, on documents that they have not seen."""
    if found is None or found.calibration_error is None:
        return []
    auc = "" if found.auc is None else f"AUC {found.auc:.3f}, "
    surest = "" if found.right_at_80 is None else f", {found.right_at_80:.2%} right among the surest 80%"
    return [
        f"{name}: {found.answers:,} {what}, {found.wrong:,} wrong: {auc}calibration error {found.calibration_error:.3f}{surest}"
    ]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
