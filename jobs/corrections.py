"""A file of corrections, as the report saves it."""

from pydantic import ValidationError

from pipeline.errors import JobError
from pipeline.storage import open_store
from schemas.correction import Corrections


def load_corrections(uri: str) -> Corrections:
    """Return what a file holds; raises JobError on what is no file of corrections, or an empty one."""
    try:
        found = Corrections.model_validate_json(open_store(uri).read(uri))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise JobError(f"{uri} is no file of corrections as `pagemill report` saves them: {where}: {first['msg']}") from error
    if not found.pages:
        raise JobError(f"{uri} corrects nothing")
    return found
