"""Tables as people's notebooks know them: Arrow as it is, or a frame of Polars or pandas, which need not be installed. Nothing is lost on the way."""

from importlib import import_module
from types import ModuleType
from typing import Literal, get_args

import pyarrow as pa

from pipeline.errors import JobError

Frame = Literal["arrow", "polars", "pandas"]
_KINDS: tuple[str, ...] = get_args(Frame)


def framed(table: pa.Table, frame: Frame) -> object:
    """Return a table as a frame of a library. Raises JobError where it is not installed, or nobody knows it.

    A pandas frame has Arrow's types, so that whole numbers stay whole where some are missing, and amounts stay exact.
    """
    if frame not in _KINDS:
        raise JobError(f"there are no frames of {frame}; there are {', '.join(_KINDS)}")
    if frame == "arrow":
        return table
    library = _library(frame)
    if frame == "polars":
        return library.from_arrow(table)
    return table.to_pandas(types_mapper=library.ArrowDtype)


def _library(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as exc:
        raise JobError(f"a frame of {name} needs {name}, which is not installed here: pip install {name}") from exc
