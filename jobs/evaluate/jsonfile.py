"""JSON that others wrote, as shapes: keys that are not needed are passed over, and what is wrong is told with its file."""

import json
from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import JobError
from pipeline.storage import open_store


class Foreign(BaseModel):
    """A frozen value with the keys that are needed here, among others."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


F = TypeVar("F", bound=Foreign)


def as_shape(uri: str, shape: type[F]) -> F:
    """Return a JSON file as a shape; raises JobError."""
    return validated(text_of(uri), shape, uri)


def lines_of(uri: str, shape: type[F]) -> Iterator[F]:
    """Yield the lines of a JSON lines file as shapes; raises JobError."""
    for number, line in enumerate(text_of(uri).splitlines(), start=1):
        if line.strip():
            yield validated(line, shape, f"{uri}, line {number}")


def validated(text: str, shape: type[F], place: str) -> F:
    """Return JSON text as a shape; raises JobError that names the place."""
    try:
        return shape.model_validate_json(text)
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise JobError(f"{place}: {f'{where}: ' if where else ''}{first['msg']}") from exc


def keys_of(text: str) -> set[str]:
    """Return the keys of a JSON object, or none of what is no object."""
    try:
        found = json.loads(text)
    except ValueError:
        return set()
    return set(found) if isinstance(found, dict) else set()


def text_of(uri: str) -> str:
    """Return a file's text, with the mark that some editors put before it taken off; raises JobError where it is no UTF-8."""
    try:
        return open_store(uri).read(uri).decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise JobError(f"{uri} is no UTF-8 text: {exc}") from exc
