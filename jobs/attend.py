"""A run as whoever started it sees it: its progress, Ctrl-C, a glimpse of what it wrote, and what came of it; for every command that runs."""

import sys
from collections.abc import Callable
from pathlib import Path
from shutil import which
from typing import TypeVar

import click

from jobs.glimpse import glimpse
from jobs.interrupt import interruptible
from jobs.progress import watch
from jobs.summary import in_words
from pipeline.progress import Progress
from schemas.run import RunSummary

C = TypeVar("C", bound=Callable[..., int])


def attended(command: C) -> C:
    """Give a command the options by which it is told how to show a run."""
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
    return as_json(click.option("--quiet", is_flag=True, help="Show no progress.")(command))


def attend(work: Callable[[Progress], RunSummary], *, as_json: bool, quiet: bool) -> int:
    """Let work run before someone's eyes, print what came of it, and return its exit code."""
    with interruptible(sys.stderr), watch(sys.stderr, quiet=quiet) as progress:
        summary = work(progress)
    words = glimpse(summary) + in_words(summary, _from_here(Path(sys.executable)), _pagemill())
    click.echo(summary.model_dump_json(indent=2) if as_json else words)
    return summary.exit_code


def _pagemill() -> str:
    """Return how this shell reaches the command: by its name, or, as after `make demo`, by where it lies."""
    command = Path(sys.executable).with_name("pagemill")
    return _from_here(command) if which("pagemill") is None and command.exists() else "pagemill"


def _from_here(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
