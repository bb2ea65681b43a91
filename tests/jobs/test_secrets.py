"""Secrets and hostile names: planted wherever a person may put them, and looked for in everything that commands leave behind and say."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pymupdf
import pytest
from moto.server import ThreadedMotoServer

from pipeline.reader import read
from pipeline.storage import open_store

ROOT = Path(__file__).parents[2]
PAGEMILL = (sys.executable, "-c", "import sys; from jobs.cli import main; sys.argv[0] = 'pagemill'; main()")
CANARY = "canary7f3a"
PATIENCE_S = 240
KEYS = (
    "in/plain.pdf",
    "in/../../../escaped.pdf",
    "in/%2e%2e/%2e%2e/encoded.pdf",
    "in//etc/rooted.pdf",
    "in/..\\..\\back.pdf",
    "in/ü &.pdf",
)
SECRETS = {
    "AWS_ACCESS_KEY_ID": f"AKIA{CANARY.upper()}000000",
    "AWS_SECRET_ACCESS_KEY": f"{CANARY}-of-aws",
    "AWS_SESSION_TOKEN": f"{CANARY}-of-the-session",
    "HF_TOKEN": f"hf_{CANARY}0000000000000000",
    "PYICEBERG_CATALOG__PAGEMILL__TOKEN": f"{CANARY}-of-the-catalog",
    "PDF_PASSWORDS": f"{CANARY}-wrong\n{CANARY}-right",
}


def _locked(words: str) -> bytes:
    with pymupdf.open() as document:
        document.new_page(width=200, height=200).insert_text((20, 40), words)
        return document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=f"{CANARY}-right", owner_pw=f"{CANARY}-right")


def _pdf(words: str) -> bytes:
    with pymupdf.open() as document:
        document.new_page(width=200, height=200).insert_text((20, 40), words)
        return document.tobytes()


@pytest.fixture
def ray_folder(monkeypatch):
    """Put all the secrets into the environment and start an S3 server that knows them; return the folder in which Ray keeps its logs.

    Moto's servers of one process share their buckets: each test has one of its own.
    """
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    ray = tempfile.TemporaryDirectory(prefix="pm-", dir="/tmp", ignore_cleanup_errors=True)  # a short path, for sockets
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {**SECRETS, "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("RAY_TMPDIR", ray.name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yield Path(ray.name)
    server.stop()
    ray.cleanup()


@pytest.fixture
def command(ray_folder, tmp_path):
    """Return a function that runs `pagemill` amid the secrets, and returns what it said."""
    work = tmp_path / "work"
    work.mkdir()

    def run(*arguments: str, **environment: str) -> tuple[int, str]:
        done = subprocess.run(  # noqa: PLW1510 (it may fail)
            [*PAGEMILL, *arguments], cwd=work, env={**os.environ, **environment}, capture_output=True, text=True
        )
        said = done.stdout + done.stderr
        assert CANARY not in said.lower(), arguments
        if "Ray did not start" in said:  # on a machine that is busy; it says to run it again
            return run(*arguments, **environment)
        assert CANARY not in _logs(ray_folder)
        return done.returncode, said

    return run


def _logs(ray_folder: Path) -> str:
    """Return all that Ray's logs and files say."""
    return "\n".join(data.decode(errors="ignore") for _, data in _files(ray_folder)).lower()


def _job(folder: Path, source: str, sink: str, model: str = "{engine: scripted}") -> str:
    path = folder / f"{re.sub('[^a-z]', '', sink)}.yaml"
    path.write_text(
        f'name: j\nsource: {{uri: "{source}", passwords: env:PDF_PASSWORDS}}\nsink: {{uri: "{sink}"}}\n'
        f"model: {model}\ntasks: [{{type: ocr}}]\naccept: {{max_reject_rate: 1.0}}\n"
    )
    return str(path)


def _everything(folder: Path) -> str:
    """Return all that the files below a folder say, also what Parquet compresses, and their names."""
    words = []
    for path, data in _files(folder):
        words += [str(path), data.decode("latin-1")]
        if path.suffix == ".parquet":
            words.append(repr(pq.read_table(pa.BufferReader(data)).to_pylist()))
    return "\n".join(words).lower()


