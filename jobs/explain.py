"""What pydantic finds wrong with a job file, as lines that a person can act on: where it stands, what is expected, what was meant.

It knows the shapes of a job only by their annotations; it reads no file.
"""

import types
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from jobs.yamlfile import Path, Problem, YamlFile
from schemas.job import Job
from schemas.shape import Shape

_SHAPES_OF_VALUES = {
    "model_type": "a mapping of keys is expected here",
    "tuple_type": "a list is expected here: [one, two], or one `- item` a line",
    "bool_type": "true or false is expected here, without quotes",
    "int_type": "a whole number is expected here, without quotes",
    "float_type": "a number is expected here, without quotes",
    "string_type": "a text is expected here",
}


def explain(error: ValidationError, file: YamlFile) -> list[Problem]:
    """Return one problem for each thing that is wrong."""
    return [_problem(details, file) for details in error.errors(include_url=False) if not _is_echo(details)]


def dotted(path: Path) -> str:
    """Return a path as people write it: tasks[1].fields[0].type."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _is_echo(details: ErrorDetails) -> bool:
    # A list whose items are wrong is reported as too short as well.
    return details["type"] == "too_short" and bool(details["input"])


def _problem(details: ErrorDetails, file: YamlFile) -> Problem:
    location = tuple(details["loc"])
    # The one union among the shapes: pydantic puts the chosen task's type between its index and its keys.
    path = (*location[:2], *location[3:]) if location[:1] == ("tasks",) and len(location) > 2 else location
    return Problem(path, file.line(path), _message(details, location, path, file))


def _message(details: ErrorDetails, location: Path, path: Path, file: YamlFile) -> str:
    kind, given = details["type"], details["input"]
    if kind == "missing":
        return "a value is missing here" if isinstance(path[-1], int) else "this key is required"
    if kind == "extra_forbidden":
        return _unknown_key(str(path[-1]), location[:-1])
    if kind == "literal_error":
        return _unknown_choice(given, _choices_at(location))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        given = given.get("type") if isinstance(given, dict) else None
        return _unknown_choice(given, sorted(_task_types()), key="type")
    if kind == "value_error":
        return details["msg"].removeprefix("Value error, ")
    if path[-1:] == ("passwords",):  # what stands there may be one: it is never repeated
        return "passwords are never written in a job file: name an environment variable, as in env:PDF_PASSWORDS"
    message = _SHAPES_OF_VALUES.get(kind) or f"{details['msg'][:1].lower()}{details['msg'][1:]}, not {given!r}"
    if kind == "int_type" and path[0] in ("limits", "stop"):
        return f"{message}, or with a unit: 200MB, 400M, 2GB"
    if kind == "float_type" and path[0] == "stop":
        return "a time is expected here: 90s, 45min or 8h"
    surprise = file.surprise(path) if kind == "string_type" else None
    return f"{message}: {surprise}" if surprise else message


def _unknown_key(key: str, parent: Path) -> str:
    known = sorted(_fields_at(parent))
    if close := get_close_matches(key, known, n=1):
        return f"unknown key; did you mean `{close[0]}`?"
    homes = [dotted(home) for home in _homes_of(key, Job, ())]
    if homes:
        return f"unknown key here; it belongs {'at the top' if homes[0] == '' else f'under `{homes[0]}`'}"
    return f"unknown key; known here: {', '.join(known)}"


def _unknown_choice(given: object, choices: list[str], key: str | None = None) -> str:
    listed = ", ".join(choices)
    if given is None:
        return f"`{key}` is required, one of {listed}" if key else f"one of {listed} is expected here"
    subject = f"`{key}` {given!r}" if key else repr(given)
    close = get_close_matches(str(given), choices, n=1)
    return f"{subject} is not one of {listed}" + (f"; did you mean {close[0]}?" if close else "")


def _fields_at(location: Path) -> dict[str, object]:
    """Return the keys, and their annotations, of the shape at a pydantic location."""
    is_in_task = location[:1] == ("tasks",) and len(location) > 2
    shape: object = _task_types().get(str(location[2])) if is_in_task else Job
    for part in location[3:] if is_in_task else location:
        shape = _step(shape, part)
    return {name: info.annotation for name, info in shape.model_fields.items()} if _is_shape(shape) else {}  # type: ignore[attr-defined]


def _choices_at(location: Path) -> list[str]:
    annotation = _fields_at(location[:-1]).get(str(location[-1]))
    literals = [one for one in _alternatives(annotation) if get_origin(one) is Literal]
    return [str(value) for one in literals for value in get_args(one)]


def _step(annotation: object, part: str | int) -> object:
    for one in _alternatives(annotation):
        if isinstance(part, int) and get_origin(one) is tuple:
            return get_args(one)[0]
        if _is_shape(one) and part in one.model_fields:  # type: ignore[attr-defined]
            return one.model_fields[part].annotation  # type: ignore[attr-defined]
    return None


def _alternatives(annotation: object) -> list[object]:
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for argument in get_args(annotation) for inner in _alternatives(argument)]
    return [annotation]


def _is_shape(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Shape)


def _task_types() -> dict[str, type[Shape]]:
    tasks = _alternatives(get_args(Job.model_fields["tasks"].annotation)[0])
    return {get_args(task.model_fields["type"].annotation)[0]: task for task in tasks}  # type: ignore[attr-defined,misc]


def _homes_of(key: str, shape: type[Shape], path: Path) -> Iterator[Path]:
    if key in shape.model_fields:
        yield path
    for name, info in shape.model_fields.items():
        if _is_shape(info.annotation):
            yield from _homes_of(key, info.annotation, (*path, name))  # type: ignore[arg-type]
