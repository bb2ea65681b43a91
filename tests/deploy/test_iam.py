"""The policies allow what a whole run, a compaction and a recount ask of S3, under their prefixes, and nothing else."""

import fnmatch
import json
from pathlib import Path

import boto3
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from pipeline.lake import Lake
from pipeline.places import Places
from pipeline.storage import open_store
from schemas.job import Catalog

FOLDER = Path(__file__).parents[2] / "deploy" / "iam"
STATEMENTS = [statement for path in sorted(FOLDER.glob("*.json")) for statement in json.loads(path.read_text())["Statement"]]
# What each request that storage makes is called in a policy.
ACTIONS = {
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "DeleteObjects": "s3:DeleteObject",
    "DeleteObject": "s3:DeleteObject",
    "ListObjectsV2": "s3:ListBucket",
}


def allowed(operation: str, parameters: dict) -> bool:
    """Return whether the policies allow a request, as S3 judges it."""
    bucket = parameters["Bucket"]
    keys = [parameters.get("Key")] if "Delete" not in parameters else [item["Key"] for item in parameters["Delete"]["Objects"]]
    return all(_one(ACTIONS[operation], bucket, key, parameters.get("Prefix", "")) for key in keys)


def _one(action: str, bucket: str, key: str | None, prefix: str) -> bool:
    resource = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
    return any(
        action in _listed(statement["Action"])
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in _listed(statement["Resource"]))
        and _conditions_hold(statement, prefix)
        for statement in STATEMENTS
    )


def _conditions_hold(statement: dict, prefix: str) -> bool:
    patterns = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", ["*"])
    return any(fnmatch.fnmatchcase(prefix, pattern) for pattern in patterns)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.fixture
def asked(monkeypatch):
    """Collect each request that any client makes, of S3 and of Glue."""
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


def test_what_storage_asks_is_allowed_and_its_neighbours_are_not(s3_endpoint, asked, tmp_path):
    """Each operation of the store, small and in parts, is covered for the sink; reading is for the source; next door is refused."""
    client = boto3.client("s3", endpoint_url=s3_endpoint) if isinstance(s3_endpoint, str) else boto3.client("s3")
    for bucket in ("your-inbox", "your-lake", "your-models"):
        client.create_bucket(Bucket=bucket)
    client.put_object(Bucket="your-inbox", Key="invoices/a.pdf", Body=b"a")
    asked.clear()
    source, sink = open_store("s3://your-inbox/invoices"), open_store("s3://your-lake/invoices")
    (listed,) = list(source.list("s3://your-inbox/invoices"))
    source.fetch(listed.uri, listed.version, tmp_path / "a.pdf")
    sink.write("s3://your-lake/invoices/pages/x", b"x")
    large = tmp_path / "large"
    large.write_bytes(b"0" * 20_000_000)
    sink.upload(large, "s3://your-lake/invoices/pages/large")
    assert sink.exists("s3://your-lake/invoices/pages/large")
    assert len(list(sink.list("s3://your-lake/invoices"))) == 2
    sink.delete(["s3://your-lake/invoices/pages/x", "s3://your-lake/invoices/pages/large"])
    made = {operation for operation, _ in asked}
    assert {"GetObject", "PutObject", "DeleteObjects", "ListObjectsV2", "HeadObject"} <= made <= set(ACTIONS)
    for operation, parameters in asked:
        assert allowed(operation, parameters), (operation, parameters)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("PutObject", {"Bucket": "your-inbox", "Key": "invoices/a.pdf"}),
        ("DeleteObject", {"Bucket": "your-inbox", "Key": "invoices/a.pdf"}),
        ("GetObject", {"Bucket": "your-inbox", "Key": "salaries/a.pdf"}),
        ("ListObjectsV2", {"Bucket": "your-inbox", "Prefix": "salaries/"}),
        ("ListObjectsV2", {"Bucket": "your-inbox", "Prefix": ""}),
        ("PutObject", {"Bucket": "your-models", "Key": "paligemma2-3b-mix-448/model.safetensors"}),
        ("PutObject", {"Bucket": "your-lake", "Key": "other/x"}),
        ("GetObject", {"Bucket": "your-lake-2", "Key": "invoices/x"}),
    ],
)
def test_what_no_run_needs_is_refused(operation, parameters):
    """The source cannot be written, models cannot be replaced, and neighbouring prefixes and buckets cannot be reached."""
    assert not allowed(operation, parameters)


def test_what_tables_in_glue_ask_is_allowed_and_nothing_more(asked, tmp_path, monkeypatch):
    """Making a sink's tables, moving them and looking them up needs each action of the policy, and no other."""
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
