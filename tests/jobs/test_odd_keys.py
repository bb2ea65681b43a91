"""The command line over keys as people have them, in a bucket, with an inventory in the place of a listing."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote_plus

import pyarrow as pa
import pyarrow.parquet as pq
import pymupdf
import pytest
import yaml

from pipeline import read
from pipeline.storage import open_store

PAGEMILL = Path(sys.executable).with_name("pagemill")
PATIENCE_S = 240
KEYS = (
    "a space.pdf",
    "hash#1.pdf",
    "per%20cent%.pdf",
    "plus+plus.pdf",
    "ünïcödé/日本語 😀.pdf",
    "e\u0301 decomposed.pdf",
    "q?x=1&y=2.pdf",
    'it\'s "quoted".pdf',
    "[a]{b}*,;.pdf",
)


def _pdf(words: str) -> bytes:
    with pymupdf.open() as document:
        document.new_page(width=400, height=200).insert_text((20, 40), words)
        return document.tobytes()


@pytest.fixture
def place(s3_uri) -> str:
    """Return an s3:// folder with a document under each key, which says the key's number, and one that no inventory knows."""
    store = open_store(s3_uri)
    for number, key in enumerate(KEYS):
        store.write(f"{s3_uri}/in/{key}", _pdf(f"this is document number {number}"))
    store.write(f"{s3_uri}/in/unknown.pdf", _pdf("no inventory knows this"))
    return s3_uri


def _as_csv(bucket: str, keys: list[str]) -> bytes:
    """Return an inventory as S3 writes it: no header, all quoted, keys encoded as in a form."""
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([bucket, quote_plus(key, safe="/")] for key in keys)
    return file.getvalue().encode()


def _as_parquet(bucket: str, keys: list[str]) -> bytes:
    """Return an inventory as S3 writes it in Parquet: keys verbatim."""
    file = io.BytesIO()
    pq.write_table(pa.table({"bucket": [bucket] * len(keys), "key": keys, "is_latest": [True] * len(keys)}), file)
    return file.getvalue()


@pytest.mark.slow
def test_odd_keys_of_an_inventory_are_read_from_end_to_end(place, tmp_path):
    """A pilot of some keys, then the rest: each key's own document is read, under just that key, and what the inventory lacks is not.

    The inventory that S3 writes anew in another format names the same documents.
    """
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    for kind, inventory_of in (("csv", _as_csv), ("parquet", _as_parquet)):
        open_store(place).write(f"{place}/inventory.{kind}", inventory_of(bucket, [f"{prefix}/in/{key}" for key in KEYS]))
    job = {
        "name": "odd",
        "source": {"uri": f"{place}/in/", "inventory": f"{place}/inventory.csv"},
        "model": {"engine": "scripted"},
        "workers": {"cpus": 2},
        "sink": {"uri": f"{place}/out"},
    }
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(job, allow_unicode=True), encoding="utf-8")
    uris = sorted((f"{place}/in/{key}" for key in KEYS), key=str.encode)
    said = _pagemill("run", str(path), "--limit", "2")
    assert (said["objects_listed"], said["pages_ok"], said["left"]) == (2, 2, 0)
    assert _tried(place) == set(uris[:2])
    said = _pagemill("run", str(path), "--sample", "3", "--seed", "1")
    assert (said["objects_listed"], said["objects_known"] + said["pages_ok"], said["left"]) == (3, 3, 0)
    tried = _tried(place)
    assert tried < set(uris)
    job["source"]["inventory"] = f"{place}/inventory.parquet"
    path.write_text(yaml.safe_dump(job, allow_unicode=True), encoding="utf-8")
    said = _pagemill("run", str(path))
    assert (said["objects_listed"], said["objects_known"], said["left"]) == (len(KEYS), len(tried), 0)
    texts = {row["source_uri"]: row["text"] for row in read(f"{place}/out", "pages").to_pylist()}
    assert texts == {f"{place}/in/{key}": f"this is document number {number}" for number, key in enumerate(KEYS)}
    assert _pagemill("verify", f"{place}/out")["findings"] == []
    again = _pagemill("run", str(path))
    assert (again["objects_known"], again["pages_selected"]) == (len(KEYS), 0)


def _tried(place: str) -> set[str]:
    return {row["source_uri"] for row in read(f"{place}/out", "pages").to_pylist()}


def _pagemill(*arguments: str) -> dict[str, object]:
    command = [PAGEMILL, *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
