"""The command line: every command is there, light where it must be, and every error has its exit code."""

import errno
import subprocess
import sys

import click
import pytest

import pipeline.errors
from jobs.cli import COMMANDS, EXIT_CODES, _run, cli, exit_code
from pipeline.errors import JobError, PagemillError, StorageUnavailable

JOB = "name: j\nsource: {uri: in}\nsink: {uri: out}\n"


def _errors(root: type[PagemillError] = PagemillError) -> list[type[PagemillError]]:
    return [one for child in root.__subclasses__() for one in (child, *_errors(child))]


def test_every_error_of_the_tree_has_an_exit_code():
    """No class of the tree is without a code of its own or of an ancestor, and every code is one that the contract names."""
    assert set(_errors()) >= {pipeline.errors.JobLocked, pipeline.errors.ObjectArchived, pipeline.errors.ParityError}
    for kind in _errors():
        assert any(base in EXIT_CODES for base in kind.__mro__), kind
    assert set(EXIT_CODES.values()) == {2, 3, 4}


def test_an_error_takes_the_code_of_its_nearest_ancestor():
    """A busy store is worth another try; a lock is a run that cannot go on."""
    assert exit_code(StorageUnavailable("busy")) == 3
    assert exit_code(pipeline.errors.ObjectMissing("none")) == 2
    assert exit_code(pipeline.errors.JobLocked("taken")) == 3


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps(name, capsys):
    """Each registered command can be imported, and explains itself."""
    assert _run([name, "--help"]) == 0
    assert "Usage: pagemill" in capsys.readouterr().out


def test_help_names_every_command_and_the_exit_codes(capsys):
    """`pagemill --help` is the whole map."""
    assert _run(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)
    assert "Exit codes:" in out


def test_a_wrong_argument_is_exit_code_2(capsys):
    """An unknown command or option is refused with a line on stderr and nothing on stdout."""
    assert _run(["nonsense"]) == 2
    assert _run(["validate"]) == 2
    assert _run(["validate", "--nonsense"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "No such command 'nonsense'" in captured.err


@pytest.fixture
def raising(monkeypatch):
    """Register a command that ends with an error."""

    def register(error: BaseException) -> None:
        @click.command()
        def fail() -> None:
            raise error

        monkeypatch.setattr(cli, "get_command", lambda *_: fail)

    return register


def test_an_error_ends_without_a_traceback(raising, capsys):
    """What a person can cure is told in a paragraph on stderr."""
    raising(JobError("the job is wrong"))
    assert _run(["run"]) == 2
    assert capsys.readouterr().err == "pagemill: the job is wrong\n"


def test_a_bug_never_looks_complete(raising, capsys):
    """An error of the program itself shows its traceback and exits with 3: Python's own 1 would mean `complete`."""
    raising(ZeroDivisionError("a bug"))
    assert _run(["run"]) == 3
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "this is a bug" in err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(15), RuntimeError("Query interrupted")])
def test_an_interrupt_is_exit_code_3(raising, capsys, error):
    """A run that was ended from outside, by Ctrl-C, also amid a query, or a signal that Ray took, is not complete."""
    raising(error)
    assert _run(["run"]) == 3
    assert "interrupted" in capsys.readouterr().err


def test_validate_is_light(tmp_path):
    """`pagemill validate` imports neither torch nor ray, nor anything else that is slow to import."""
    (tmp_path / "job.yaml").write_text(JOB)
    code = (
        "import sys; from jobs.cli import _run; code = _run(['validate', 'job.yaml']);"
        "heavy = {'torch', 'ray', 'transformers', 'pymupdf', 'pyarrow', 'duckdb', 'boto3', 'numpy', 'rich', 'vllm'} & set(sys.modules);"
        "print(sorted(heavy)); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_validate_takes_less_than_a_second_of_the_processor(tmp_path):
    """Processor time, which other work on the machine does not change, of the whole command."""
    (tmp_path / "job.yaml").write_text(JOB)
    code = "import sys, time; from jobs.cli import _run; _run(['validate', 'job.yaml']); print(time.process_time())"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert float(done.stdout.splitlines()[-1]) < 1.0


def test_validate_tells_of_every_file(tmp_path, capsys):
    """Right files are described on stdout, wrong ones on stderr, all of them, and one wrong file makes it exit code 2."""
    (tmp_path / "good.yaml").write_text(JOB)
    (tmp_path / "bad.yaml").write_text("name: j\n")
    assert _run(["validate", str(tmp_path / "bad.yaml"), str(tmp_path / "good.yaml")]) == 2
    captured = capsys.readouterr()
    assert (
        captured.out
        == f"{tmp_path}/good.yaml: ok: j reads in (ocr) with embedded on transformers at 448, text layer: prefer, into out\n"
    )
    assert f"{tmp_path}/bad.yaml:1: sink: this key is required" in captured.err


def test_validate_prints_the_whole_job(tmp_path, capsys):
    """`--json` shows the job with every default, as JSON that is a job again."""
    from schemas.job import Job

    (tmp_path / "job.yaml").write_text(JOB)
    assert _run(["validate", "--json", str(tmp_path / "job.yaml")]) == 0
    assert Job.model_validate_json(capsys.readouterr().out).limits.pages == 20_000


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left"), ValueError("IO Error: write: No space left on device")]
)
def test_a_full_disk_is_no_bug(error, raising, capsys):
    """Whatever library met it first, it is said where to make room, without a traceback, and that nothing but a person can."""
    raising(error)
    assert _run(["run"]) == 2
    err = capsys.readouterr().err
    assert "a disk of this machine is full; make room" in err
    assert "Traceback" not in err
