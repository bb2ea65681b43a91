"""A job file, or just a place with documents, as a Job.

Everything wrong with a file is told at once, a line each: `nightly.yaml:12: tasks[1].fields[0].type: …`. Nothing is started here,
and nothing but the file is read: whether the source exists and the checkpoint loads is the run's to find out.
"""

import json
import re
from pathlib import Path

from pydantic import ValidationError

from jobs.explain import dotted, explain
from jobs.refusals import refusals
from jobs.yamlfile import Problem, parse
from pipeline.errors import JobError
from schemas.job import Job, Model, OcrTask, Render, Rung, Sink, Source

ADHOC_SINK = "pagemill-out"


def load(path: str | Path) -> Job:
    """Return the job of a YAML file; raises JobError with one line for each thing that is wrong."""
    file = parse(_text_of(Path(path)))
    if not file.problems and not isinstance(file.value, dict):
        file.problems.append(
            Problem((), 1, "a job file is a mapping: name, source, sink, …; `pagemill schema` prints its keys")
        )
    if isinstance(file.value, dict):
        try:
            # As JSON, so that pydantic can be strict: nothing is quietly turned into something else, and lists may be tuples.
            job = Job.model_validate_json(json.dumps(file.value, default=_refused), strict=True)
        except ValidationError as error:
            file.problems += explain(error, file)
        else:
            file.problems += [Problem(at, file.line(at), message) for at, message in refusals(job)]
    if file.problems:
        raise JobError("\n".join(_line(path, problem) for problem in sorted(file.problems, key=lambda one: one.line)))
    return job


def adhoc(uri: str) -> Job:
    """Return the job for `pagemill run URI`: all text of every document, read by the embedded checkpoint, into ./pagemill-out.

    Raises JobError where the uri cannot be a source.
    """
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", uri.rstrip("/").rsplit("/", 1)[-1]).strip("-._")
    job = Job(
        name=stem[:128] or "documents",
        source=Source(uri=uri),
        model=Model(checkpoint="embedded", engine="transformers", dtype="float32"),
        render=Render(ladder=(Rung(tiles="grid"),)),  # the letters of a whole page are too small for the checkpoint that ships
        tasks=(OcrTask(type="ocr"),),
        sink=Sink(uri=ADHOC_SINK),
    )
    if wrong := refusals(job):
        raise JobError("\n".join(f"{uri}: {message}" for _, message in wrong))
    return job


def with_sink(job: Job, uri: str) -> Job:
    """Return the job with its results sent elsewhere."""
    changed = job.model_copy(update={"sink": job.sink.model_copy(update={"uri": uri})})
    if wrong := refusals(changed):
        raise JobError("\n".join(f"--sink {uri}: {dotted(at)}: {message}" for at, message in wrong))
    return changed


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise JobError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(f"{path}: cannot be read as UTF-8 text: {error}") from error


def _line(path: str | Path, problem: Problem) -> str:
    where = dotted(problem.path)
    return f"{path}:{problem.line}: {where}: {problem.message}" if where else f"{path}:{problem.line}: {problem.message}"


def _refused(value: object) -> object:
    # Dates and binary: no key takes them, and none takes this mapping, so pydantic says what is expected at their place.
    return {str(type(value)): str(value)}
