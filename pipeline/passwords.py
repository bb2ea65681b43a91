"""The passwords that a job names by the environment variable that holds them, one a line. They are handed to workers and written nowhere."""

import os

from pipeline.errors import JobError
from schemas.job import Source


def passwords(source: Source) -> tuple[str, ...]:
    """Return the passwords to try on encrypted documents; raise JobError where the variable is not set."""
    if source.passwords is None:
        return ()
    name = source.passwords.removeprefix("env:")
    if name not in os.environ:
        raise JobError(
            f"source.passwords names the environment variable {name}, which is not set; set it to one password a line"
        )
    return tuple(line for line in os.environ[name].splitlines() if line)
