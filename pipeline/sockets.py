"""Where Unix sockets go: the whole name of one has few bytes, and some folders for temporary files leave none of them.

It knows nobody's sockets: how long a name is that somebody gives one, they say.
"""

import os

from pipeline.errors import StorageError

LONGEST = 107
"""Bytes of a socket's name, by Linux (sockaddr_un)."""
SHORT = "/tmp"  # noqa: S108 (nothing else is as sure to be there)


def folder_for(name: str, given: str, *, setting: str, short: str = SHORT) -> str:
    """Return the folder that was given for temporary files, or the short one where a socket named like `name` would have no room below that.

    Raises StorageError where that cannot be written to; `setting` is the variable that names another folder.
    """
    if len(os.fsencode(given + name)) <= LONGEST:
        return given
    if not os.access(short, os.W_OK | os.X_OK):
        raise StorageError(
            f"{given} has too long a name for sockets below it ({LONGEST} bytes in all), and {short} cannot be written to: "
            f"name a folder with a short name by {setting}"
        )
    return short
