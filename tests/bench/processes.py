"""A process and all below it, as Linux's /proc tells: what is there, and which of them are vLLM's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def family(pid: int, *, is_engine: bool = False) -> Iterator[tuple[int, bool]]:
    """Yield a process and its descendants, each with whether it is vLLM's own or below one of those; who ends meanwhile is passed over."""
    is_engine = is_engine or b"VLLM::" in command(pid)
    yield pid, is_engine
    for thread in threads(pid):
        for child in _read(f"/proc/{pid}/task/{thread}/children").split():
            yield from family(int(child), is_engine=is_engine)


def threads(pid: int) -> list[int]:
    """Return the threads of a process; none of one that has ended."""
    try:
        return [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []


def command(pid: int) -> bytes:
    """Return how a process was started, or the title that it took since; nothing of one that has ended."""
    return _read(f"/proc/{pid}/cmdline")


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
