"""The policies allow what whole runs, compactions and recounts ask of S3, under their prefixes, and nothing else."""

import importlib.util
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import boto3
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from pipeline.errors import AccessDenied, ObjectMissing
from pipeline.lake import Lake
from pipeline.places import Places
from pipeline.storage import open_store
from schemas.job import Catalog

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "iam"
COMPANION = ROOT / "tests" / "faults" / "companion.py"
SOURCE, LAKE, MODEL = "s3://your-inbox/invoices", "s3://your-lake/invoices", "s3://your-models/paligemma2-3b-mix-448"


def _guard_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("guard", Path(__file__).with_name("guard.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GUARD = _guard_module()


@pytest.fixture
def guard(monkeypatch) -> Iterator[object]:
    """Return the guard of a server with the policies' buckets, where the source and the models have an object each; the guard is open."""
    for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with GUARD.running() as (guard, url):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        client = boto3.session.Session().client("s3")
        for uri in (SOURCE, LAKE, MODEL):
            client.create_bucket(Bucket=uri.split("/")[2])
        yield guard
        for uri in (SOURCE, LAKE, MODEL):  # moto keeps them for the next test of this process
            guard.is_open = True
            store, bucket = open_store(uri), uri.split("/")[2]
            store.delete([item.uri for item in store.list(f"s3://{bucket}")])
            client.delete_bucket(Bucket=bucket)


def test_what_storage_asks_is_allowed(guard, tmp_path):
    """Each operation of the store, small and in parts, is covered for the sink, and reading for source and models."""
    source, sink = open_store(SOURCE), open_store(LAKE)
    source.write(f"{SOURCE}/a.pdf", b"a")
    source.write(f"{MODEL}/config.json", b"{}")
    guard.is_open = False
    (listed,) = list(source.list(SOURCE))
    source.fetch(listed.uri, listed.version, tmp_path / "a.pdf")
    assert [item.uri for item in source.list(MODEL)] == [f"{MODEL}/config.json"]
    assert source.read(f"{MODEL}/config.json") == b"{}"
    sink.write(f"{LAKE}/pages/x", b"x")
    large = tmp_path / "large"
    large.write_bytes(b"0" * 20_000_000)
    sink.upload(large, f"{LAKE}/pages/large")
    assert sink.exists(f"{LAKE}/pages/large")
    assert len(list(sink.list(LAKE))) == 2
    sink.delete([f"{LAKE}/pages/x", f"{LAKE}/pages/large"])
    assert guard.refused == []


def test_what_is_missing_is_told_from_what_is_denied(guard):
    """An object that is not there is missing, though S3 calls that a denial under these policies; what may not be read is denied."""
    store = open_store(LAKE)
    store.write("s3://your-inbox/salaries/a.pdf", b"a")
    guard.is_open = False
    assert not store.exists(f"{LAKE}/_pagemill/ledger/current.json")
    with pytest.raises(ObjectMissing, match="no such object"):
        store.read(f"{LAKE}/_pagemill/ledger/current.json")
    with pytest.raises(AccessDenied):
        store.read("s3://your-inbox/salaries/a.pdf")


@pytest.mark.parametrize(
    ("action", "bucket", "key", "prefix"),
    [
        ("s3:PutObject", "your-inbox", "invoices/a.pdf", ""),
        ("s3:DeleteObject", "your-inbox", "invoices/a.pdf", ""),
        ("s3:GetObject", "your-inbox", "salaries/a.pdf", ""),
        ("s3:ListBucket", "your-inbox", "", "salaries/"),
        ("s3:ListBucket", "your-inbox", "", ""),
        ("s3:PutObject", "your-models", "paligemma2-3b-mix-448/model.safetensors", ""),
        ("s3:PutObject", "your-lake", "other/x", ""),
        ("s3:GetObject", "your-lake-2", "invoices/x", ""),
    ],
)
def test_what_no_run_needs_is_refused(action, bucket, key, prefix):
    """The source cannot be written, models cannot be replaced, and neighbouring prefixes and buckets cannot be reached."""
    assert not GUARD.allowed(action, bucket, key, prefix)


def test_no_action_is_allowed_that_no_request_needs():
    """Every action of the policies for buckets is one that a request of storage needs."""
    files = [json.loads((FOLDER / name).read_text())["Statement"] for name in ("source.json", "sink.json")]
    named = {action for statements in files for each in statements for action in GUARD.listed(each["Action"])}
    assert named == set(GUARD.ACTIONS.values())


@pytest.mark.slow
def test_whole_runs_ask_no_more(guard, tmp_path):
    """`run`, once more with nothing to do, `compact --drop-deleted`, `verify`, `report` and `plan` do all they do under the policies alone."""
    for name in ("receipt.png", "article.pdf"):
        # With an end unlike any other's: what a node has fetched once it asks for no more.
        data = (ROOT / "jobs" / "examples" / "documents" / name).read_bytes() + secrets.token_bytes(16)
        open_store(SOURCE).write(f"{SOURCE}/{name}", data)
    (tmp_path / "scripted.json").write_text("{}")
    job = {
        "name": "night", "source": {"uri": SOURCE}, "model": {"engine": "scripted", "checkpoint": str(tmp_path)},
        "accept": {"max_reject_rate": 1.0}, "sink": {"uri": LAKE, "format": "iceberg"},
    }  # fmt: skip
    file = tmp_path / "night.yaml"
    file.write_text(json.dumps(job))  # JSON is YAML
    guard.is_open = False
    for command in (
        ("run", file), ("run", file), ("plan", file), ("compact", LAKE, "--drop-deleted"), ("verify", LAKE),
        ("report", LAKE, "--out", tmp_path / "report"),
    ):  # fmt: skip
        done = subprocess.run([sys.executable, COMPANION, "pagemill", *command], capture_output=True, text=True, check=False)
        assert (done.returncode, guard.refused) == (0, []), done.stderr
    assert ("your-inbox", "s3:GetObject") in guard.asked
    assert ("your-lake", "s3:DeleteObject") in guard.asked


def test_what_tables_in_glue_ask_is_allowed_and_nothing_more(tmp_path, monkeypatch):
    """Making a sink's tables, moving them and looking them up needs each action of the policy, and no other."""
    asked = _watched(monkeypatch)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {"ENDPOINT_URL": f"http://{host}:{port}", "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    sink = str(tmp_path / "out")
    try:
        for generation in ("1", "2"):
            with Lake(open_store(sink), Places(sink), Catalog(type="glue", namespace="pagemill")) as lake:
                lake.prepare()
                file = f"{lake.folder('pages')}/processed_date=2026-01-01/part-{generation}.parquet"
                (tmp_path / "out" / file).parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(lake.schema("pages").empty_table(), tmp_path / "out" / file)
                lake.follow({"pages": {file}}, generation, "run", lambda: None)
    finally:
        server.stop()
    (statement,) = json.loads((FOLDER / "glue.json").read_text())["Statement"]
    assert {f"glue:{operation}" for operation, _ in asked} == set(statement["Action"])
    assert {parameters.get("DatabaseName", "pagemill") for _, parameters in asked} == {"pagemill"}


def _watched(monkeypatch):
    """Collect each request that any client makes."""
    found: list[tuple[str, dict]] = []
    make = boto3.session.Session.client

    def watched(self, *args, **kwargs):
        client = make(self, *args, **kwargs)
        client.meta.events.register(
            "provide-client-params.*", lambda params, model, **_: found.append((model.name, dict(params)))
        )
        return client

    monkeypatch.setattr(boto3.session.Session, "client", watched)
    return found
