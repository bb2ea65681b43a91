"""Which kind of label file it is, by what stands in it, and the reader of each."""

from collections.abc import Callable
from typing import Literal, get_args

from jobs.evaluate.cord import read_cord
from jobs.evaluate.docvqa import read_docvqa
from jobs.evaluate.expected import Labels
from jobs.evaluate.funsd import read_funsd
from jobs.evaluate.jsonfile import keys_of, text_of
from jobs.evaluate.label_files import read_label_file
from jobs.evaluate.pubtabnet import read_pubtabnet
from jobs.evaluate.sroie import is_sroie, read_sroie
from jobs.evaluate.truth_files import SUFFIX, read_truths
from pipeline.errors import JobError
from pipeline.places import OWN
from pipeline.storage import open_store

Form = Literal["truth", "labels", "sroie", "funsd", "cord", "docvqa", "pubtabnet"]
FORMS: tuple[Form, ...] = get_args(Form)
_SUFFIXES = (".json", ".jsonl", ".ndjson", ".parquet", ".txt")

_READERS: dict[Form, Callable[[list[str]], Labels]] = {
    "truth": read_truths,
    "sroie": read_sroie,
    "funsd": read_funsd,
    "cord": read_cord,
    "docvqa": read_docvqa,
    "pubtabnet": read_pubtabnet,
}


def read_expected(uri: str, form: Form | None = None) -> Labels:
    """Return what a label file, a folder of them or a sink says, of the form named or the one that it looks like.

    Raises JobError where it is of no form that is known, or not of the one that is named.
    """
    if form in (None, "labels") and _is_sink(uri):
        return read_label_file(uri)
    files = _files(uri)
    form = form or _form_of(files, uri)
    if form == "labels":
        return read_label_file(uri)
    labels = _READERS[form](_of_form(files, form))
    if not labels.expected:
        raise JobError(f"{uri} holds no label of the form {form}")
    return labels


def _files(uri: str) -> list[str]:
    found = [item.uri for item in open_store(uri).list(uri) if item.uri.endswith(_SUFFIXES)]
    if not found:
        raise JobError(f"{uri} holds no label file ({', '.join(_SUFFIXES)})")
    return found


def _is_sink(uri: str) -> bool:
    return any(f"/{OWN}/" in item.uri for item in open_store(uri).list(uri))


def _of_form(files: list[str], form: Form) -> list[str]:
    """Return the files that may be of a form: a folder may hold others beside."""
    if form == "truth":
        return [file for file in files if file.endswith(SUFFIX)]
    if form in ("funsd", "docvqa"):
        return [file for file in files if file.endswith(".json")]
    if form == "sroie":
        return [file for file in files if file.endswith((".txt", ".json"))]
    endings = (".jsonl", ".ndjson") if form == "pubtabnet" else (".json", ".jsonl", ".ndjson")
    return [file for file in files if file.endswith(endings)]


def _form_of(files: list[str], uri: str) -> Form:
    if any(file.endswith(SUFFIX) for file in files):
        return "truth"
    if files[0].endswith(".parquet"):
        return "labels"
    text = text_of(files[0])
    first = next((line for line in text.splitlines() if line.strip()), "")
    keys = keys_of(text) or keys_of(first)
    signs: tuple[tuple[Form, set[str]], ...] = (
        ("labels", {"uri", "task"}),
        ("pubtabnet", {"filename", "html"}),
        ("cord", {"file_name", "ground_truth"}),
        ("cord", {"gt_parse"}),
        ("cord", {"valid_line"}),
        ("funsd", {"form"}),
        ("docvqa", {"data"}),
    )
    for form, sign in signs:
        if sign <= keys:
            return form
    if is_sroie(text):
        return "sroie"
    raise JobError(f"{uri}: {files[0]} is of no form that is known: name one of {', '.join(FORMS)} with --format")