def _files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield the files below a folder; what is renamed or removed meanwhile, by processes that are just ending, is passed over."""
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            with suppress(FileNotFoundError):
                if path.is_file():
                    yield path, path.read_bytes()


@pytest.mark.slow
@pytest.mark.ray
def test_no_secret_is_ever_told_and_no_key_leaves_the_sink(command, tmp_path):
    """Credentials, passwords and signatures are in no output of any command, also where it fails; keys that climb are names and nothing else."""
    s3 = boto3.session.Session().client("s3")
    s3.create_bucket(Bucket="odd-keys")
    for key in KEYS:
        s3.put_object(Bucket="odd-keys", Key=key, Body=_pdf(f"words of {KEYS.index(key)}"))
    s3.put_object(Bucket="odd-keys", Key="in/locked.pdf", Body=_locked("locked words"))
    put = [item.uri for item in open_store("s3://odd-keys").list("s3://odd-keys/in")]
    outside = {path for path in tmp_path.iterdir() if path.name != "work"}

    code, said = command("run", _job(tmp_path / "work", "s3://odd-keys/in", "out"))
    assert code == 0, said
    assert command("verify", "out")[0] == 0
    assert command("report", "out", "--out", "report")[0] == 0
    pages = read(str(tmp_path / "work" / "out"), "pages").to_pylist()
    assert sorted(page["source_uri"] for page in pages) == sorted(put)
    assert len(put) == len(KEYS) + 1
    assert "locked words" in {page["text"].strip() for page in pages}

    code, said = command(
        "run", _job(tmp_path / "work", "s3://odd-keys/in/locked.pdf", "refused"), PDF_PASSWORDS=f"{CANARY}-wrong"
    )
    assert "password_wrong" in said, said
    assert command("report", "refused", "--out", "refused-report")[0] == 0
    signed = (
        s3.generate_presigned_url("get_object", Params={"Bucket": "odd-keys", "Key": f"in/{KEYS[0]}"})
        + f"&X-Amz-Signature={CANARY}"
    )
    assert command("run", _job(tmp_path / "work", signed, "never"))[0] == 2
    assert command("run", signed)[0] == 2
    assert command("run", _job(tmp_path / "work", f"https://me:{CANARY}@host/x", "not"))[0] == 2
    assert command("verify", f"s3://no-such-bucket/x?X-Amz-Signature={CANARY}")[0] in (2, 3)
    assert command("run", _job(tmp_path / "work", "s3://no-such-bucket/in", "none"))[0] in (2, 3)

    for job in (tmp_path / "work").glob("*.yaml"):
        job.unlink()  # what the person wrote
    assert CANARY not in _everything(tmp_path)
    assert {path for path in tmp_path.iterdir() if path.name != "work"} == outside
    assert {path.name for path in (tmp_path / "work").iterdir()} <= {"out", "report", "refused", "refused-report", "none"}


@pytest.mark.slow
@pytest.mark.ray
def test_a_run_at_work_and_one_that_is_killed_tell_no_secret(ray_folder, tmp_path):
    """What is staged, noted and logged by the way holds none, nor does the command line of any process; also where nobody could tidy up."""
    s3 = boto3.session.Session().client("s3")
    s3.create_bucket(Bucket="locked")
    for number in range(12):
        s3.put_object(Bucket="locked", Key=f"in/{number}.pdf", Body=_locked(f"words of {number}"))
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "scripted.json").write_text('{"seconds_per_request": 1}')
    job = _job(tmp_path, "s3://locked/in", f"{tmp_path}/out", f'{{engine: scripted, checkpoint: "{tmp_path}/slow"}}')
    processes = None
    while processes is None:  # Ray may not start on a machine that is busy
        processes = _killed_at_work(tmp_path, job)
    assert "pagemill" in processes
    assert "raylet" in processes
    Path(job).unlink()
    assert CANARY not in processes.lower()
    assert CANARY not in _logs(ray_folder)
    assert CANARY not in _everything(tmp_path)


def _killed_at_work(folder: Path, job: str) -> str | None:
    """Kill a run once something is staged; return how all processes had been started, or None where Ray did not start."""
    processes, said = "", folder / "said"
    with said.open("wb") as file, subprocess.Popen([*PAGEMILL, "run", job], cwd=folder, stdout=file, stderr=file) as run:
        try:
            until = time.monotonic() + PATIENCE_S
            while not [*folder.glob("out/_pagemill/staging/*/*/pages.parquet")]:
                if run.poll() is not None and "Ray did not start" in said.read_text():
                    return None
                assert run.poll() is None, said.read_text()
                assert time.monotonic() < until, "nothing is staged"
                processes += _command_lines()
                time.sleep(0.2)
        finally:
            run.kill()
    return processes


def _command_lines() -> str:
    """Return how the processes of this machine were started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_text(errors="ignore"))
    return "\n".join(found)
