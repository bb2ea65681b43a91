"""Secrets and hostile names: planted wherever a person may put them, and looked for in everything that commands leave behind and say."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
import pyarrow.parquet as pq
import pymupdf
import pytest
from moto.server import ThreadedMotoServer

from pipeline.reader import read
from pipeline.storage import open_store

ROOT = Path(__file__).parents[2]
CANARY = "canary7f3a"
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
def command(tmp_path, monkeypatch):
    """Return a function that runs `pagemill` with all the secrets in its environment, an S3 server that knows them, and returns what it said."""
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
    work = tmp_path / "work"
    work.mkdir()

    def run(*arguments: str, **environment: str) -> tuple[int, str]:
        code = "import sys; from jobs.cli import main; sys.argv[0] = 'pagemill'; main()"
        done = subprocess.run(  # noqa: PLW1510 (it may fail)
            [sys.executable, "-c", code, *arguments],
            cwd=work,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        said = done.stdout + done.stderr
        assert CANARY not in said.lower(), arguments
        if "Ray did not start" in said:  # on a machine that is busy; it says to run it again
            return run(*arguments, **environment)
        assert not [
            path for path in Path(ray.name).rglob("*") if path.is_file() and CANARY in path.read_text(errors="ignore").lower()
        ]
        return done.returncode, said

    yield run
    server.stop()
    ray.cleanup()


def _job(folder: Path, source: str, sink: str, more: str = "") -> str:
    path = folder / f"{re.sub('[^a-z]', '', sink)}.yaml"
    path.write_text(
        f'name: j\nsource: {{uri: "{source}", passwords: env:PDF_PASSWORDS}}\nsink: {{uri: "{sink}"}}\n'
        f"model: {{engine: scripted}}\ntasks: [{{type: ocr}}]\naccept: {{max_reject_rate: 1.0}}\n{more}"
    )
    return str(path)


def _everything(folder: Path) -> str:
    """Return all that the files below a folder say, also what Parquet compresses, and their names."""
    words = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        words += [str(path), path.read_bytes().decode("latin-1")]
        if path.suffix == ".parquet":
            words.append(repr(pq.read_table(path, partitioning=None).to_pylist()))
    return "\n".join(words).lower()


@pytest.mark.slow
def test_no_secret_is_ever_told_and_no_key_leaves_the_sink(command, tmp_path):
    """Credentials, passwords and signatures are in no output of any command, also where it fails; keys that climb are names and nothing else."""
    s3 = boto3.session.Session().client("s3")
    s3.create_bucket(Bucket="bucket")
    for key in KEYS:
        s3.put_object(Bucket="bucket", Key=key, Body=_pdf(f"words of {KEYS.index(key)}"))
    s3.put_object(Bucket="bucket", Key="in/locked.pdf", Body=_locked("locked words"))
    put = [item.uri for item in open_store("s3://bucket").list("s3://bucket/in")]
    outside = {path for path in tmp_path.iterdir() if path.name != "work"}

    code, said = command("run", _job(tmp_path / "work", "s3://bucket/in", "out"))
    assert code == 0, said
    assert command("verify", "out")[0] == 0
    assert command("report", "out", "--out", "report")[0] == 0
    pages = read(str(tmp_path / "work" / "out"), "pages").to_pylist()
    assert sorted(page["source_uri"] for page in pages) == sorted(put)
    assert len(put) == len(KEYS) + 1
    assert "locked words" in {page["text"].strip() for page in pages}

    code, said = command(
        "run", _job(tmp_path / "work", "s3://bucket/in/locked.pdf", "refused"), PDF_PASSWORDS=f"{CANARY}-wrong"
    )
    assert "password_wrong" in said, said
    assert command("report", "refused", "--out", "refused-report")[0] == 0
    signed = (
        s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": f"in/{KEYS[0]}"})
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
