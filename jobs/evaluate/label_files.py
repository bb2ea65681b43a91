"""Labels in the shape that `pagemill train` learns from (schemas.label), or a sink whose rows are right, as what is expected."""

from jobs.evaluate.expected import Expected, Labels, Place
from jobs.train.labels import read_labels
from pipeline.tasks.unanswerable import is_unanswerable
from schemas.job import TEXTS, THINGS
from schemas.label import Label
from schemas.page import Line


def read_label_file(uri: str) -> Labels:
    """Return what a .jsonl or .parquet file, or a sink, says. Raises JobError, with the line, on what is no label."""
    return Labels("labels", tuple(_of_label(label) for label in read_labels(uri)))


def _of_label(label: Label) -> Expected:
    place = Place(label.page, uri=label.uri)
    if label.task in TEXTS:
        answers, target = ((_text(label.lines),), None) if label.lines else ((), label.target)
        return Expected(place, "labels", label.task, answers=answers, target=target, region=label.region)
    if label.task in THINGS:
        return _of_things(label, place)
    if label.task == "table":
        target = None if label.tables else label.target
        return Expected(place, "labels", "table", tables=label.tables, target=target, region=label.region)
    target = label.target or ""
    absent = label.task == "answer" and is_unanswerable(target)
    return Expected(
        place,
        "labels",
        label.task,
        prompt=label.prompt,
        answers=() if absent else (target,),
        is_absent=absent,
        region=label.region,
    )


def _of_things(label: Label, place: Place) -> Expected:
    """Return boxes with the labels that they are complete for: those named, or those that the prompt asks for."""
    named = {*label.labels, *(item.label for item in label.boxes)}
    if label.prompt and " " in label.prompt:
        named |= {part.strip() for part in label.prompt.split(maxsplit=1)[1].split(";")}
    return Expected(
        place,
        "labels",
        label.task,
        prompt=label.prompt if label.task != "detect" else None,
        labels=tuple(sorted(named)),
        boxes=label.boxes,
        target=None if label.boxes else label.target,
        region=label.region,
    )


def _text(lines: tuple[Line, ...]) -> str:
    return "\n".join(line.text for line in lines)
