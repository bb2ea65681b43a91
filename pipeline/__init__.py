"""The machine. From Python: `from pipeline import run, read`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.flow import run
    from pipeline.reader import read

__all__ = ["read", "run"]


def __getattr__(name: str) -> object:
    # Imported when asked for, so that whoever needs one light module does not load Ray.
    if name == "run":
        from pipeline.flow import run

        return run
    if name == "read":
        from pipeline.reader import read

        return read
    raise AttributeError(name)
