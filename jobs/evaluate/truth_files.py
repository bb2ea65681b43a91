"""The project's own truth, NAME.truth.json beside each document: all text, fields, tables and things of every page."""

from collections.abc import Iterator

from pydantic import ValidationError

from jobs.evaluate.expected import Expected, Labels, LeftOut, Place
from pipeline.errors import JobError
from pipeline.storage import open_store
from schemas.truth import DocumentTruth, FieldTruth, PageTruth

SUFFIX = ".truth.json"


def read_truths(uris: list[str]) -> Labels:
    """Return what truth files say. Raises JobError on one that is none."""
    expected: list[Expected] = []
    left_out = []
    for uri in uris:
        try:
            truth = DocumentTruth.model_validate_json(open_store(uri).read(uri))
        except ValidationError as exc:
            raise JobError(f"{uri} is no truth file: {exc.errors()[0]['msg']}") from exc
        if not truth.pages:
            left_out.append(LeftOut("documents that nobody can open", uri))
        expected += _of_document(truth, uri.rsplit("/", 1)[-1].removesuffix(SUFFIX))
    return Labels("truth", tuple(expected), tuple(left_out))


def _of_document(truth: DocumentTruth, name: str) -> Iterator[Expected]:
    for page in truth.pages:
        place = Place(page.page_index, document_id=truth.document_id, stem=name)
        yield Expected(place, truth.kind, "ocr", truth.finish, answers=(page.text,))
        yield from (_of_field(place, truth, field) for field in page.fields)
        yield Expected(place, truth.kind, "detect", truth.finish, boxes=page.boxes)
        yield _of_tables(place, truth, page)


def _of_field(place: Place, truth: DocumentTruth, field: FieldTruth) -> Expected:
    return Expected(
        place,
        truth.kind,
        "answer",
        truth.finish,
        question=field.question,
        answers=(field.value.value_text or "",) if field.value.status == "ok" else (),
        is_absent=field.value.status == "absent",
        value=field.value,
        type=field.type,
    )


def _of_tables(place: Place, truth: DocumentTruth, page: PageTruth) -> Expected:
    return Expected(place, truth.kind, "table", truth.finish, tables=page.tables)
