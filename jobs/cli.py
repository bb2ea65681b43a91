"""The `pagemill` command: its subcommands by name, and what each error means to whoever started it.

A subcommand's module is imported when it is called, so that `pagemill --help` and `pagemill validate` need neither torch nor ray.
"""

import sys
import traceback
from importlib import import_module
from typing import NoReturn

import click

from pipeline.errors import (
    NOT_COMPLETE,
    AccessDenied,
    CanaryFailed,
    CheckpointError,
    CredentialsMissing,
    DocumentError,
    EngineDied,
    JobError,
    ObjectArchived,
    ObjectChanged,
    ObjectMissing,
    PagemillError,
    ParityError,
    RunError,
    StorageError,
    StorageUnavailable,
)
from pipeline.interruption import named
from pipeline.redact import redact
from pipeline.storage.local import is_full

BAD_REQUEST, CANARY = 2, 4
_ROOM = "TMPDIR names where scratch files go"

# 2: a person must change something first; 3: the same command goes on where this one ended; 4: nothing was begun, as the canary is ill.
# Looked up along the class's ancestors.
EXIT_CODES: dict[type[PagemillError], int] = {
    JobError: BAD_REQUEST,
    CheckpointError: BAD_REQUEST,
    ParityError: BAD_REQUEST,
    ObjectMissing: BAD_REQUEST,
    AccessDenied: BAD_REQUEST,
    CredentialsMissing: BAD_REQUEST,
    ObjectArchived: BAD_REQUEST,
    StorageError: BAD_REQUEST,
    ObjectChanged: NOT_COMPLETE,
    StorageUnavailable: NOT_COMPLETE,
    DocumentError: NOT_COMPLETE,
    EngineDied: NOT_COMPLETE,
    RunError: NOT_COMPLETE,
    CanaryFailed: CANARY,
}

# Each command: where its click command stands, and the line that `pagemill --help` shows without importing it.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("jobs.run:run", "Read documents into Parquet: a job file, or a file, folder or s3:// prefix."),
    "plan": ("jobs.plan.command:plan", "Say what a run would read, ask and cost, from a sample."),
    "verify": ("jobs.verify:verify", "Prove that every page has exactly one row, or show where it has not."),
    "report": (
        "jobs.report.command:report",
        "Make a report of a sink to look at in a browser: numbers, documents, pages with their boxes.",
    ),
    "rerun": ("jobs.rerun:rerun", "Read chosen pages of a job once more."),
    "redecode": ("jobs.redecode:redecode", "Make rows anew from what the model said before, without asking it."),
    "compact": ("jobs.compact:compact", "Merge a sink's small files into large ones."),
    "validate": ("jobs.validate:validate", "Check job files without starting anything."),
    "schema": ("jobs.schema:schema", "Print the job file's JSON Schema, or the datasets' table definitions."),
    "synth": ("jobs.synth.command:synth", "Make up documents, with the truth of every page beside them."),
    "train": ("jobs.train.command:train", "Teach a checkpoint one's own labelled pages."),
    "evaluate": (
        "jobs.evaluate.command:evaluate",
        "Hold what a run read against labels, or compare settings on a labelled sample.",
    ),
    "parity": ("jobs.parity:parity", "Check that a served checkpoint computes what the reference computes."),
}


class _Commands(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(import_module(module), attribute)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="pagemill", prog_name="pagemill", message="%(prog)s %(version)s")
def cli() -> None:
    """Digitize documents in bulk, from a folder or bucket to validated Parquet.

    Exit codes: 0 complete; 1 complete, with more rejects than the job accepts; 2 a bad job file or argument; 3 not complete, run it
    again to go on; 4 the canary was read too badly, and nothing else was.
    """


def main() -> NoReturn:
    """Run the command line and exit with what came of it."""
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    try:
        with named():
            code = cli.main(args=arguments, prog_name="pagemill", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return BAD_REQUEST
    except PagemillError as error:
        click.echo(f"pagemill: {error}", err=True)
        return exit_code(error)
    except (KeyboardInterrupt, click.Abort, SystemExit):  # Ray turns SIGTERM into SystemExit
        click.echo("pagemill: interrupted; the same command goes on where this one ended", err=True)
        return NOT_COMPLETE
    except BrokenPipeError:
        return NOT_COMPLETE
    except Exception as error:  # noqa: BLE001 - Python's own exit code for a traceback, 1, would say that the run is complete
        if is_full(error):
            click.echo(
                f"pagemill: a disk of this machine is full; make room ({_ROOM}), and run again: {redact(str(error))}", err=True
            )
            return BAD_REQUEST
        click.echo(redact(traceback.format_exc()), err=True, nl=False)
        click.echo("pagemill: this is a bug; what is committed stands, and the same command goes on from there", err=True)
        return NOT_COMPLETE
    return code if isinstance(code, int) else 0


def exit_code(error: PagemillError) -> int:
    """Return the exit code that an error which ends a command stands for."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)


if __name__ == "__main__":
    main()
